/**
 * A relay at the node that owns it: the same host as in a process, with peers at gateways, entries in Redis, and everything that leaves it
 * behind the output fence.
 */
import { processStats } from "../process-stats.ts";
import type { ResumedPeer } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import type { Settings } from "../../core/settings.ts";
import type { OwnershipRecord } from "../../cluster/directory.ts";
import { OutputFence } from "../../cluster/output-fence.ts";
import type { ToGateway } from "../../cluster/wire.ts";
import type { Jobs, Store } from "../../engine/mod.ts";
import type { Surroundings } from "../../http/app.ts";
import type { Log } from "../../observability/mod.ts";
import type { SupervisedService } from "../../relay/mod.ts";
import type { UploadStore } from "../../storage/upload-store.ts";
import { createRawDialer, type RawDialerPorts } from "../../websocket-client/raw-socket.ts";
import { createSockets, PeerConnections, type PeerIdentity } from "../connections.ts";
import { Host } from "../host.ts";
import { LinkHub } from "../link/hub.ts";
import { Links } from "../links.ts";
import { createClock, unixTime } from "../process-clock.ts";
import { FencedConnections } from "./fenced-connect.ts";
import { type RelayMessage, RemotePeers } from "./remote-peers.ts";

export interface OwnedRelayOptions {
  readonly name: string;
  readonly record: OwnershipRecord;
  /** Its last owner handed it over. */
  readonly isClean: boolean;
  readonly settings: Settings;
  readonly services: readonly SupervisedService[];
  readonly log: Log;
  readonly webToken: string;
  readonly jobs: Jobs;
  readonly surroundings: Surroundings;
  print(line: string): void;
}

/** The node, as its relays see it. */
export interface OwnedRelayPorts extends RawDialerPorts {
  /** True while the lease of the node holds; reads the clock. */
  mayAct(): boolean;
  /** The sessions of all gateways, also of those that have not connected so far. */
  gateways(): readonly string[];
  /** As `afterTurn`, for what sends to gateways: it leaves immediately after that. */
  atTurnEnd(run: () => void): void;
  send(session: string, message: ToGateway): void;
  openStore(relay: OwnedRelay): Promise<Store>;
  openUploads(relay: OwnedRelay): UploadStore;
}

/** Gateways have this long to name their peers. Those of a later one count as new. */
const ANSWER_MS = 500;
/** How often a relay that is handed over is asked whether it is quiet. */
const QUIET_POLL_MS = 20;

/** `asking`: the gateways name their peers; `starting`: the relay is restored with those that were named. */
type State = "asking" | "starting" | "running" | "quiescing" | "over";

/** What arrived before the engine had started. */
interface EarlyEvent {
  /** The gateway that it came from. */
  readonly gateway: string | undefined;
  act(): void;
}

export class OwnedRelay {
  readonly name: string;
  readonly record: OwnershipRecord;
  readonly host: Host;
  readonly #options: OwnedRelayOptions;
  readonly #ports: OwnedRelayPorts;
  readonly #fence: OutputFence;
  readonly #connections: FencedConnections;
  readonly #peers: PeerConnections;
  readonly #remote: RemotePeers;
  readonly #hub: LinkHub;
  readonly #links: Links;
  #state: State = "asking";
  /** When this node claimed it. */
  readonly since: Millis = performance.now();
  #usedAt: Millis = this.since;
  /** The peers that each gateway has named. */
  readonly #named = new Map<string, readonly ResumedPeer[]>();
  #allNamed: () => void = () => {};
  #early: EarlyEvent[] = [];

  constructor(options: OwnedRelayOptions, ports: OwnedRelayPorts) {
    const { name, record, settings, services, log, webToken, jobs, print, surroundings } = options;
    this.name = name;
    this.record = record;
    this.#options = options;
    this.#ports = ports;
    this.host = new Host({ settings, services, log, webToken, jobs, isResident: true, processStats, print, surroundings });
    this.#fence = new OutputFence(() => ports.mayAct());
    this.#connections = new FencedConnections(ports.connect, this.#fence);
    const { host } = this;
    const push = host.push;
    const connectionsHost = {
      metrics: host.metrics,
      observe: host.observe,
      push,
      get settings() {
        return host.settings;
      },
      // Why here as well: only the owner of a relay knows which tokens are revoked.
      admits: ({ listener, connection: { credential, address } }: PeerIdentity) =>
        credential === undefined || host.accessControl.admits(listener, credential, address),
    };
    const afterTurn = (run: () => void): void => ports.afterTurn(run);
    this.#peers = new PeerConnections(connectionsHost);
    this.#remote = new RemotePeers({
      relay: name,
      epoch: record.epoch,
      fence: this.#fence,
      connections: this.#peers,
      send: (session, message) => ports.send(session, message),
      link: (link, connection) => this.#hub.admit(link, connection, undefined),
      later: (ms, run) => void setTimeout(run, ms),
      hasWaitingReply: (peer) => host.hasWaitingReply(peer),
    });
    this.#hub = new LinkHub({ now: unixTime, afterTurn, observe: host.observe });
    host.onTokensChanged((accessControl) => this.#peers.closeRevoked(accessControl));
    const dial = createRawDialer({ connect: this.#connections.connect, afterTurn });
    // Why behind the fence: while the lease is in doubt no time passes for the relay, so that it decides nothing that it cannot say.
    this.#links = new Links((event) => this.#enter(() => push(event)), this.#hub.dialer(dial));
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Asks the gateways for their peers, restores the relay, and starts it. */
  async start(): Promise<void> {
    const { name, record, host } = this;
    const gateways = this.#ports.gateways();
    const answered = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS);
      this.#allNamed = () => {
        if (!gateways.every((session) => this.#named.has(session))) return;
        clearTimeout(timer);
        resolve();
      };
    });
    for (const session of gateways) this.ask(session);
    const store = await this.#ports.openStore(this);
    await answered;
    if (this.#isOver()) return await store.close();
    this.#state = "starting";
    // Why by peer: a node that was declared dead lists its clients again under its next session, which is the later one.
    const named = new Map(
      [...this.#named].flatMap(([gateway, peers]) => peers.map((peer) => [peer.peer, { gateway, peer }] as const)),
    );
    for (const { gateway, peer } of named.values()) this.#remote.resume(gateway, peer);
    const sockets = createSockets(this.#peers, this.#links);
    await host.start({
      sockets: {
        ...sockets,
        flush: () => {
          sockets.flush();
          this.#remote.endTurn();
        },
        attach: (peer, attachment) => this.#remote.attach(peer, attachment),
      },
      store,
      uploads: this.#ports.openUploads(this),
      afterTurn: (run) => this.#ports.atTurnEnd(run),
      links: () => this.#hub.views(),
      clock: (tick) => createClock(() => this.#enter(tick)),
      resumed: [...named.values()].map(({ peer }) => peer),
      hasSlept: this.#options.isClean && gateways.every((session) => this.#named.has(session)),
    });
    if (this.#isOver()) return;
    this.#state = "running";
    for (const { act } of this.#early) this.#fence.pass(act);
    this.#early = [];
    host.observe({ is: "relay_owned", name, epoch: record.epoch, how: this.#options.isClean ? "handed over" : "claimed" });
  }

  /** Tells a gateway who the owner is, and asks it for its peers. */
  ask(session: string): void {
    this.#fence.pass(() => this.#ports.send(session, { is: "owner", relay: this.name, epoch: this.record.epoch }));
  }

  /** A gateway has connected. Why only then: while the relay runs, a gateway that has peers of it joins by itself. */
  gatewayReached(session: string): void {
    if (this.#state === "asking") this.ask(session);
  }

  receive(gateway: string, message: RelayMessage): void {
    if (message.is === "peers" && message.epoch !== this.record.epoch) return;
    if (message.is === "peers" && this.#state === "asking" && !this.#named.has(gateway)) {
      this.#named.set(gateway, message.peers);
      return this.#allNamed();
    }
    // Why: these only count as work, and a client could send any number of them meanwhile.
    if (message.is === "controlFrame" && this.#fence.isHolding) return;
    this.#enter(() => this.#remote.receive(gateway, message), gateway);
  }

  /** The connection to a gateway broke. */
  lost(gateway: string): void {
    if (this.#state !== "asking") return this.#enter(() => this.#remote.lost(gateway), gateway);
    // Why: the gateway lists its peers again and repeats the frames that no owner has confirmed.
    this.#named.delete(gateway);
    this.#early = this.#early.filter((event) => event.gateway !== gateway);
  }

  /** The lease of the node was confirmed again. */
  release(): void {
    this.#fence.release();
    this.#connections.release();
  }

  /** True if nobody uses it, and nothing is due for this long. */
  isIdle(forMs: Millis): boolean {
    const isLinked = this.#links.size > this.#hub.waiting || this.#hub.views().length > 0;
    const isUsed = this.#peers.size > 0 || isLinked || !this.host.isIdle(forMs);
    if (this.#state !== "running" || isUsed) this.#usedAt = performance.now();
    return performance.now() - this.#usedAt >= forMs;
  }

  configure(settings: Settings): void {
    this.host.configure(settings);
  }

  /** Waits for a moment without pending actions and forces, at most for `graceMs`, then stops between two events with everything stored. */
  async quiesce(graceMs: number): Promise<void> {
    for (let waited = 0; waited < graceMs && !await this.host.isQuiet(); waited += QUIET_POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, QUIET_POLL_MS));
    }
    if (this.#state !== "running") return;
    this.#state = "quiescing";
    await this.host.quiesce();
    await new Promise<void>((resolve) => this.#ports.afterTurn(resolve));
    this.#remote.confirm();
    for (const session of this.#ports.gateways()) {
      this.#fence.pass(() => this.#ports.send(session, { is: "released", relay: this.name, epoch: this.record.epoch }));
    }
    this.#links.close();
  }

  /** Ends without a word: the relay belongs to another node, or to none. */
  async stop(): Promise<void> {
    if (this.#state !== "quiescing") this.#connections.terminate();
    this.#state = "over";
    this.#fence.discard();
    this.#early = [];
    this.#allNamed();
    this.#links.close();
    await this.host.close();
  }

  /** Why a method: while something is awaited, the state can change, which the compiler does not see. */
  #isOver(): boolean {
    return this.#state === "over";
  }

  /** Everything that enters the relay waits while the fence holds something, so that its order is kept. */
  #enter(act: () => void, gateway?: string): void {
    if (this.#state === "asking" || this.#state === "starting") this.#early.push({ gateway, act });
    else if (this.#state === "running") this.#fence.pass(act);
  }
}
