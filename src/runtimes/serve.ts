/**
 * The relay as a process: opens log, store and listeners, runs until it is stopped, and closes them.
 *
 * Contains no policy: the web app decides which clients may connect, the services decide which frames are sent. A runtime differs in how it
 * opens a
 * listener.
 */
import process from "node:process";
import type { CredentialDigest } from "../core/access.ts";
import { Panic } from "../core/assert.ts";
import type { ConnectionInfo } from "../core/event.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import type { App, UpgradeTarget } from "../http/app.ts";
import { services } from "../relay/services.ts";
import type { Dialer } from "../websocket-client/dialer.ts";
import { type ConnectionHandler, createSockets, PeerConnections } from "./connections.ts";
import { Host } from "./host.ts";
import { Links } from "./links.ts";
import {
  addressesOf,
  bindError,
  type BoundListener,
  isInUse,
  listenersOf,
  type ListenerSpec,
  readyLines,
} from "./listeners.ts";
import { type ListenerHooks, openLater, type OpenListener, openMonitored } from "./monitored-listener.ts";
import { lazyJobs, openProcessLog, openRecording, openStorage } from "./open-ports.ts";
import { createClock } from "./process-clock.ts";
import { type RelayHandle, type ServeOptions, StartError } from "./serve-options.ts";
import { type OutputLines, outputLines, type OutputName, type WriteOutput } from "./standard-output.ts";
import { VoiceChannels } from "./voice-channels.ts";
import { webToken } from "./web-token.ts";

/** The differences between runtimes that run the relay as a process. */
export interface ServerRuntime {
  /** Opens one listener; throws, or rejects, when the address is not available. */
  listen(listener: ListenerSpec, context: ListenerContext): OpenListener | Promise<OpenListener>;
  /** Runs something at the end of this turn of the event loop. */
  afterTurn(run: () => void): void;
  readonly dial: Dialer;
  readonly writeOutput: WriteOutput;
}

/** The handlers of one listener's requests and connections. */
export interface ListenerContext {
  readonly app: App;
  /** The largest frame that the runtime accepts here. */
  readonly frameBytesMax: number;
  /** The handler of the socket that an upgrade will open; undefined when a bound on connections is reached. */
  admit(target: UpgradeTarget, connection: ConnectionInfo, credential: CredentialDigest): ConnectionHandler | undefined;
}

const STOPPING = "Stopping: pending actions are finished and all connections closed. Another signal stops at once.";

/** Peers that the relay closed have this long to disconnect before their sockets are terminated. */
const DISCONNECT_MS = 1_000;
const DISCONNECT_POLL_MS = 10;

/** True if standard error is a terminal whose user has not switched colors off: https://no-color.org. */
const hasColors = (): boolean => process.stderr.isTTY === true && (process.env.NO_COLOR ?? "") === "";

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
  const host: Host = new Host({
    settings,
    services: options.services ?? services(settings),
    log: await openProcessLog(settings, options.log ?? stderr.add, options.log === undefined && hasColors()),
    webToken: await webToken(settings),
    jobs: options.jobs ?? lazyJobs,
    isResident: true,
    print,
  });
  const tap = await openRecording(settings, host);
  const push = tap?.push ?? host.push;
  const { metrics, observe } = host;
  const connectionsHost = {
    metrics,
    observe,
    push,
    get settings() {
      return host.settings;
    },
  };
  const peers = new PeerConnections(connectionsHost, { afterTurn: (run) => runtime.afterTurn(run) });
  const links = new Links(push, runtime.dial);
  const opened: OpenListener[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(opened.map((listener) => listener.close()));
    links.close();
    tap?.stop();
    await host.close();
    await Promise.all([stdout.close(), stderr.close()]);
  };
  const bound: BoundListener[] = [];
  const voiceChannels = new VoiceChannels({ limits: () => host.settings.limits, now: () => Date.now() });
  try {
    for (const listener of listenersOf(settings, host.services)) {
      const context: ListenerContext = {
        app: host.app,
        frameBytesMax: frameBytesMax(listener, settings),
        admit: (target, connection, credential) =>
          target === "voice" ? voiceChannels.admit(connection, credential) : peers.admit(target, connection, credential),
      };
      const hooks = {
        lost: (reason: string) => host.listenerLost(listener.name, reason),
        restored: () => host.listenerRestored(listener.name),
      };
      const open = await openListener(listener, (at) => runtime.listen(at, context), hooks);
      opened.push(open);
      bound.push({ ...listener, url: urlOf(listener, open.port), occupied: open.occupied, problem: open.problem });
    }
    const storage = await openStorage(settings, options, host.observe);
    const sockets = createSockets(peers, links);
    await host.start({ ...storage, sockets: tap?.sockets(sockets) ?? sockets, clock: createClock }).catch(unusableStore);
  } catch (error) {
    await stop();
    throw error;
  }
  const isTerminal = options.print === undefined && process.stdout.isTTY === true;
  for (const line of readyLines(settings, { bound, services: host.services, webToken: host.webToken, isTerminal })) {
    print(line);
  }

  let drained: Promise<void> | undefined;
  const drain = async (by?: "signal"): Promise<void> => {
    if (by === "signal") stderr.add(STOPPING);
    for (const listener of opened) listener.stopAccepting();
    await host.drain();
    for (let waited = 0; peers.size > 0 && waited < DISCONNECT_MS; waited += DISCONNECT_POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, DISCONNECT_POLL_MS));
    }
    await stop();
  };
  return {
    urls: Object.fromEntries(bound.filter(({ problem }) => problem === undefined).map(({ name, url }) => [name, url])),
    drain: (by) => (drained ??= drain(by)),
    configure(changed) {
      host.configure(changed);
      peers.closeRevoked(host.accessControl);
      voiceChannels.closeRevoked(host.accessControl);
    },
  };
}

/** Reports a store that opened but does not work. Internal errors stay internal errors. */
function unusableStore(error: unknown): never {
  if (error instanceof Panic || error instanceof StartError) throw error;
  throw new StartError(`queue: the stored entries cannot be used: ${errorText(error)}`, { cause: error });
}

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

/** Opens a listener at all its addresses, as one. */
async function openListener(
  listener: ListenerSpec,
  open: (at: ListenerSpec) => OpenListener | Promise<OpenListener>,
  hooks: ListenerHooks,
): Promise<OpenListener & Pick<BoundListener, "occupied" | "problem">> {
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

const bothOf = (first: OpenListener, second?: OpenListener): OpenListener => ({
  port: first.port,
  stopAccepting() {
    first.stopAccepting();
    second?.stopAccepting();
  },
  close: async () => void await Promise.all([first.close(), second?.close()]),
});

/** Why errors are not fatal: the machine may have only one family, and the first address is open already. */
async function openSecond(
  open: () => Promise<OpenListener>,
): Promise<OpenListener | "in use" | "unavailable"> {
  try {
    return await open();
  } catch (error) {
    return isInUse(error) ? "in use" : "unavailable";
  }
}

function urlOf({ name, host }: ListenerSpec, port: number): string {
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return `${name === "web" ? "http" : "ws"}://${bracketed}:${port}`;
}
