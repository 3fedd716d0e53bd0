/**
 * The relay as a process: it opens log, store and listeners, runs until it is told to stop, and closes them.
 *
 * No policy is made here: who may come in is the web app's matter, what is said is the rooms'. What differs between runtimes is
 * how a listener is opened.
 */
import process from "node:process";
import { Panic } from "../core/assert.ts";
import type { ConnectionInfo } from "../core/event.ts";
import { isLink } from "../core/ids.ts";
import type { Settings } from "../core/settings.ts";
import type { Sockets } from "../engine/mod.ts";
import type { App, Entrance, Ticket } from "../http/app.ts";
import { Lines, type Log, openLog } from "../observability/mod.ts";
import { services } from "../relay/services.ts";
import { createClock } from "./clock.ts";
import type { Dial } from "../websocket-client/dial.ts";
import type { Guest } from "../websocket-client/guest.ts";
import { Host } from "./host.ts";
import { Links } from "./links.ts";
import { Peers } from "./peers.ts";
import { type Bound, readyLines } from "./ready.ts";
import type { Overhearing } from "./record.ts";
import { lazyJobs, openStorage } from "./resources.ts";
import { bindError, type Listener, listeners, type Served, type ServeOptions, StartError } from "./served.ts";
import { Voices } from "./voices.ts";
import { webToken } from "./web-token.ts";

/** What a runtime does for it. */
export interface ProcessRuntime {
  /** Opens one listener; throws, or rejects, when the place is not to be had. */
  listen(listener: Listener, reception: Reception): Opened | Promise<Opened>;
  /** Runs something at the end of this turn of the event loop. */
  later(run: () => void): void;
  readonly dial: Dial;
}

/** Where a listener sends those who come. */
export interface Reception {
  readonly app: App;
  /** The largest frame that anybody here may send. */
  readonly frameBytesMax: number;
  /** The owner of the socket that an upgrade will open; undefined when there is no place for one more. */
  admit(entrance: Entrance, connection: ConnectionInfo, ticket: Ticket): Guest | undefined;
}

/** A listener that listens. */
export interface Opened {
  readonly port: number;
  /** Lets nobody in any more; who is in stays. */
  refuse(): void;
  close(): Promise<void>;
}

/** How long closed peers have to go before their connections are cut. */
const GOING_MS = 1_000;
const GOING_POLL_MS = 10;

/** Starts a relay. Throws a `StartError` when it cannot; nothing is left open then. */
export async function serveProcess(
  runtime: ProcessRuntime,
  settings: Settings,
  options: ServeOptions,
): Promise<Served> {
  const print = options.print ?? ((line: string) => console.log(line));
  const host = new Host({
    settings,
    services: options.services ?? services(settings),
    log: await openProcessLog(settings, options),
    webToken: await webToken(settings),
    jobs: options.jobs ?? lazyJobs,
    isResident: true,
    print,
  });
  const overhearing = await recording(settings, host);
  const push = overhearing?.push ?? host.push;
  const { meters, observe } = host;
  const peers = new Peers({ meters, observe, push }, { later: (run) => runtime.later(run) });
  const links = new Links(push, runtime.dial);
  const opened: Opened[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(opened.map((listener) => listener.close()));
    links.close();
    overhearing?.stop();
    await host.close();
  };
  const bound: Bound[] = [];
  try {
    const voices = new Voices();
    for (const listener of listeners(settings, host.services)) {
      const reception = receptionOf(listener, { host, peers, voices, settings });
      const listening = await open(listener, reception, runtime);
      opened.push(listening);
      bound.push({ ...listener, url: urlOf(listener, listening.port) });
    }
    const storage = await openStorage(settings, options, host.observe);
    const sockets = socketsOf(peers, links);
    await host.start({ ...storage, sockets: overhearing?.sockets(sockets) ?? sockets, clock: createClock }).catch(unusable);
  } catch (error) {
    await stop();
    throw error;
  }
  for (const line of readyLines(settings, { bound, host })) print(line);

  let drained: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    for (const listener of opened) listener.refuse();
    await host.drain();
    for (let passed = 0; peers.size > 0 && passed < GOING_MS; passed += GOING_POLL_MS) await pause(GOING_POLL_MS);
    await stop();
  };
  return {
    urls: Object.fromEntries(bound.map(({ name, url }) => [name, url])),
    drain: () => (drained ??= drain()),
    configure(changed) {
      host.configure(changed);
      peers.recheck(host.tokens);
    },
  };
}

/** What a store says at the start that opened and then does not work. A mistake of ours stays one. */
function unusable(error: unknown): never {
  if (error instanceof Panic || error instanceof StartError) throw error;
  const why = error instanceof Error ? error.message : String(error);
  throw new StartError(`queue: what is kept there cannot be used: ${why}`, { cause: error });
}

/** Why loaded late: most relays log to the standard error. */
async function openProcessLog({ log }: Settings, options: ServeOptions): Promise<Log> {
  const print = options.log ?? standardError();
  if (log.file === "") return await openLog(log, print);
  const { rotatingFile } = await import("../observability/log-file.ts");
  return await openLog(log, print, rotatingFile).catch((error: unknown) => {
    throw new StartError(`log.file: ${log.file} cannot be written: ${error instanceof Error ? error.message : error}`);
  });
}

/** Why loaded late: nothing of it exists unless somebody asked for a recording. */
async function recording(settings: Settings, host: Host): Promise<Overhearing | undefined> {
  if (settings.record.file === "") return undefined;
  const { record } = await import("./record.ts");
  try {
    return record(settings, host);
  } catch (error) {
    await host.close();
    throw error;
  }
}

interface Behind {
  readonly host: Host;
  readonly peers: Peers;
  readonly voices: Voices;
  readonly settings: Settings;
}

const receptionOf = ({ name }: Listener, { host, peers, voices, settings }: Behind): Reception => ({
  app: host.app,
  frameBytesMax: frameBytesMax(name, settings),
  admit: (entrance, connection, ticket) =>
    entrance === "voice" ? voices.admit() : peers.admit(entrance, connection, ticket),
});

/** The relay says the same by itself, with a reason; this is what a runtime need not even keep in memory. */
function frameBytesMax(name: Listener["name"], { limits, uploads }: Settings): number {
  const takesUploads = name === "intermediary" || name === "web";
  return takesUploads ? Math.max(limits.message_bytes, uploads.file_bytes) : limits.message_bytes;
}

async function open(listener: Listener, reception: Reception, runtime: ProcessRuntime): Promise<Opened> {
  try {
    return await runtime.listen(listener, reception);
  } catch (error) {
    throw bindError(listener, error);
  }
}

const socketsOf = (peers: Peers, links: Links): Sockets => ({
  send: (to, frame) => (isLink(to) ? links.send(to, frame) : peers.send(to, frame)),
  flush: () => peers.flush(),
  close: (peer, code, reason) => peers.close(peer, code, reason),
  ping: (peer) => peers.ping(peer),
  attach: () => {}, // Why: nothing sleeps here; the engine itself remembers it over a panic.
  dial: (link, url, headers) => links.dial(link, url, headers),
  closeLink: (link, code) => links.hangup(link, code),
});

function urlOf({ name, host }: Listener, port: number): string {
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${name === "web" ? "http" : "ws"}://${shown}:${port}`;
}

/** Why gathered: when a thousand games come at once, a write for each line would take longer than the games do. */
function standardError(): (line: string) => void {
  const lines = new Lines((text) => console.error(text), (run) => setImmediate(run));
  process.once("exit", () => lines.flush());
  return (line) => lines.add(line);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
