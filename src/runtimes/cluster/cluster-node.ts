/**
 * One node of a cluster: a member, a gateway for the clients of any relay, and the owner of some relays.
 *
 * Invariants: CL1 a relay runs only under a record of this session; CL2 at most `STARTS_MAX` relays start at a time, so that a node that takes over
 * many does not miss its beats; CL3 nothing here waits for a message of Redis or of another node: everything is also found by looking.
 */
import { processStats } from "../process-stats.ts";
import { assertNever } from "../../core/assert.ts";
import type { Observation } from "../../core/observation.ts";
import type { Settings } from "../../core/settings.ts";
import { errorText } from "../../core/text.ts";
import type { NodeView, RelayView } from "../../core/view.ts";
import { type ClusterDirectory, type OwnershipRecord, recordText, RELEASED } from "../../cluster/directory.ts";
import type { BeatOutcome } from "../../cluster/membership.ts";
import { nodeOf, placeRelay, rankedFor } from "../../cluster/placement.ts";
import type { ToOwner } from "../../cluster/wire.ts";
import type { PortName } from "../../http/app.ts";
import { services } from "../../relay/services.ts";
import { createClusterMetrics, namedLog } from "../../observability/mod.ts";
import { CLOSING_MS } from "../../websocket-client/close.ts";
import { createRawDialer } from "../../websocket-client/raw-socket.ts";
import { Host } from "../host.ts";
import { lazyJobs } from "../open-ports.ts";
import type { OpenListener } from "../monitored-listener.ts";
import { StartError } from "../serve-options.ts";
import type { ProcessParts } from "../process-relay.ts";
import { DEFAULT_RELAY, isServed } from "../relay-path.ts";
import { settingsOfRelay } from "../relay-settings.ts";
import { namesOf, type RelaySet } from "../relays.ts";
import type { HttpClient } from "../server-runtime.ts";
import { VoiceChannels } from "../voice-channels.ts";
import type { ClusterStorage } from "./cluster-storage.ts";
import { Gateway } from "./gateway.ts";
import { Member } from "./member.ts";
import { NodeConnections } from "./node-connections.ts";
import { NodeRequests } from "./node-requests.ts";
import { type NodeStanding, otherView, ownView, relayView } from "./node-views.ts";
import { OwnedRelay } from "./owned-relay.ts";

/** Relays that start at the same time. */
const STARTS_MAX = 8;
/** The nodes after the first one in the order for a relay try to claim it this much later each. */
const RANK_MS = 300;
const TICK_MS = 400;
/** All records are looked through once in this many ticks, although nothing was reported. */
const LOOK_TICKS = 10;
/** Relays that are due and looked at in one tick. */
const DUE_MAX = 1_000;
/** A relay moves to the first node for it, when both have been what they are for this many leases. */
const SETTLED_LEASES = 15;
/** How often that is looked for, and how many relays then move at most. */
const REBALANCE_LEASES = 5;
const REBALANCED_MAX = 20;
const NODE_FRAME_BYTES_MAX = 64 * 1_048_576;

export class ClusterNode implements RelaySet {
  /** The web app of the gateway: it admits clients, and has no relay. */
  readonly host: Host;
  readonly #parts: ProcessParts;
  readonly #storage: ClusterStorage;
  readonly #directory: ClusterDirectory;
  readonly #member: Member;
  readonly #nodes: NodeConnections;
  readonly #gateway: Gateway;
  readonly #voiceChannels: VoiceChannels;
  readonly #metrics = createClusterMetrics();
  readonly #requests: NodeRequests;
  readonly #owned = new Map<string, OwnedRelay>();
  readonly #claiming = new Set<string>();
  /** Relays that this node gives up, until Redis has answered. */
  readonly #leaving = new Set<string>();
  readonly #finding = new Set<string>();
  /** Members that cannot be reached, as was reported. */
  readonly #unreachable = new Set<string>();
  #starts = 0;
  readonly #waitingStarts: (() => void)[] = [];
  #settings: Settings;
  #listener: OpenListener | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticks = 0;
  #rebalancedAt = performance.now();
  /** When each other member was seen first. */
  readonly #memberSince = new Map<string, number>();
  #isDraining = false;
  #turnEnds: (() => void)[] = [];
  readonly #joined = Promise.withResolvers<void>();

  /** `placeAt`: where other nodes reach the node listener, if it has this port. */
  constructor(settings: Settings, parts: ProcessParts, storage: ClusterStorage, placeAt: (port: number) => string) {
    const { log, webToken, print, options, runtime } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.#storage = storage;
    this.#directory = storage.directory;
    this.host = new Host({
      settings,
      services: options.services ?? services(settings),
      log,
      webToken,
      jobs: lazyJobs,
      isResident: true,
      processStats,
      print,
    });
    this.#voiceChannels = new VoiceChannels({ limits: () => this.host.settings.limits, now: () => Date.now() });
    this.host.onTokensChanged((accessControl) => {
      this.#gateway.closeRevoked(accessControl);
      this.#voiceChannels.closeRevoked(accessControl);
    });
    this.#member = new Member({
      directory: this.#directory,
      node: settings.cluster.node,
      leaseMs: settings.cluster.lease,
      place: () => placeAt(this.#listener?.port ?? settings.cluster.port),
      beaten: (outcome) => this.#beaten(outcome),
      suspended: () => {
        this.#metrics.suspensions.add();
        this.#observe({ is: "node_changed", node: settings.cluster.node, to: "suspended" });
      },
      expired: () => {
        for (const { session } of this.#member.others) this.#nodes.sendToOwner(session, { is: "look" });
      },
      died: () => this.#died(),
      nameTaken: ({ session, place }) => {
        const reason = `a node at ${place} has this name; set cluster.node to another one at each node`;
        this.#observe({ is: "node_unreachable", node: nodeOf(session), reason });
        this.#joined.reject(new StartError(`cluster.node: ${nodeOf(session)}: ${reason}`));
      },
      reconnect: () => storage.reconnect(),
    });
    const afterTurn = (run: () => void): void => runtime.afterTurn(run);
    const keepalive = { idleMs: settings.cluster.lease / 2, answerMs: settings.cluster.lease };
    this.#nodes = new NodeConnections({
      dial: createRawDialer({ connect: runtime.connect, afterTurn }, keepalive),
      secret: settings.cluster.secret,
      session: () => this.#member.session,
      afterTurn,
      toOwner: (session, message) => this.#toOwner(session, message),
      toGateway: (session, message) => this.#gateway.receive(session, message),
      ownerReached: (session) => {
        this.#unreachable.delete(session);
        this.#findOwners();
      },
      ownerLost: (session, reason) => {
        this.#gateway.lost(session);
        if (this.#unreachable.has(session)) return;
        this.#unreachable.add(session);
        this.#observe({ is: "node_unreachable", node: nodeOf(session), reason });
      },
      refused: (session, reason) => this.#observe({ is: "node_unreachable", node: nodeOf(session ?? "unknown."), reason }),
      gatewayLost: (session) => {
        for (const relay of this.#owned.values()) relay.lost(session);
      },
      gatewayReached: (session) => {
        for (const relay of this.#owned.values()) relay.gatewayReached(session);
      },
    });
    this.#gateway = new Gateway(this.#member.session, {
      send: (session, message) => this.#nodes.sendToOwner(session, message),
      findOwner: (relay) => void this.#findOwner(relay),
      afterTurn,
      limits: () => this.host.settings.limits,
      terminateLater: (socket) => void setTimeout(() => socket.terminate(), CLOSING_MS),
      unconfirmed: (done) => this.#metrics.unconfirmed.labels(done).add(),
    });
    this.#requests = new NodeRequests({
      host: this.host,
      gateway: this.#gateway,
      voiceChannels: this.#voiceChannels,
      nodes: this.#nodes,
      member: this.#member,
      metrics: this.#metrics,
      owned: this.#owned,
      settings: () => this.#settings,
      standing: () => this.#standing,
      notReadyReasons: () => this.#notReadyReasons(),
      ownerOf: (relay) => this.#directory.ownerOf(relay),
      findOwner: (relay) => void this.#findOwner(relay),
    });
  }

  /** Opens the node listener, and joins the cluster. */
  async start(): Promise<void> {
    const { host, port } = this.#settings.cluster;
    this.#listener = await this.#parts.runtime.listen({ name: "web", label: "Cluster", block: "web", host, port }, {
      frameBytesMax: NODE_FRAME_BYTES_MAX,
      fetch: (request, client) => this.#requests.fetchFromNode(request, client),
    });
    this.#member.start();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    await this.#joined.promise;
  }

  fetch(request: Request, listener: PortName, client: HttpClient): Response | Promise<Response> {
    return this.#requests.fetch(request, listener, client);
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.host.configure(settings);
    for (const [name, relay] of this.#owned) relay.configure(settingsOfRelay(settings, name));
  }

  async relays(): Promise<readonly RelayView[]> {
    const [records, alarms] = await Promise.all([this.#directory.records(), this.#directory.alarms()]).catch(() =>
      [new Map<string, OwnershipRecord>(), new Map<string, number>()] as const
    );
    const { sessions } = this.#member;
    return namesOf(this.#settings, [...records.keys(), ...alarms.keys(), ...this.#owned.keys()]).map((name) => {
      const session = this.#owned.get(name)?.record.session ?? records.get(name)?.session ?? "";
      return relayView(name, session, sessions, alarms.get(name));
    });
  }

  async nodes(): Promise<readonly NodeView[]> {
    const records = await this.#directory.records().catch(() => new Map<string, OwnershipRecord>());
    const { session, place, answeredAt, others } = this.#member;
    const own = ownView(session, { lease: this.#standing, address: place, answeredAt, relays: this.#owned.size });
    const seen = { leaseMs: this.#settings.cluster.lease, records: records.values().toArray() };
    const views = others.map((other) => otherView(other, { ...seen, reachable: this.#nodes.canReach(other.session) }));
    return [own, ...views].toSorted((left, right) => left.name < right.name ? -1 : 1);
  }

  notReadyReasons(): Promise<readonly string[]> {
    return Promise.resolve(this.#notReadyReasons());
  }

  /** Hands all relays over, serves its clients as a gateway while others own them, then closes them (1012). */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const { grace } = this.#settings.shutdown;
    const began = performance.now();
    await Promise.all([...this.#owned.values()].map((relay) => this.#handOver(relay, grace)));
    if (this.#member.others.length > 0) {
      // Why: a balancer needs a moment to see /ready, and clients that close by themselves reconnect to another node.
      while (this.#gateway.size > 0 && performance.now() - began < grace) await pause(TICK_MS / 4);
    }
    this.#gateway.close();
    await pause(TICK_MS / 4);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#member.leave();
    for (const relay of [...this.#owned.values()]) await this.#abandon(relay, "stopped");
    this.#nodes.close();
    await this.#listener?.close();
    await this.#storage.close();
    await this.host.close();
  }

  #notReadyReasons(): readonly string[] {
    return this.#member.mayAct() && !this.#isDraining ? [] : [`cluster: this node is ${this.#standing}`];
  }

  get #standing(): NodeStanding {
    const { is } = this.#member.lease;
    return this.#isDraining || is === "dead" ? "stopping" : is;
  }

  #observe(observation: Observation): void {
    this.host.observe(observation);
  }

  #beaten({ lease, appeared, gone }: BeatOutcome): void {
    const node = this.#settings.cluster.node;
    if (lease === "joined" || lease === "resumed") this.#observe({ is: "node_changed", node, to: lease });
    for (const { session, place } of appeared) {
      this.#observe({ is: "node_changed", node: nodeOf(session), to: "appeared" });
      this.#memberSince.set(session, performance.now());
      this.#nodes.connect(session, place);
    }
    for (const session of gone) {
      this.#memberSince.delete(session);
      this.#observe({ is: "node_changed", node: nodeOf(session), to: "gone" });
      this.#unreachable.delete(session);
      this.#nodes.disconnect(session);
      this.#gateway.lost(session);
      for (const relay of this.#owned.values()) relay.lost(session);
    }
    if (lease === "joined") this.#joined.resolve();
    if (lease === "resumed") void this.#verify();
    else for (const relay of this.#owned.values()) relay.release();
    // Why when resumed: nothing was taken over while the lease was in doubt.
    if (lease === "joined" || lease === "resumed" || gone.length > 0) void this.#takeOver();
  }

  /** Redis may have lost data while this node was suspended: only relays whose records are still ours continue. */
  async #verify(): Promise<void> {
    const records = await this.#directory.records().catch(() => undefined);
    if (records === undefined) return;
    for (const relay of [...this.#owned.values()]) {
      const record = records.get(relay.name);
      if (record !== undefined && recordText(record) === recordText(relay.record)) relay.release();
      else await this.#abandon(relay, "lost");
    }
  }

  #died(): void {
    this.#observe({ is: "node_changed", node: this.#settings.cluster.node, to: "dead" });
    for (const relay of [...this.#owned.values()]) void this.#abandon(relay, "lost");
    this.#nodes.close();
    this.#gateway.lost(); // Why all: their owners have forgotten the peers of the session that died.
  }

  #tick(): void {
    this.#gateway.tick(performance.now(), this.#settings.cluster.patience);
    for (const { session, place } of this.#member.others) this.#nodes.connect(session, place);
    if (++this.#ticks % LOOK_TICKS === 0) void this.#takeOver();
    this.#stopIdle();
    void this.#startDue();
    const { lease, rebalance } = this.#settings.cluster;
    if (!rebalance || performance.now() - this.#rebalancedAt < REBALANCE_LEASES * lease) return;
    this.#rebalancedAt = performance.now();
    void this.#rebalance(SETTLED_LEASES * lease);
  }

  /** Hands relays to the nodes that are first for them, one after another. */
  async #rebalance(settledMs: number): Promise<void> {
    let moved = 0;
    for (const relay of [...this.#owned.values()]) {
      if (this.#isDraining || !this.#member.mayAct() || moved >= REBALANCED_MAX) return;
      const [first = ""] = rankedFor(relay.name, this.#candidates);
      const settledAt = Math.max(relay.since, this.#memberSince.get(first) ?? Infinity);
      if (first === this.#member.session || performance.now() - settledAt < settledMs) continue;
      if (!relay.isRunning || !await relay.host.isQuiet()) continue;
      await this.#handOver(relay, 0);
      moved++;
    }
  }

  /** Claims relays whose owners are no members: each node those for which it is the first, and the others after a while. */
  async #takeOver(): Promise<void> {
    if (this.#isDraining || !this.#member.mayAct()) return;
    const records = await this.#directory.records().catch(() => undefined);
    if (records === undefined) return;
    const { sessions, session } = this.#member;
    const free = [...records].filter(([, record]) => !sessions.includes(record.session));
    if (!records.has(DEFAULT_RELAY)) free.push([DEFAULT_RELAY, { session: "", epoch: 0 }]);
    for (const [relay, record] of records) if (this.#isStray(relay, record)) void this.#claim(relay, recordText(record));
    for (const [relay, record] of free) {
      const rank = rankedFor(relay, sessions).indexOf(session);
      setTimeout(() => void this.#claim(relay, record.session), rank * RANK_MS);
    }
  }

  /** True if a relay is recorded for this node and does not run here: Redis was away when its start failed, or when it was given up. */
  #isStray(relay: string, { session }: OwnershipRecord): boolean {
    const isHere = this.#owned.has(relay) || this.#claiming.has(relay) || this.#leaving.has(relay);
    return session === this.#member.session && !isHere;
  }

  #findOwners(): void {
    for (const relay of this.#gateway.waiting()) void this.#findOwner(relay);
  }

  /** `declined`: this node is asked to take the relay, because these do not. */
  async #findOwner(relay: string, declined?: readonly string[]): Promise<void> {
    if (this.#finding.has(relay) && declined === undefined) return;
    this.#finding.add(relay);
    try {
      const record = await this.#directory.ownerOf(relay);
      const { session, sessions } = this.#member;
      if (record !== undefined && this.#isStray(relay, record)) return void this.#claim(relay, recordText(record));
      if (record !== undefined && sessions.includes(record.session)) return this.#gateway.joinOwner(relay, record.session);
      const node = { session, isDraining: this.#isDraining, reachable: this.#reachable };
      const placement = placeRelay(relay, node, declined);
      if (placement.is === "nowhere") return;
      if (placement.is === "want") return this.#nodes.sendToOwner(placement.session, { is: "want", relay });
      if (placement.is === "take") {
        return this.#nodes.sendToOwner(placement.session, { is: "take", relay, declined: placement.declined });
      }
      if (record === undefined && this.#owned.size >= this.#settings.relays.running) {
        const reason =
          `this node owns ${this.#owned.size} relays, and relays.running, which is ${this.#settings.relays.running}, allows no more`;
        return this.#observe({ is: "relay_refused", name: relay, reason });
      }
      void this.#claim(relay, record?.session ?? "");
    } catch {
      // Why nothing: the gateway asks again.
    } finally {
      this.#finding.delete(relay);
    }
  }

  /** Members that can own a relay and that this node can reach. */
  get #candidates(): readonly string[] {
    return this.#isDraining ? this.#reachable : [...this.#reachable, this.#member.session];
  }

  get #reachable(): readonly string[] {
    return this.#member.others.map(({ session }) => session).filter((session) => this.#nodes.canReach(session));
  }

  async #claim(name: string, from: string): Promise<void> {
    if (this.#isDraining || this.#owned.has(name) || this.#claiming.has(name) || !this.#member.mayAct()) return;
    this.#claiming.add(name);
    try {
      if (this.#starts >= STARTS_MAX) await new Promise<void>((resolve) => this.#waitingStarts.push(resolve));
      this.#starts++;
      const claimed = await this.#directory.claim(name, this.#member.session, from === RELEASED ? "" : from);
      if (claimed !== undefined) await this.#run(name, claimed.record, claimed.isClean);
    } catch (error) {
      this.#observe({ is: "relay_refused", name, reason: errorText(error) });
    } finally {
      this.#starts--;
      this.#claiming.delete(name);
      this.#waitingStarts.shift()?.();
    }
  }

  async #run(name: string, record: OwnershipRecord, isClean: boolean): Promise<void> {
    const { log, webToken, print, options, runtime } = this.#parts;
    const settings = settingsOfRelay(this.#settings, name);
    const relay: OwnedRelay = new OwnedRelay({
      name,
      record,
      isClean,
      settings,
      services: options.services ?? services(settings),
      log: name === DEFAULT_RELAY ? log : namedLog(log, name),
      webToken,
      jobs: options.jobs ?? lazyJobs,
      print,
      surroundings: this,
    }, {
      connect: runtime.connect,
      afterTurn: (run) => runtime.afterTurn(run),
      atTurnEnd: (run) => this.#atTurnEnd(run),
      mayAct: () => this.#member.mayAct(),
      gateways: () => [...new Set([...this.#nodes.gateways(), ...this.#member.sessions])],
      send: (session, message) => this.#nodes.sendToGateway(session, message),
      openStore: ({ host }) =>
        this.#storage.openStore(name, recordText(record), {
          onQuarantine: (key, why) => host.observe({ is: "entry_quarantined", key, why }),
          onFenced: () => void this.#abandon(relay, "lost"),
        }),
      openUploads: () => this.#storage.openUploads(name, recordText(record)),
    });
    this.#owned.set(name, relay);
    this.#metrics.claims.labels(isClean ? "handed over" : "claimed").add();
    try {
      await relay.start();
    } catch (error) {
      await this.#abandon(relay, "lost");
      await this.#directory.release(name, record).catch(() => undefined);
      throw error;
    }
  }

  /** The relays of this node end a turn together, and what they send to gateways leaves then. */
  #atTurnEnd(run: () => void): void {
    if (this.#turnEnds.push(run) > 1) return;
    this.#parts.runtime.afterTurn(() => {
      const ends = this.#turnEnds;
      this.#turnEnds = [];
      this.#nodes.endTurn(() => ends.forEach((end) => end()));
    });
  }

  async #handOver(relay: OwnedRelay, graceMs: number): Promise<void> {
    const others = this.#reachable;
    await relay.quiesce(graceMs);
    await this.#giveUp(relay, "handed over", () => this.#directory.release(relay.name, relay.record));
    const [successor] = rankedFor(relay.name, others);
    if (successor !== undefined) {
      this.#nodes.sendToOwner(successor, { is: "take", relay: relay.name, declined: [this.#member.session] });
    }
  }

  /** Relays other than the one at the root stop when nobody uses them and nothing is due. */
  #stopIdle(): void {
    const { idle } = this.#settings.relays;
    for (const relay of [...this.#owned.values()]) {
      if (relay.name === DEFAULT_RELAY || !relay.isIdle(idle)) continue;
      const alarmAt = relay.host.nextDeadline();
      void relay.quiesce(0).then(() =>
        this.#giveUp(relay, "stopped", () => this.#directory.stop(relay.name, relay.record, alarmAt))
      );
    }
  }

  /** Why errors are ignored: the record stays, so the relay is claimed again here, or by another node when this one is gone. */
  async #giveUp(relay: OwnedRelay, how: "handed over" | "stopped", release: () => Promise<boolean>): Promise<void> {
    this.#leaving.add(relay.name);
    this.#owned.delete(relay.name);
    await relay.stop();
    await release().catch(() => undefined);
    this.#leaving.delete(relay.name);
    this.#left(relay, how);
  }

  /** Claims relays that have stopped and for which something is due now: each node those for which it is the first. */
  async #startDue(): Promise<void> {
    const now = Date.now();
    if ((this.#member.alarmAt ?? Infinity) > now || this.#isDraining || !this.#member.mayAct()) return;
    const due = await this.#directory.due(now, DUE_MAX).catch(() => []);
    const { names, running } = this.#settings.relays;
    const sessions = this.#candidates;
    for (const relay of due) {
      if (this.#owned.size + this.#claiming.size >= running) return;
      if (isServed(relay, names) && rankedFor(relay, sessions)[0] === this.#member.session) void this.#claim(relay, "");
    }
  }

  async #abandon(relay: OwnedRelay, how: "lost" | "stopped"): Promise<void> {
    if (this.#owned.get(relay.name) === relay) this.#owned.delete(relay.name);
    else return;
    this.#left(relay, how);
    await relay.stop();
  }

  #left({ name, record }: OwnedRelay, how: "handed over" | "lost" | "stopped"): void {
    this.#metrics.losses.labels(how).add();
    this.#observe({ is: "relay_left", name, epoch: record.epoch, how });
  }

  #toOwner(session: string, message: ToOwner): void {
    switch (message.is) {
      case "hello":
        return;
      case "want":
        return void this.#findOwner(message.relay);
      case "take":
        return void this.#findOwner(message.relay, message.declined);
      case "look":
        return this.#member.look();
      case "join": {
        const relay = this.#owned.get(message.relay);
        if (relay === undefined) return this.#nodes.sendToGateway(session, { is: "notOwner", relay: message.relay });
        return relay.ask(session);
      }
      case "peers":
      case "opened":
      case "linked":
      case "frame":
      case "closed":
      case "ponged":
      case "controlFrame":
      case "taken":
        return this.#owned.get(message.relay)?.receive(session, message);
      default:
        return assertNever(message);
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
