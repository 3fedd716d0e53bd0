/**
 * The relay as a process: opens log, store and listeners, runs until it is stopped, and closes them.
 *
 * Contains no policy: the web app decides which clients may connect, the services decide which frames are sent. A runtime differs in how it
 * opens a
 * listener.
 */
import process from "node:process";
import { LISTENER_BLOCKS } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import {
  addressesOf,
  bindError,
  type BoundListener,
  isInUse,
  listenersOf,
  type ListenerSpec,
  readyLines,
} from "./listeners.ts";
import type { ListenerCertificate } from "./certificates.ts";
import {
  type ListenerHooks,
  openLater,
  type OpenListener,
  openMonitored,
  type RenewableListener,
} from "./monitored-listener.ts";
import { openProcessLog } from "./open-ports.ts";
import type { ProcessParts } from "./process-relay.ts";
import { Relays, type RelaySet } from "./relays.ts";
import type { RelayHandle, ServeOptions } from "./serve-options.ts";
import type { ListenerContext, ServerRuntime } from "./server-runtime.ts";
import { type OutputLines, outputLines, type OutputName } from "./standard-output.ts";
import { isTerminal } from "./terminal.ts";
import { webToken } from "./web-token.ts";

const STOPPING = "Stopping: pending actions are finished and all connections closed. Another signal stops at once.";

/** True if standard error is a terminal whose user has not switched colors off: https://no-color.org. */
const hasColors = (): boolean => isTerminal("stderr") && (process.env.NO_COLOR ?? "") === "";

/** Starts a relay. Throws a `StartError`, and leaves nothing open, when it cannot. */
export async function serveProcess(
  runtime: ServerRuntime,
  settings: Settings,
  options: ServeOptions,
): Promise<RelayHandle> {
  const linesTo = (output: OutputName): OutputLines =>
    outputLines(output, runtime.writeOutput, (lines) => host.observe({ is: "lines_dropped", output, lines }));
  const [stdout, stderr] = [linesTo("stdout"), linesTo("stderr")];
  const print = options.print ?? stdout.add;
  const parts: ProcessParts = {
    runtime,
    options,
    log: await openProcessLog(settings, options.log ?? stderr.add, options.log === undefined && hasColors()),
    webToken: await webToken(settings),
    print,
    surroundings: { relays: () => relays.relays(), nodes: () => relays.nodes() },
    otherReasons: () => relays.notReadyReasons(),
  };
  const relays: RelaySet = await openRelays(settings, parts);
  const { host } = relays;
  const opened: OpenListener[] = [];
  const certificates: ListenerCertificate[] = [];
  const stop = async (): Promise<void> => {
    for (const certificate of certificates) certificate.stop();
    await Promise.all(opened.map((listener) => listener.close()));
    await relays.close();
    await Promise.all([stdout.close(), stderr.close()]);
  };
  const note = options.log ?? stderr.add;
  const tls = hasTls(settings) ? await import("./certificates.ts") : undefined; // Why lazily: its modules delay the start.
  const bind = async (listener: ListenerSpec): Promise<BoundListener> => {
    const context: ListenerContext = {
      frameBytesMax: frameBytesMax(listener, settings),
      fetch: (request, client) => relays.fetch(request, listener.name, client),
    };
    const hooks = {
      lost: (reason: string) => host.listenerLost(listener.name, reason),
      restored: () => host.listenerRestored(listener.name),
    };
    const certificate = tls && new tls.ListenerCertificate(listener.block, settings[listener.block].tls, note);
    const spec = { ...listener, certificate: certificate?.current };
    const listen = (at: ListenerSpec) => runtime.listen({ ...at, certificate: certificate?.current }, context);
    const open = await openListener(spec, listen, hooks);
    opened.push(open);
    if (certificate !== undefined) {
      certificates.push(certificate);
      certificate.follow(() => open.renew());
    }
    return { ...spec, url: urlOf(spec, open.port), occupied: open.occupied, problem: open.problem };
  };
  let bound: readonly BoundListener[];
  try {
    bound = await allOf(listenersOf(settings, host.services).map(bind));
    await relays.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const ready = { bound, services: host.services, webToken: host.webToken };
  const isPrintedToTerminal = options.print === undefined && isTerminal("stdout");
  for (const line of readyLines(settings, { ...ready, isTerminal: isPrintedToTerminal })) print(line);

  let drained: Promise<void> | undefined;
  const drain = async (by?: "signal"): Promise<void> => {
    if (by === "signal") stderr.add(STOPPING);
    for (const listener of opened) listener.stopAccepting();
    await relays.drain();
    await stop();
  };
  return {
    urls: Object.fromEntries(bound.filter(({ problem }) => problem === undefined).map(({ name, url }) => [name, url])),
    drain: (by) => (drained ??= drain(by)),
    configure(changed) {
      relays.configure(changed);
      for (const certificate of certificates) void certificate.poll();
    },
  };
}

/** Why imported lazily: most processes are no nodes of a cluster. */
async function openRelays(settings: Settings, parts: ProcessParts): Promise<RelaySet> {
  if (!settings.cluster.enabled) return await Relays.create(settings, parts);
  const { openClusterNode } = await import("./cluster/open-node.ts");
  return await openClusterNode(settings, parts);
}

const hasTls = (settings: Settings): boolean => LISTENER_BLOCKS.some((block) => settings[block].tls.cert !== "");

/**
 * The relay enforces lower limits and tells the peer why it is closed. This limit prevents the runtime from buffering a much larger frame,
 * for which it closes without an explanation.
 */
function frameBytesMax({ name }: ListenerSpec, { limits, uploads }: Settings): number {
  const acceptsUploads = name === "intermediary" || name === "web";
  return Math.max(EXPLAINED_TIMES * limits.message_bytes, acceptsUploads ? uploads.file_bytes : 0);
}

/** A message of up to this many times the limit is read, so that the relay can explain the close. */
const EXPLAINED_TIMES = 2;

/** Waits for all of them, also after a failure: what opens later has to be closed as well. */
async function allOf<T>(pending: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(pending);
  return await Promise.all(pending);
}

/** Opens a listener at all its addresses, as one. */
async function openListener(
  listener: ListenerSpec,
  open: (at: ListenerSpec) => OpenListener | Promise<OpenListener>,
  hooks: ListenerHooks,
): Promise<RenewableListener & Pick<BoundListener, "occupied" | "problem">> {
  const [address, other] = addressesOf(listener.host);
  const openAt = (host: string, first = listener.port) =>
    openMonitored((port = first) => open({ ...listener, host, port }), hooks);
  try {
    const first = await openAt(address);
    if (other === undefined) return first;
    const second = await openSecond(() => openAt(other, first.port));
    if (typeof second === "string") {
      const isOccupied = second === "in use" && listener.port !== 0;
      return { ...bothOf(first), occupied: isOccupied ? other : undefined };
    }
    return bothOf(first, second);
  } catch (error) {
    const failure = bindError(listener, error);
    // Why only the Brain: many setups use the relay without it, and its port is that of many other programs.
    if (listener.name !== "brain" || !isInUse(error)) throw failure;
    const problem = failure.message;
    const later = openLater(
      listener.port,
      problem,
      (port = listener.port) => open({ ...listener, host: address, port }),
      hooks,
    );
    return { ...bothOf(later), problem };
  }
}

const bothOf = (first: RenewableListener, second?: RenewableListener): RenewableListener => ({
  port: first.port,
  stopAccepting() {
    first.stopAccepting();
    second?.stopAccepting();
  },
  close: async () => void await Promise.all([first.close(), second?.close()]),
  renew: async () => void await Promise.all([first.renew(), second?.renew()]),
});

/** Why errors are not fatal: the machine may have only one family, and the first address is open already. */
async function openSecond(
  open: () => Promise<RenewableListener>,
): Promise<RenewableListener | "in use" | "unavailable"> {
  try {
    return await open();
  } catch (error) {
    return isInUse(error) ? "in use" : "unavailable";
  }
}

function urlOf({ name, host, certificate }: ListenerSpec, port: number): string {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return `${name === "web" ? "http" : "ws"}${certificate === undefined ? "" : "s"}://${bracketed}:${port}`;
}
