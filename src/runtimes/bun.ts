/**
 * The relay on Bun: one `Bun.serve` per listener, and the ports of the engine.
 *
 * No policy is made here: who may come in is the web app's matter, what is said is the rooms'.
 */
import type { Server } from "bun";
import type { Caller } from "../core/event.ts";
import { isLink } from "../core/ids.ts";
import type { Settings } from "../core/settings.ts";
import type { Sockets } from "../engine/mod.ts";
import type { Entrance } from "../http/app.ts";
import { type Guest, guestHandlers } from "./bun-guests.ts";
import { BunPeers } from "./bun-peers.ts";
import { BunVoices } from "./bun-voice.ts";
import { createHost, type Host } from "./host.ts";
import { Links } from "./links.ts";
import { type Bound, readyLines } from "./ready.ts";
import { bindError, type Listener, listeners, type Served, type ServeOptions } from "./served.ts";

export { type Served, type ServeOptions, StartError } from "./served.ts";
export { untilStopped } from "./signals.ts";

/** How long closed peers have to go before their connections are cut. */
const GOING_MS = 1_000;

/** Starts a relay. Throws a `StartError` when it cannot; nothing is left open then. */
export async function serve(settings: Settings, options: ServeOptions = {}): Promise<Served> {
  const host = await createHost(settings, options);
  const peers = new BunPeers(host);
  const links = new Links(host.push);
  const entry: Entry = { host, peers, voices: new BunVoices() };
  const servers: Server<Guest>[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop(true)));
    links.close();
    await host.close();
  };
  const bound: Bound[] = [];
  try {
    for (const listener of listeners(settings, host.rooms)) {
      const server = listen(listener, entry, settings);
      servers.push(server);
      bound.push({ ...listener, url: urlOf(listener, server.port ?? 0) });
    }
    await host.start(socketsOf(peers, links));
  } catch (error) {
    await stop();
    throw error;
  }
  const print = options.print ?? ((line: string) => console.log(line));
  for (const line of readyLines(settings, { bound, host })) print(line);

  let drained: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    for (const server of servers) void server.stop(false);
    await host.drain();
    for (let passed = 0; peers.size > 0 && passed < GOING_MS; passed += 10) await Bun.sleep(10);
    await stop();
  };
  return {
    urls: Object.fromEntries(bound.map(({ name, url }) => [name, url])),
    drain: () => (drained ??= drain()),
    configure: (changed) => host.configure(changed),
  };
}

interface Entry {
  readonly host: Host;
  readonly peers: BunPeers;
  readonly voices: BunVoices;
}

function listen(listener: Listener, entry: Entry, settings: Settings): Server<Guest> {
  const { host } = entry;
  try {
    return Bun.serve<Guest>({
      hostname: listener.host,
      port: listener.port,
      idleTimeout: 30,
      websocket: guestHandlers(frameBytesMax(listener, settings)),
      fetch: (request, server) =>
        host.app.fetch(request, {
          listener: listener.name,
          address: server.requestIP(request)?.address ?? "",
          upgrade: (entrance, caller) => upgrade(request, server, ownerOf(entrance, caller, entry)),
        }),
      error: () => new Response(null, { status: 500 }),
    });
  } catch (error) {
    throw bindError(listener, error);
  }
}

const ownerOf = (entrance: Entrance, caller: Caller, { peers, voices }: Entry): Guest | undefined =>
  entrance === "voice" ? voices.admit() : peers.admit(entrance, caller);

/** Why an empty response: the connection is a socket by then, and Bun sends nothing more over HTTP. */
function upgrade(request: Request, server: Server<Guest>, owner: Guest | undefined): Response | undefined {
  if (owner === undefined) return new Response(null, { status: 503, headers: { "retry-after": "60" } });
  return server.upgrade(request, { data: owner }) ? new Response(null) : undefined;
}

/** The relay says the same by itself, with a reason; this is what Bun need not even keep in memory. */
function frameBytesMax({ name }: Listener, { limits, uploads }: Settings): number {
  const takesUploads = name === "intermediary" || name === "web";
  return takesUploads ? Math.max(limits.message_bytes, uploads.file_bytes) : limits.message_bytes;
}

const socketsOf = (peers: BunPeers, links: Links): Sockets => ({
  send: (to, frame) => (isLink(to) ? links.send(to, frame) : peers.send(to, frame)),
  flush: () => peers.flush(),
  close: (peer, code, reason) => peers.close(peer, code, reason),
  ping: (peer) => peers.ping(peer),
  attach: () => {}, // Why: nothing sleeps here; the engine itself remembers it over a panic.
  dial: (link, url, headers) => links.dial(link, url, headers),
  hangup: (link) => links.hangup(link),
});

function urlOf({ name, host }: Listener, port: number): string {
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${name === "web" ? "http" : "ws"}://${shown}:${port}`;
}
