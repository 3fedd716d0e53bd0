/**
 * The only loop: events in, effects out, one timer.
 *
 * Invariants: E1 an event is handled completely before the next one, and events that arrive meanwhile wait; E2 the effects of a step
 * are executed in order, before the next step; E3 nothing that a peer, the store, a service or a port does makes `push` throw.
 */
import { assertNever } from "../core/assert.ts";
import { earlier } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { Event, ResumedPeer } from "../core/event.ts";
import { type FaultName, FAULTS } from "../core/fault.ts";
import type { Json } from "../core/json.ts";
import {
  isLink,
  type Key,
  type LinkId,
  type Millis,
  type PeerId,
  rawKey,
  type RequestId,
  toRequestId,
} from "../core/ids.ts";
import type { Observation, PanicSource } from "../core/observation.ts";
import type { Principal, ReplyTo, ServiceRequest } from "../core/request.ts";
import type { ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { StepClock } from "../core/context.ts";
import { type Relay, serviceOfEffect } from "../relay/mod.ts";
import { countFrom, takeEpoch } from "./ids.ts";
import { Outbox } from "./outbox.ts";
import type { Ports } from "./ports.ts";
import { readService, Restorer } from "./restore.ts";
import { AsyncWork } from "./async-work.ts";
import { Writer } from "./writer.ts";

/** Result of a request: the reply, or the fault that prevented it, where possible with a sentence about it. */
export type RequestResult<Reply = unknown> = { readonly body: Reply } | {
  readonly fault: FaultName;
  readonly reason?: string;
};

type RespondEffect = Effect & { readonly do: "respond" };

/** A request without a reply so far. */
interface OpenRequest {
  readonly of: ServiceName;
  resolve(result: RequestResult): void;
}

/** A connected peer, with what its service keeps for it. */
interface TrackedPeer extends ResumedPeer {
  attachment: Json | undefined;
}

/** Drives one relay: steps it with events, executes its effects through the ports, and keeps the one timer. */
export class Engine {
  readonly #relay: Relay;
  readonly #ports: Ports;
  readonly #outbox: Outbox;
  readonly #writer: Writer;
  readonly #work: AsyncWork;
  readonly #restorer: Restorer;
  readonly #newId: () => string;
  readonly #clock: Omit<StepClock, "now"> & { now: Millis };
  readonly #peers: Map<PeerId, TrackedPeer>;
  readonly #links = new Set<LinkId>();
  readonly #requests = new Map<RequestId, OpenRequest>();
  /** Responses that wait for a key to be stored. */
  readonly #deferred = new Map<Key, RespondEffect[]>();
  readonly #undrained = new Set<ServiceName>();
  #settings: Settings;
  readonly #pendingEvents: Event[] = [];
  #isStepping = false;
  /** Events of this turn of the event loop so far, and of the last turn that had some. */
  #turnEvents = 0;
  #lastTurnEvents = 0;
  /** No event comes any more, so nothing may keep the process alive. */
  #isStopped = false;
  #wakeAt: Millis | undefined;
  #drainUntil: Millis | undefined;
  #onDrained: (() => void) | undefined;

  /** Restores every service from the store. The engine then accepts events. */
  static async start(relay: Relay, options: EngineOptions): Promise<Engine> {
    const { ports, resumed = [], hasSlept = true } = options;
    // Why all at once: each takes several round trips to a store that may be far away.
    const [epoch, ...stored] = await Promise.all([
      takeEpoch(ports.store, ports.clock.now()),
      ...relay.services.map((service) => readService(ports.store, service)),
    ]);
    for (const [index, { name }] of relay.services.entries()) {
      const input = { entries: stored[index] ?? [], resumed: ofService(name, resumed), now: ports.clock.now() };
      relay.restore(name, { ...input, hasSlept });
    }
    const engine = new Engine(relay, options, epoch);
    engine.push({ is: "tick" });
    return engine;
  }

  private constructor(relay: Relay, { settings, ports, resumed = [] }: EngineOptions, epoch: number) {
    this.#relay = relay;
    this.#ports = ports;
    this.#settings = settings;
    this.#newId = countFrom(epoch);
    const { clock } = ports;
    this.#clock = { now: 0, random: () => clock.random(), id: this.#newId, secret: () => clock.secret() };
    this.#peers = new Map(resumed.map((resumedPeer) => [resumedPeer.peer, { attachment: undefined, ...resumedPeer }]));
    this.#writer = new Writer(ports.store, {
      deadline: (times) => this.#writeDeadline(times),
      stored: (key) => this.#settle({ is: "stored", key }),
      failed: (key, reason) => this.#settle({ is: "storeFailed", key, reason }),
      deleteFailed: (key, reason) => this.#observe({ is: "store_failed", key, reason }),
      deadlineChanged: () => this.#setTimer(),
    });
    this.#outbox = new Outbox(ports.sockets, {
      isPending: (key) => this.#writer.isPending(key),
      backpressure: (to) => this.push(isLink(to) ? { is: "linkBackpressure", link: to } : { is: "backpressure", peer: to }),
      tooSlow: (to) => this.#disconnect(to),
    });
    this.#work = new AsyncWork(ports, (event) => this.push(event));
    this.#restorer = new Restorer(ports.store, {
      now: () => clock.now(),
      settled: ({ name }) => this.#writer.idle(`${name}/`),
      read: ({ name }, entries) =>
        this.push({ is: "rebuilt", service: name, entries, resumed: ofService(name, [...this.#peers.values()]) }),
      failed: ({ name }, reason) => this.#observe({ is: "store_failed", key: rawKey(name), reason }),
    });
  }

  /** Takes an event. Never throws. */
  push(event: Event): void {
    if (!this.#track(event)) return;
    if (this.#isStepping) return void this.#pendingEvents.push(event);
    this.#isStepping = true;
    // Why once a turn: everything that arrived together has the same time, and to read a clock costs a fiftieth of a trip.
    if (this.#turnEvents === 0) this.#clock.now = this.#ports.clock.now();
    this.#step(event);
    if (this.#pendingEvents.length > 0) this.#stepPending();
    this.#isStepping = false;
    if (++this.#turnEvents > 1) return;
    // Why not at its end: while events come one by one, nothing is written together there, and a trip takes 2 us more.
    if (this.#lastTurnEvents === 1) this.#flush();
    this.#ports.afterTurn(this.#endTurn);
  }

  #stepPending(): void {
    for (const next of this.#pendingEvents) this.#step(next); // Why: events that are pushed meanwhile are appended, and reached.
    this.#pendingEvents.length = 0;
  }

  /** Once for all events of one turn of the event loop: all frames to one peer leave together, and the timer is set once. */
  readonly #endTurn = (): void => {
    this.#lastTurnEvents = this.#turnEvents;
    this.#turnEvents = 0;
    this.#flush();
    this.#setTimer();
  };

  #flush(): void {
    try {
      this.#ports.sockets.flush();
    } catch (panic) {
      this.#observePanic("relay", panic);
    }
  }

  /** Called by the timer. */
  tick(): void {
    const now = this.#ports.clock.now();
    this.#clock.now = now;
    this.#wakeAt = undefined;
    this.#writer.tick(now);
    this.#work.tick(now);
    this.#restorer.tick(now);
    this.push({ is: "tick" });
    if (this.#drainUntil !== undefined && this.#drainUntil <= now) this.#onDrained?.();
  }

  /** Makes a request to a service. This is the only promise that the relay returns. */
  request<R extends ServiceRequest>(request: R, principal: Principal): Promise<RequestResult<ReplyTo<R>>> {
    const requestId = toRequestId(this.#newId());
    return new Promise((resolve) => {
      // Why the cast: services reply through `respond`, which takes a reply of this type for a request of this type.
      this.#requests.set(requestId, { of: request.of, resolve: (result) => resolve(result as RequestResult<ReplyTo<R>>) });
      this.push({ is: "requested", requestId, principal, request });
    });
  }

  /** True if nobody is connected, no request is unanswered, and nothing is due until that time. */
  isIdle(until: Millis): boolean {
    return this.#peers.size + this.#requests.size === 0 && (this.nextDeadline() ?? Infinity) > until;
  }

  /** True while a reply to this peer waits for the store, or for an earlier reply that does. */
  hasWaitingReply(peer: PeerId): boolean {
    return this.#outbox.hasWaitingReply(peer);
  }

  /** Completes every write and sends the replies that wait for it. The runtime hands over no event meanwhile or later. */
  async quiesce(): Promise<void> {
    await this.#writer.idle();
    this.#stop();
  }

  /** Applies new settings. Settings that need a restart keep their values in the parts that read them at the start. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.push({ is: "configured", settings });
  }

  /** Finishes pending work, closes all peers and completes the writes. Takes at most `shutdown.grace` and the time of the writes. */
  async drain(): Promise<void> {
    const { clock } = this.#ports;
    const until = clock.now() + this.#settings.shutdown.grace;
    for (const { name } of this.#relay.services) this.#undrained.add(name);
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      this.#drainUntil = until;
      this.push({ is: "draining", until });
      if (this.#undrained.size === 0) resolve();
    });
    this.#drainUntil = undefined;
    for (const peer of this.#peers.keys()) this.#outbox.close(peer, "restarting");
    for (const link of this.#links) this.#closeLink(link);
    this.#ports.sockets.flush();
    for (const requestId of this.#requests.keys()) this.#respond({ do: "respond", requestId, fault: "restarting" });
    await this.#writer.idle();
    this.#stop();
  }

  /** Stops the timer for good: the end of the current turn sets it no more. */
  #stop(): void {
    this.#isStopped = true;
    this.#ports.clock.wake(undefined);
  }

  #step(event: Event): void {
    try {
      for (const effect of this.#relay.step(event, this.#clock)) this.#tryExecute(effect);
    } catch (panic) {
      this.#observePanic("relay", panic);
    }
  }

  /** Executes one effect. A failure does not stop the following effects. */
  #tryExecute(effect: Effect): void {
    try {
      this.#execute(effect);
    } catch (panic) {
      this.#observePanic(serviceOfEffect(effect) ?? "relay", panic);
    }
  }

  #observePanic(service: PanicSource, panic: unknown): void {
    const { message: reason, stack = "" } = panic instanceof Error ? panic : new Error(String(panic));
    this.#observe({ is: "panicked", service, reason, stack });
  }

  /** Passes an observation on to the log and the metrics. */
  #observe(observation: Observation): void {
    try {
      this.#ports.observe(observation);
    } catch {
      // Why nothing: there is no other place to report it, and it must neither stop the loop nor lose the effects that follow.
    }
  }

  #execute(effect: Effect): void {
    const { sockets } = this.#ports;
    switch (effect.do) {
      case "send":
        return this.#outbox.send(effect, this.#settings.limits);
      case "reply":
        if (this.#peers.has(effect.to)) this.#outbox.reply(effect, this.#settings.limits);
        return;
      case "close":
        if (this.#peers.has(effect.peer)) this.#outbox.close(effect.peer, effect.fault, effect.as);
        return;
      case "observe":
        return this.#observe(effect.observation);
      case "put":
        return this.#writer.put(effect.key, effect.value);
      case "delete":
        return this.#writer.delete(effect.key);
      case "ping":
        return sockets.ping(effect.peer);
      case "attach":
        return this.#attach(effect.peer, effect.attachment);
      case "dial":
        this.#links.add(effect.link);
        return sockets.dial(effect.link, effect.url, effect.headers ?? {});
      case "closeLink":
        return this.#closeLink(effect.link, effect.code, effect.reason);
      case "load":
        return this.#work.load(effect, this.#writeDeadline());
      case "saveFile":
        return this.#work.save(effect, this.#writeDeadline());
      case "deleteFile":
        return this.#work.delete(effect.file);
      case "runJob":
        return this.#work.run(effect, this.#settings);
      case "respond":
        return this.#respond(effect);
      case "drained":
        return this.#drained(effect.service);
      case "rebuild":
        return this.#rebuild(effect.service);
      default:
        return assertNever(effect);
    }
  }

  /** Keeps track of connections. False for an event of a peer or link that no longer exists. */
  #track(event: Event): boolean {
    switch (event.is) {
      case "opened": {
        const { peer, listener, connection } = event;
        this.#peers.set(peer, { peer, listener, connection, attachment: undefined });
        return true;
      }
      case "closed":
        this.#outbox.forget(event.peer);
        return this.#peers.delete(event.peer);
      case "frame":
      case "controlFrame":
      case "ponged": // Why not whether it is connected: the relay looks for the peer, too, and this is the path of each message.
        return !this.#outbox.isClosing(event.peer);
      case "relieved":
        return this.#outbox.relieved(event.peer);
      case "linkRelieved":
        return this.#outbox.relieved(event.link);
      case "dropped":
        this.#outbox.forget(event.link);
        return this.#links.delete(event.link);
      case "dialed":
      case "received":
        return this.#links.has(event.link);
      case "throttled":
      case "backpressure":
      case "linkBackpressure":
      case "stored":
      case "storeFailed":
      case "loaded":
      case "loadFailed":
      case "jobFinished":
      case "fileSaved":
      case "requested":
      case "tick":
      case "configured":
      case "draining":
      case "rebuilt":
        return true;
      default:
        return assertNever(event);
    }
  }

  #attach(peer: PeerId, attachment: Json): void {
    const tracked = this.#peers.get(peer);
    if (tracked === undefined) return;
    tracked.attachment = attachment;
    this.#ports.sockets.attach(peer, attachment);
  }

  #closeLink(link: LinkId, code?: number, reason?: string): void {
    this.#links.delete(link);
    this.#outbox.forget(link);
    this.#ports.sockets.closeLink(link, code, reason);
  }

  #respond(effect: RespondEffect): void {
    const { requestId, body, fault, reason, after } = effect;
    if (after !== undefined && this.#writer.isPending(after)) {
      this.#deferred.set(after, [...this.#deferred.get(after) ?? [], effect]);
      return;
    }
    const asked = this.#requests.get(requestId);
    this.#requests.delete(requestId);
    asked?.resolve(fault === undefined ? { body: body ?? null } : { fault, ...(reason !== undefined && { reason }) });
  }

  #drained(service: ServiceName): void {
    this.#undrained.delete(service);
    if (this.#undrained.size === 0) this.#onDrained?.();
  }

  /** A service panicked: it is rebuilt from its last durable state. */
  #rebuild(name: ServiceName): void {
    for (const link of this.#links) if (link.startsWith(`${name}:`)) this.#closeLink(link);
    for (const [requestId, { of }] of this.#requests) {
      if (of === name) this.#respond({ do: "respond", requestId, fault: "panic" });
    }
    const service = this.#relay.services.find((other) => other.name === name);
    if (service !== undefined) this.#restorer.start(service);
  }

  /** A put was settled: the replies that waited for it leave before its service handles another event. */
  #settle(event: Event & { is: "stored" | "storeFailed" }): void {
    if (event.is === "storeFailed") this.#observe({ is: "store_failed", key: event.key, reason: event.reason });
    this.#outbox.settled(event.key, event.is === "stored", this.#settings.limits);
    for (const answer of this.#deferred.get(event.key) ?? []) {
      this.#respond(
        event.is === "stored" ? answer : { do: "respond", requestId: answer.requestId, fault: "storageFailed" },
      );
    }
    this.#deferred.delete(event.key);
    this.push(event);
  }

  /** The backlog of a peer or link exceeded `limits.backlog_hard_bytes`. */
  #disconnect(to: PeerId | LinkId): void {
    if (!isLink(to)) {
      return this.#outbox.close(to, this.#peers.get(to)?.listener === "intermediary" ? "slowPeer" : "slowGame");
    }
    this.#ports.sockets.closeLink(to);
    this.push({ is: "dropped", link: to, code: FAULTS.slowPeer.close, reason: FAULTS.slowPeer.message });
  }

  #writeDeadline(times = 1): Millis {
    return this.#ports.clock.now() + times * this.#settings.queue.write_timeout;
  }

  /** Sets the timer if it is needed earlier. A timer that fires too early does nothing. */
  #setTimer(): void {
    const at = this.#isStopped ? undefined : this.nextDeadline();
    if (at === undefined || (this.#wakeAt !== undefined && this.#wakeAt <= at)) return;
    this.#wakeAt = at;
    this.#ports.clock.wake(at);
  }

  /** When something is due next; undefined if nothing is. */
  nextDeadline(): Millis | undefined {
    let at = earlier(this.#relay.nextWakeup(), this.#writer.nextDeadline());
    at = earlier(at, this.#work.nextDeadline());
    at = earlier(at, this.#restorer.nextDeadline());
    return earlier(at, this.#drainUntil);
  }
}

/** The parts that an engine needs to start. */
export interface EngineOptions {
  readonly settings: Settings;
  readonly ports: Ports;
  /** Peers that are connected already, after a Durable Object slept, or another node of a cluster owned the relay. */
  readonly resumed?: readonly ResumedPeer[];
  /** True unless events of those peers may be lost: the last owner did not hand the relay over. */
  readonly hasSlept?: boolean;
}

const ofService = (service: ServiceName, resumed: readonly ResumedPeer[]): readonly ResumedPeer[] =>
  resumed.filter(({ listener }) => listener === service);
