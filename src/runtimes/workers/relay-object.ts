/**
 * One relay as a Durable Object: created when needed, from its storage and from the sockets that are still open.
 *
 * Invariants: W1 nothing that a peer sends makes a handler throw; W2 an invalid configuration causes one error response for each
 * request, and no crash loop; W3 only short deadlines and dialled links keep the object awake.
 */
import type { CredentialDigest } from "../../core/access.ts";
import type { ConnectionInfo } from "../../core/event.ts";
import { FAULTS } from "../../core/fault.ts";
import type { Frame } from "../../core/json.ts";
import type { LimitSettings, Settings } from "../../core/settings.ts";
import { charge, type WorkBudget, workBudget } from "../../core/bucket.ts";
import type { Jobs } from "../../engine/mod.ts";
import { problemResponse, type UpgradeTarget, VOICE_FRAME_BYTES_MAX, voiceReply } from "../../http/app.ts";
import { artifactBuiltIn, createJobs } from "../../jobs/mod.ts";
import { openLog } from "../../observability/mod.ts";
import type { SupervisedService } from "../../relay/mod.ts";
import { services } from "../../relay/services.ts";
import { openObjectStore, openObjectUploads } from "../../storage/durable-object.ts";
import { isCloseCode } from "../../websocket-client/close.ts";
import { createSockets, PeerConnections } from "../connections.ts";
import { Host } from "../host.ts";
import { LinkHub } from "../link/hub.ts";
import { Links } from "../links.ts";
import { DEFAULT_RELAY, requestWithin, splitPath } from "../relay-path.ts";
import { settingsOfRelay } from "../relay-settings.ts";
import { malformedName, offeredProtocol, tooManyConnections } from "../upgrade.ts";
import { VOICE_CHANNELS_MAX } from "../voice-channels.ts";
import { dial } from "./dial.ts";
import { loadSettings, type WorkerBindings } from "./environment.ts";
import { acceptAwake } from "./awake-socket.ts";
import { Hibernation } from "./hibernation.ts";
import { ObjectClock } from "./object-clock.ts";

const VOICE = "voice";

/** The parts of a relay that runs. */
interface Running {
  readonly host: Host;
  readonly peers: PeerConnections;
  readonly links: Links;
  readonly hub: LinkHub;
  readonly hibernation: Hibernation;
  readonly clock: ObjectClock;
}

export class RelayObject implements DurableObject {
  readonly #state: DurableObjectState;
  readonly #name: string;
  readonly #checksHost: boolean;
  /** Undefined until the relay has started, and permanently if the configuration is invalid. */
  #running: Running | undefined;
  /** Why not stored: an object that hibernates is not flooded. */
  readonly #voiceBudgets = new WeakMap<WebSocket, WorkBudget>();

  constructor(state: DurableObjectState, environment: WorkerBindings) {
    this.#state = state;
    this.#name = state.id.name ?? DEFAULT_RELAY;
    this.#checksHost = environment.RELAY_CHECKS_HOST === "true";
    const loaded = loadSettings(environment);
    if (loaded.ok) {
      for (const warning of loaded.warnings) console.warn(`note: ${warning}`);
      void state.blockConcurrencyWhile(() => this.#start(settingsOfRelay(loaded.settings, this.#name), environment));
    } else for (const error of loaded.errors) console.error(error);
  }

  async fetch(request: Request): Promise<Response> {
    if (this.#running === undefined) {
      return problemResponse({
        status: 503,
        title: "Misconfigured",
        fault: "misconfigured",
        detail: "the log of this deployment lists the invalid settings",
      });
    }
    const { host } = this.#running;
    const addressed = splitPath(new URL(request.url).pathname);
    if (addressed === undefined) return malformedName();
    const routed = requestWithin(request, addressed);
    const response = await host.app.fetch(routed, {
      listener: "web",
      address: request.headers.get("cf-connecting-ip") ?? "",
      isHostVerified: !this.#checksHost,
      basePath: addressed.base,
      compresses: true,
      upgrade: (...admitted) => this.#upgrade(request, ...admitted),
    });
    await drainBody(routed);
    return response;
  }

  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const frame = typeof message === "string" ? message : new Uint8Array(message);
    const handler = this.#running?.hibernation.handlerOf(socket);
    if (handler !== undefined) return handler.message(frame);
    if (this.#running !== undefined && this.#state.getTags(socket).includes(VOICE)) {
      this.#receiveVoice(socket, frame, this.#running.host.settings.limits);
    }
  }

  #receiveVoice(socket: WebSocket, frame: Frame, limits: LimitSettings): void {
    const now = Date.now();
    const budget = this.#voiceBudgets.get(socket) ?? workBudget(limits, now);
    this.#voiceBudgets.set(socket, budget);
    if (!charge(budget, frame.length, { limits, now })) {
      return socket.close(FAULTS.rateLimit.close, FAULTS.rateLimit.message);
    }
    const answer = frame.length > VOICE_FRAME_BYTES_MAX ? undefined : voiceReply(frame);
    if (answer !== undefined) socket.send(answer);
  }

  webSocketClose(socket: WebSocket, code: number, reason = ""): void {
    const handler = this.#running?.hibernation.handlerOf(socket);
    this.#running?.hibernation.forget(socket);
    reciprocateClose(socket, code);
    handler?.close(code, reason);
  }

  webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket, 1006);
  }

  alarm(): void {
    if (this.#running === undefined) return;
    const { clock, host, links, hub } = this.#running;
    clock.alarmFired();
    host.tick();
    if (links.size > hub.waiting) clock.ensureReturn();
  }

  /** The services of this relay. Tests override it. */
  protected services(settings: Settings): SupervisedService[] {
    return services(settings);
  }

  async #start(settings: Settings, environment: WorkerBindings): Promise<void> {
    const host = new Host({
      settings,
      services: this.services(settings),
      log: await openLog(settings.log, (line) => console.log(line)),
      webToken: settings.web.token,
      jobs: jobsOf(environment),
      print: (line) => console.log(line),
      surroundings: {
        // Why only this one: an object does not know which others exist.
        relays: () => Promise.resolve([{ name: this.#name, state: "running", node: null, starts_at: null }]),
        nodes: () => Promise.resolve([]),
      },
    });
    const { storage } = this.#state;
    // Why the time: peers of an earlier life of this object may still be connected, under ids of that life.
    const peers = new PeerConnections(host, `${Date.now().toString(36)}-`);
    const hub = new LinkHub({ now: () => Date.now(), afterTurn: (run) => run(), observe: host.observe });
    const links = new Links(host.push, hub.dialer(dial));
    host.onTokensChanged((accessControl) => {
      peers.closeRevoked(accessControl);
      hub.closeRevoked(accessControl);
    });
    const hibernation = new Hibernation(this.#state);
    const clock = await ObjectClock.open(storage, () => host.tick());
    const resumed = hibernation.resumed();
    for (const peer of resumed) {
      const { peer: id, listener, connection } = peer;
      hibernation.resume(peer, (socket) => peers.resume({ id, listener, connection }, socket));
    }
    this.#running = { host, peers, links, hub, hibernation, clock };
    await host.start({
      sockets: {
        ...createSockets(peers, links),
        attach: (peer, attachment) => hibernation.attach(peer, attachment),
        dial(link, url, headers) {
          links.dial(link, url, headers);
          if (links.size > hub.waiting) clock.ensureReturn();
        },
      },
      store: await openObjectStore(storage, {
        onQuarantine: (key, why) => host.observe({ is: "entry_quarantined", key, why }),
      }),
      uploads: openObjectUploads(storage),
      clock: () => clock,
      afterTurn: (run) => run(),
      links: () => hub.views(),
      resumed,
    });
  }

  #upgrade(
    request: Request,
    target: UpgradeTarget,
    connection: ConnectionInfo,
    presented: CredentialDigest,
  ): Response | undefined {
    if (this.#running === undefined) return undefined;
    const { peers, hub, hibernation } = this.#running;
    const { 0: theirs, 1: ours } = new WebSocketPair();
    if (target === "voice") {
      if (this.#state.getWebSockets(VOICE).length >= VOICE_CHANNELS_MAX) return tooManyConnections();
      this.#state.acceptWebSocket(ours, [VOICE]);
    } else if (typeof target !== "string") {
      acceptAwake(ours, hub.admit(target.link, connection, presented));
    } else {
      const handler = peers.admit(target, connection);
      hibernation.accept(ours, handler, { id: handler.id, listener: target, connection });
    }
    const protocol = offeredProtocol(request);
    const headers: HeadersInit = protocol === undefined ? {} : { "sec-websocket-protocol": protocol };
    return new Response(null, { status: 101, webSocket: theirs, headers });
  }
}

/** The connection of a larger unread body may end with the response. */
const DRAINED_BYTES_MAX = 8 * 1_024 ** 2;

/** Reads the rest of a body. Why: the platform ends a connection with unread bytes, and the client would lose its next request. */
async function drainBody({ body, bodyUsed, headers }: Request): Promise<void> {
  if (body === null || bodyUsed || Number(headers.get("content-length") ?? Infinity) > DRAINED_BYTES_MAX) return;
  try {
    for await (const _ of body) continue;
  } catch {
    return; // Why: the client has disconnected.
  }
}

/** Why: the platform does not answer the close frame of a socket that can hibernate. */
function reciprocateClose(socket: WebSocket, code: number): void {
  try {
    socket.close(code === 1005 || code === 1006 ? 1000 : isCloseCode(code) ? code : 1002);
  } catch {
    return; // Why: the relay closed it.
  }
}

/** Why `manual`: on Workers `fetch` cannot refuse a redirect, only return it without following; the job then rejects the response. */
const jobsOf = ({ OPENAI_API_KEY: apiKey }: WorkerBindings): Jobs =>
  createJobs({ apiKey, fetch: (url, init) => fetch(url, { ...init, redirect: "manual" }) }, { artifact: artifactBuiltIn });
