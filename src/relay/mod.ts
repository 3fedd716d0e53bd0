/**
 * The whole relay as one state machine: events and time go in, effects come out.
 *
 * It knows every service and handles their common concerns: the admission of peers, the size and rate of frames, the routing of events, and
 * the isolation of panics. Everything else is decided in the services.
 */
import { assert, assertNever } from "../core/assert.ts";
import { earlier } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { ControlFrame, Event, PeerEvent, Rebuilt, ServiceEvent } from "../core/event.ts";
import { type FaultName, FAULTS } from "../core/fault.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import { SERVICE_MESSAGES_PER_STEP_MAX } from "../core/limits.ts";
import { RetainedBytes } from "../core/retained-bytes.ts";
import type { RestoreInput, ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { ObservationName } from "../core/observation.ts";
import type { MessageCount } from "../core/message-counter.ts";
import type { StepClock } from "../core/context.ts";
import { type Peer, Peers } from "./admission.ts";
import { type ObservationReader, RelayContext } from "./context.ts";
import { type AddressedEvent, serviceOfEvent } from "./routing.ts";
import { mayChange } from "./service-changes.ts";
import type { SupervisedService } from "./supervised-service.ts";

export { supervise, type SupervisedService } from "./supervised-service.ts";
export { serviceOfEffect } from "./routing.ts";
export { SilentPeers } from "./silent-peers.ts";

/** The state machine: `restore` each service once, then `step` it with every event. It never waits, and no peer can make it throw. */
export class Relay {
  readonly #services: ReadonlyMap<ServiceName, SupervisedService>;
  /** Why kept: it is asked after each step. */
  readonly #intermediary: SupervisedService | undefined;
  readonly #ctx: RelayContext;
  /** What is kept of all peers, and the part of each service. */
  readonly #retained = new RetainedBytes(undefined, "total_bytes");
  readonly #peers = new Peers(this.#retained);
  readonly #retainedByService = new Map<ServiceName, RetainedBytes>();
  #settings: Settings;
  #drainingUntil: Millis | undefined;

  /** `reader`: the log and the metrics. Without it every observation is made. */
  constructor(services: readonly SupervisedService[], settings: Settings, reader?: ObservationReader) {
    this.#services = new Map(services.map((service) => [service.name, service]));
    this.#intermediary = this.#services.get("intermediary");
    this.#ctx = new RelayContext(services, reader, {
      replyExpected: (peer) => this.#peers.expectReply(peer),
      accepted: (peer) => this.#peers.accept(peer),
    });
    this.#settings = settings;
  }

  /** The services of this relay, each with the kinds of keys that are read with their values at the start. */
  get services(): readonly { readonly name: ServiceName; readonly resident: readonly string[] }[] {
    return [...this.#services.values()];
  }

  /** Number of messages of each kind so far. */
  get messages(): Iterable<Readonly<MessageCount>> {
    return this.#ctx.counter.all();
  }

  /** The number of observations that nothing read since the last call, by name. */
  takeUnread(): ReadonlyMap<ObservationName, number> {
    const unread = new Map(this.#ctx.unread);
    this.#ctx.unread.clear();
    return unread;
  }

  /** Restores one service from what it stored. Required for every service before the first step. */
  restore(name: ServiceName, input: Omit<RestoreInput, "retained">): void {
    for (const { peer, listener, connection } of input.resumed) {
      if (this.#peers.get(peer) !== undefined) continue;
      this.#peers.resume({ peer, listener, connection }, { limits: this.#settings.limits, now: input.now });
    }
    this.#services.get(name)?.restore(this.#settings, { ...input, retained: this.#newAccount(name) });
  }

  /** The effects of one event, in order. The array is reused: execute them before the next step. */
  step(event: Event, clock: StepClock): readonly Effect[] {
    const ctx = this.#ctx;
    ctx.begin(clock);
    this.#dispatch(event, ctx);
    this.#deliverServiceMessages(ctx);
    if (event.is === "frame") this.#chargeReplies(event, ctx);
    return ctx.effects;
  }

  /** The earliest time at which the relay has to be stepped. */
  nextWakeup(): Millis | undefined {
    let earliest = this.#peers.nextWakeup();
    for (const service of this.#services.values()) earliest = earlier(earliest, service.nextWakeup());
    return earliest;
  }

  #dispatch(event: Event, ctx: RelayContext): void {
    switch (event.is) {
      case "opened":
        return this.#open(event, ctx);
      case "frame":
        return this.#admit(event, ctx);
      case "controlFrame":
        return this.#admitControlFrame(event, ctx);
      case "closed": {
        if (event.code === FAULTS.tooBig.close) this.#reportTooBig(event);
        const peer = this.#peers.remove(event.peer);
        if (peer !== undefined) this.#stepService(peer.listener, event, ctx);
        return;
      }
      case "throttled":
      case "ponged":
      case "backpressure":
      case "relieved":
        return this.#stepServiceOfPeer(event, ctx);
      case "tick":
        for (const [peer, frame] of this.#peers.release({ limits: this.#settings.limits, now: ctx.now })) {
          this.#stepService(peer.listener, { is: "frame", peer: peer.id, frame }, ctx);
        }
        return this.#stepAll(event, ctx);
      case "configured":
        this.#settings = event.settings;
        return this.#stepAll(event, ctx);
      case "draining":
        this.#drainingUntil = event.until;
        return this.#stepAll(event, ctx);
      case "rebuilt":
        return this.#rebuild(event, ctx);
      case "dialed":
      case "received":
      case "dropped":
      case "linkBackpressure":
      case "linkRelieved":
      case "stored":
      case "storeFailed":
      case "loaded":
      case "loadFailed":
      case "jobFinished":
      case "fileSaved":
      case "requested":
        return this.#stepAddressed(event, ctx);
      default:
        return assertNever(event);
    }
  }

  #open(event: Event & { is: "opened" }, ctx: RelayContext): void {
    if (this.#drainingUntil !== undefined) return ctx.emit({ do: "close", peer: event.peer, fault: "restarting" });
    const terms = { limits: this.#settings.limits, now: ctx.now };
    const leaving = this.#services.has(event.listener) ? this.#peers.add(event, terms) : undefined;
    if (leaving === undefined) return this.#closePeer(event.peer, event.connection.address, "tooManyPeers");
    for (const { id, address } of leaving) this.#closePeer(id, address, "tooManyPeers");
    this.#stepService(event.listener, event, ctx);
  }

  #admitControlFrame({ peer: id }: ControlFrame, ctx: RelayContext): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    if (this.#peers.admitControlFrame(peer, { limits: this.#settings.limits, now: ctx.now }) === "flood") {
      this.#closePeer(peer.id, peer.address, "rateLimit");
    }
  }

  #admit(event: PeerEvent & { is: "frame" }, ctx: RelayContext): void {
    const peer = this.#peers.get(event.peer);
    if (peer === undefined) return; // Why: it was refused when it connected, and its close is on the way.
    const limits = this.#settings.limits;
    const bytesMax = typeof event.frame === "string" || peer.listener !== "intermediary"
      ? limits.message_bytes
      : Math.max(limits.message_bytes, this.#settings.uploads.file_bytes);
    if (event.frame.length > bytesMax) {
      const isUpload = bytesMax > limits.message_bytes;
      return this.#closeForSize(peer, { length: event.frame.length, bytesMax, isUpload });
    }
    const admission = this.#peers.admit(peer, event.frame, limits, ctx.now);
    switch (admission.is) {
      case "pass":
        return this.#stepService(peer.listener, event, ctx);
      case "wait":
        return;
      case "flood":
        return this.#closePeer(peer.id, peer.address, "rateLimit");
      case "refuse":
        return this.#stepService(peer.listener, { is: "throttled", peer: peer.id, retryMs: admission.retryMs }, ctx);
      default:
        return assertNever(admission);
    }
  }

  /** Charges what a message makes the relay send back: a short query may ask for a large list. */
  #chargeReplies({ peer: id, frame }: PeerEvent & { is: "frame" }, { effects, now }: RelayContext): void {
    let length = -frame.length;
    for (const effect of effects) {
      if ((effect.do === "send" || effect.do === "reply") && effect.to === id) length += effect.frame.length;
    }
    const peer = length > 0 ? this.#peers.get(id) : undefined;
    if (peer !== undefined) this.#peers.chargeBytes(peer, length, { limits: this.#settings.limits, now });
  }

  #closePeer(peer: PeerId, address: string, fault: FaultName): void {
    this.#ctx.observe({ is: "peer_closed_by_relay", from: this.#nameOf(peer) ?? address, fault });
    this.#ctx.emit({ do: "close", peer, fault });
  }

  /** Closes a peer with the size and the limit in the reason, because its developer sees nothing else. */
  #closeForSize(peer: Peer, { length, bytesMax, isUpload }: { length: number; bytesMax: number; isUpload: boolean }): void {
    const setting = isUpload ? "uploads.file_bytes" : "limits.message_bytes";
    const reason = `message too big: ${length} characters or bytes; \`${setting}\` allows ${bytesMax}`;
    peer.isClosed = true;
    this.#ctx.observe({ is: "peer_closed_by_relay", from: this.#nameOf(peer.id) ?? peer.address, fault: "tooBig", reason });
    this.#ctx.emit({ do: "close", peer: peer.id, fault: "tooBig", as: { code: FAULTS.tooBig.close, reason } });
  }

  /** The runtime closed a peer because of a frame beyond its own limit, or the peer closed because of one of the relay's. */
  #reportTooBig({ peer: id, reason: given = "" }: PeerEvent & { is: "closed" }): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.isClosed) return;
    const limit = `\`limits.message_bytes\` allows ${this.#settings.limits.message_bytes}`;
    const reason = `closed with 1009 (message too big)${given === "" ? "" : `: ${given}`}; ${limit}`;
    this.#ctx.observe({ is: "peer_closed_by_relay", from: this.#nameOf(id) ?? peer.address, fault: "tooBig", reason });
  }

  #nameOf(id: PeerId): string | undefined {
    const peer = this.#peers.get(id);
    return peer === undefined ? undefined : this.#services.get(peer.listener)?.nameOf(id);
  }

  #stepServiceOfPeer(event: PeerEvent, ctx: RelayContext): void {
    const peer = this.#peers.get(event.peer);
    if (peer !== undefined) this.#stepService(peer.listener, event, ctx);
  }

  #stepAddressed(event: AddressedEvent, ctx: RelayContext): void {
    const service = serviceOfEvent(event);
    assert(service !== undefined, `event ${event.is} names no service`);
    this.#stepService(service, event, ctx);
  }

  #stepAll(event: ServiceEvent, ctx: RelayContext): void {
    for (const name of this.#services.keys()) this.#stepService(name, event, ctx);
  }

  /** Steps one service. Effects of a panicking step are discarded, because they may be incomplete. */
  #stepService(name: ServiceName, event: ServiceEvent, ctx: RelayContext): void {
    const service = this.#services.get(name);
    if (service === undefined) return this.#fail(event, "notFound");
    const count = ctx.takeCounted(name);
    if (count > 0) this.#stepService(name, { is: "serviceMessage", message: { is: "observationsCounted", count } }, ctx);
    ctx.mark(name);
    try {
      if (service.step(event, ctx)) return this.#reportChange(name, event, ctx);
    } catch (panic) {
      ctx.rollBack();
      this.#observePanic(name, panic);
      ctx.emit({ do: "rebuild", service: name });
    }
    // Why here, too: an event that cannot wait for its service to be rebuilt is as lost as one that made it panic.
    this.#fail(event, "panic");
  }

  /** Tells the Intermediary that what a service shows may have changed, while a watcher wants to know. */
  #reportChange(service: ServiceName, event: ServiceEvent, ctx: RelayContext): void {
    if (this.#intermediary?.wantsChange(service) !== true || !mayChange(event, ctx.effectsSinceMark())) return;
    ctx.post("intermediary", { is: "serviceChanged", service });
  }

  /** Replies with an error to the peer or caller whose event could not be handled. */
  #fail(event: ServiceEvent, fault: FaultName): void {
    if (event.is === "requested") this.#ctx.emit({ do: "respond", requestId: event.requestId, fault });
    else if ("peer" in event && event.is !== "closed") {
      this.#closePeer(event.peer, this.#peers.get(event.peer)?.address ?? "", fault);
    }
  }

  #observePanic(service: ServiceName, panic: unknown): void {
    const { message: reason, stack = "" } = panic instanceof Error ? panic : new Error(String(panic));
    this.#ctx.observe({ is: "panicked", service, reason, stack });
  }

  #rebuild({ service: name, entries, resumed }: Rebuilt, ctx: RelayContext): void {
    const service = this.#services.get(name);
    assert(service !== undefined, `${name} is rebuilt, but is no service of this relay`);
    const connected = resumed.filter(({ peer }) => this.#peers.get(peer) !== undefined);
    const input = { entries, resumed: connected, now: ctx.now };
    // Why: a service that cannot be restored from its entries starts empty. The entries are kept for manual repair.
    const waiting = this.#tryRestore(service, input) ?? this.#tryRestore(service, { ...input, entries: [] });
    if (waiting === undefined) return;
    ctx.observe({ is: "service_rebuilt", service: name });
    for (const event of waiting) this.#stepService(name, event, ctx);
    if (this.#drainingUntil !== undefined) this.#stepService(name, { is: "draining", until: this.#drainingUntil }, ctx);
    this.#stepService(name, { is: "tick" }, ctx);
  }

  /** The events that waited for the service. Undefined when it panicked again. */
  #tryRestore(
    service: SupervisedService,
    input: Omit<RestoreInput, "retained">,
  ): readonly ServiceEvent[] | undefined {
    try {
      return service.restore(this.#settings, { ...input, retained: this.#newAccount(service.name) });
    } catch (panic) {
      this.#observePanic(service.name, panic);
      return undefined;
    }
  }

  /** A new account for a service that is restored. What its state before kept is not kept any more. */
  #newAccount(name: ServiceName): RetainedBytes {
    this.#retainedByService.get(name)?.close();
    const account = new RetainedBytes(this.#retained);
    this.#retainedByService.set(name, account);
    return account;
  }

  /** Delivers the messages that services posted in this step, and those that follow from them, in order. */
  #deliverServiceMessages(ctx: RelayContext): void {
    if (ctx.messagesWaiting === 0) return;
    const deliveriesMax = ctx.messagesWaiting + SERVICE_MESSAGES_PER_STEP_MAX;
    for (let count = 0; count < deliveriesMax; count++) {
      const message = ctx.nextMessage();
      if (message === undefined) return;
      this.#stepService(message.service, message.event, ctx);
    }
    for (const service of ctx.dropMessages()) {
      this.#observePanic(
        service,
        new Error(`services posted more than ${SERVICE_MESSAGES_PER_STEP_MAX} messages in one step`),
      );
      ctx.emit({ do: "rebuild", service });
    }
    ctx.dropMessages(); // Why: the observations of the panics above posted some again.
  }
}
