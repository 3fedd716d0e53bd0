/**
 * One relay as a Durable Object: made anew whenever it is needed, from what it stored and from the sockets that are still open.
 *
 * Invariants: W1 nothing that a peer sends makes a handler throw; W2 a wrong configuration is one answer, not a crash without
 * end; W3 the object holds nothing that keeps it awake beside short deadlines and dialled connections.
 */
import type { ConnectionInfo } from "../../core/event.ts";
import { isLink } from "../../core/ids.ts";
import type { Settings } from "../../core/settings.ts";
import type { Jobs, Sockets } from "../../engine/mod.ts";
import { answerVoice, type Entrance, refuse, VOICE_FRAME_BYTES_MAX } from "../../http/app.ts";
import { artifactBuiltIn, createJobs } from "../../jobs/mod.ts";
import { openLog } from "../../observability/mod.ts";
import type { SupervisedService } from "../../relay/mod.ts";
import { services } from "../../relay/services.ts";
import { openObjectStore, openObjectUploads } from "../../storage/durable-object.ts";
import { closeCode } from "../../websocket-client/close.ts";
import { Host } from "../host.ts";
import { Links } from "../links.ts";
import { Peers } from "../peers.ts";
import { ObjectClock } from "./clock.ts";
import { dial } from "./dial.ts";
import { configured, type Environment } from "./environment.ts";
import { splitPath } from "./path.ts";
import { Seats } from "./seats.ts";

const VOICE = "voice";
const VOICES_MAX = 256;

/** A relay that runs in an object. */
interface Running {
  readonly host: Host;
  readonly peers: Peers;
  readonly links: Links;
  readonly seats: Seats;
  readonly clock: ObjectClock;
}

export class RelayObject implements DurableObject {
  readonly #state: DurableObjectState;
  /** Undefined while, and when, there is no configuration to run with. */
  #running: Running | undefined;

  constructor(state: DurableObjectState, environment: Environment) {
    this.#state = state;
    const { ok, ...read } = configured(environment);
    if (ok && "settings" in read) void state.blockConcurrencyWhile(() => this.#start(read.settings, environment));
    else if ("errors" in read) { for (const error of read.errors) console.error(error); }
  }

  async fetch(request: Request): Promise<Response> {
    if (this.#running === undefined) {
      return refuse({ status: 503, title: "Misconfigured", detail: "the log of this deployment says what is wrong" });
    }
    const { host } = this.#running;
    const url = new URL(request.url);
    const { base, path } = splitPath(url.pathname);
    url.pathname = path;
    const routed = base === "" ? request : new Request(url, request);
    const response = await host.app.fetch(routed, {
      listener: "web",
      address: request.headers.get("cf-connecting-ip") ?? "",
      isRouted: true,
      base,
      upgrade: (entrance, connection) => this.#upgrade(request, entrance, connection),
    });
    await forget(routed);
    return response;
  }

  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const frame = typeof message === "string" ? message : new Uint8Array(message);
    const guest = this.#running?.seats.guestOf(socket);
    if (guest !== undefined) return guest.heard(frame);
    const answer = frame.length > VOICE_FRAME_BYTES_MAX ? undefined : answerVoice(frame);
    if (answer !== undefined && this.#state.getTags(socket).includes(VOICE)) socket.send(answer);
  }

  webSocketClose(socket: WebSocket, code: number): void {
    const guest = this.#running?.seats.guestOf(socket);
    this.#running?.seats.forget(socket);
    reciprocate(socket, code);
    guest?.closed(code);
  }

  webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  alarm(): void {
    if (this.#running === undefined) return;
    const { clock, host, links } = this.#running;
    clock.rang();
    host.tick();
    if (links.size > 0) clock.secure();
  }

  /** The rooms of this relay; tests have others. */
  protected services(settings: Settings): SupervisedService[] {
    return services(settings);
  }

  async #start(settings: Settings, environment: Environment): Promise<void> {
    const host = new Host({
      settings,
      services: this.services(settings),
      log: await openLog(settings.log, (line) => console.log(line)),
      webToken: settings.web.token,
      jobs: jobsOf(environment),
      print: (line) => console.log(line),
    });
    const { storage } = this.#state;
    // Why the time: peers of an earlier life of this object may still be there, under the ids that it gave them.
    const peers = new Peers(host, { later: (run) => run(), prefix: `${Date.now().toString(36)}-` });
    const links = new Links(host.push, dial);
    const seats = new Seats(this.#state);
    const clock = await ObjectClock.open(storage, () => host.tick());
    const resumed = seats.resumed();
    for (const resumedPeer of resumed) {
      const { peer: id, listener, connection } = resumedPeer;
      seats.resume(resumedPeer, (socket) => peers.resume({ id, listener, connection }, socket));
    }
    this.#running = { host, peers, links, seats, clock };
    await host.start({
      sockets: socketsOf(this.#running),
      store: await openObjectStore(storage, {
        onQuarantine: (key, why) => host.observe({ is: "entry_quarantined", key, why }),
      }),
      uploads: openObjectUploads(storage),
      clock: () => clock,
      resumed,
    });
  }

  #upgrade(request: Request, entrance: Entrance, connection: ConnectionInfo): Response | undefined {
    if (this.#running === undefined) return undefined;
    const { peers, seats } = this.#running;
    const { 0: theirs, 1: ours } = new WebSocketPair();
    if (entrance === "voice") {
      if (this.#state.getWebSockets(VOICE).length >= VOICES_MAX) {
        return new Response(null, { status: 503, headers: { "retry-after": "60" } });
      }
      this.#state.acceptWebSocket(ours, [VOICE]);
    } else {
      const guest = peers.admit(entrance, connection);
      seats.accept(ours, guest, { id: guest.id, listener: entrance, connection });
    }
    const [protocol] = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((offer) => offer.trim());
    const headers: HeadersInit = protocol ? { "sec-websocket-protocol": protocol } : {};
    return new Response(null, { status: 101, webSocket: theirs, headers });
  }
}

/** Beyond this the connection may end with the answer. */
const FORGOTTEN_BYTES_MAX = 8 * 1_024 ** 2;

/** Why: a connection with something unread in it is ended, and whoever sends over it again loses its next request. */
async function forget({ body, bodyUsed, headers }: Request): Promise<void> {
  if (body === null || bodyUsed || Number(headers.get("content-length") ?? Infinity) > FORGOTTEN_BYTES_MAX) return;
  try {
    for await (const _ of body) continue;
  } catch {
    return; // Why: whoever sent it has gone.
  }
}

/** Why: for sockets that outlive sleep the platform does not answer a close by itself. */
function reciprocate(socket: WebSocket, code: number): void {
  try {
    socket.close(code === 1005 || code === 1006 ? 1000 : closeCode(code));
  } catch {
    return; // Why: it was closed from here.
  }
}

const socketsOf = ({ peers, links, seats, clock }: Running): Sockets => ({
  send: (to, frame) => (isLink(to) ? links.send(to, frame) : peers.send(to, frame)),
  flush: () => peers.flush(),
  close: (peer, code, reason) => peers.close(peer, code, reason),
  ping: (peer) => peers.ping(peer),
  attach: (peer, attachment) => seats.attach(peer, attachment),
  dial(link, url, headers) {
    clock.secure();
    links.dial(link, url, headers);
  },
  closeLink: (link, code) => links.hangup(link, code),
});

/** Why by hand: `fetch` here cannot be told to refuse a redirect, only not to follow it; then its answer is no answer. */
const jobsOf = ({ OPENAI_API_KEY: apiKey }: Environment): Jobs =>
  createJobs({ apiKey, fetch: (url, init) => fetch(url, { ...init, redirect: "manual" }) }, { artifact: artifactBuiltIn });
