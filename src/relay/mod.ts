/**
 * The whole relay as one machine: told what happened and when, it answers with what should be done.
 *
 * It knows all rooms and what concerns all of them: who may come in, how big and how fast a frame may be, which room an event is
 * for, and that one room's mistake is not another's. Everything else is decided in the rooms.
 */
import { assert } from "../core/assert.ts";
import { earlier } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { Event, PeerEvent, Rebuilt, ResumedPeer, ServiceEvent, ServiceMessageEvent } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import { isLink, type Millis, type PeerId } from "../core/ids.ts";
import { SERVICE_MESSAGES_PER_STEP_MAX } from "../core/limits.ts";
import type { Observation } from "../core/observation.ts";
import type { RestoreInput, ServiceName } from "../core/service.ts";
import type { ServiceMessage } from "../core/service-message.ts";
import type { Settings } from "../core/settings.ts";
import { type Direction, type MessageCount, MessageCounter } from "../core/message-counter.ts";
import type { StepClock, StepContext } from "../core/context.ts";
import type { SupervisedService } from "./supervised-service.ts";
import { Peers } from "./peers.ts";
import { OBSERVERS, recipientOf, serviceOfEvent, serviceOfListener } from "./route.ts";

export { supervise, type SupervisedService } from "./supervised-service.ts";
export { serviceOfEffect } from "./route.ts";

/** The machine: `restore` each room once, then `step` it with every event. It never waits and never throws at a peer. */
export class Relay {
  readonly #services: ReadonlyMap<ServiceName, SupervisedService>;
  readonly #peers = new Peers();
  readonly #ctx: RelayContext;
  #settings: Settings;
  #drainingUntil: Millis | undefined;

  constructor(rooms: readonly SupervisedService[], settings: Settings) {
    this.#services = new Map(rooms.map((room) => [room.name, room]));
    this.#ctx = new RelayContext(
      OBSERVERS.filter((service) => this.#services.has(service)),
      (peer) => this.#peers.expectReply(peer),
    );
    this.#settings = settings;
  }

  /** The rooms there are, and which of their keys have to be read with their values. */
  get services(): readonly { readonly name: ServiceName; readonly resident: readonly string[] }[] {
    return [...this.#services.values()];
  }

  /** How many messages of each kind have passed. */
  get messages(): Iterable<Readonly<MessageCount>> {
    return this.#ctx.counter.all();
  }

  /** Makes one room from what it stored. Has to be done for every room before the first step. */
  restore(name: ServiceName, input: RestoreInput): void {
    for (const { peer, listener, connection } of input.resumed) {
      if (this.#peers.get(peer) === undefined) {
        this.#peers.add({ peer, listener, connection }, this.#settings.limits, input.now);
      }
    }
    this.#services.get(name)?.restore(this.#settings, input);
  }

  /** What the event leads to, in order. The array is reused: carry its effects out before the next step. */
  step(event: Event, clock: StepClock): readonly Effect[] {
    const ctx = this.#ctx;
    ctx.begin(clock);
    this.#dispatch(event, ctx);
    this.#deliverServiceMessages(ctx);
    return ctx.effects;
  }

  /** The earliest instant at which the relay has to be stepped. */
  nextWakeup(): Millis | undefined {
    let earliest = this.#peers.nextWakeup();
    for (const room of this.#services.values()) earliest = earlier(earliest, room.nextWakeup());
    return earliest;
  }

  #dispatch(event: Event, ctx: RelayContext): void {
    switch (event.is) {
      case "opened":
        return this.#open(event, ctx);
      case "frame":
        return this.#admit(event, ctx);
      case "closed": {
        const peer = this.#peers.remove(event.peer);
        if (peer !== undefined) this.#stepService(serviceOfListener(peer.listener), event, ctx);
        return;
      }
      case "throttled":
      case "ponged":
      case "backpressure":
      case "relieved":
        return this.#stepServiceOfPeer(event, ctx);
      case "tick":
        for (const [peer, frame] of this.#peers.release({ limits: this.#settings.limits, now: ctx.now })) {
          this.#stepService(serviceOfListener(peer.listener), { is: "frame", peer: peer.id, frame }, ctx);
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
      default: {
        const room = serviceOfEvent(event);
        assert(room !== undefined, `an event without a room: ${event.is}`);
        return this.#stepService(room, event, ctx);
      }
    }
  }

  #open(event: Event & { is: "opened" }, ctx: RelayContext): void {
    if (this.#drainingUntil !== undefined) return ctx.emit({ do: "close", peer: event.peer, fault: "restarting" });
    if (
      !this.#services.has(serviceOfListener(event.listener)) ||
      !this.#peers.hasCapacity(event.connection, this.#settings.limits)
    ) {
      return this.#refuse(event.peer, event.connection.address, "tooManyPeers");
    }
    this.#peers.add(event, this.#settings.limits, ctx.now);
    this.#stepService(serviceOfListener(event.listener), event, ctx);
  }

  #admit(event: PeerEvent & { is: "frame" }, ctx: RelayContext): void {
    const peer = this.#peers.get(event.peer);
    if (peer === undefined) return; // Why: it was refused at the door and its close is on the way.
    const limits = this.#settings.limits;
    const bytesMax = typeof event.frame === "string" || peer.listener !== "intermediary"
      ? limits.message_bytes
      : Math.max(limits.message_bytes, this.#settings.uploads.file_bytes);
    if (event.frame.length > bytesMax) return this.#refuse(peer.id, peer.address, "tooBig");
    const admission = this.#peers.admit(peer, event.frame, { limits, now: ctx.now });
    if (admission === "pass") return this.#stepService(serviceOfListener(peer.listener), event, ctx);
    if (admission === "wait") return;
    if (admission === "flood") return this.#refuse(peer.id, peer.address, "rateLimit");
    this.#stepService(
      serviceOfListener(peer.listener),
      { is: "throttled", peer: peer.id, retryMs: admission.retryMs },
      ctx,
    );
  }

  #refuse(peer: PeerId, from: string, fault: FaultName): void {
    this.#ctx.observe({ is: "peer_closed_by_relay", from, fault });
    this.#ctx.emit({ do: "close", peer, fault });
  }

  #stepServiceOfPeer(event: PeerEvent, ctx: RelayContext): void {
    const peer = this.#peers.get(event.peer);
    if (peer !== undefined) this.#stepService(serviceOfListener(peer.listener), event, ctx);
  }

  #stepAll(event: ServiceEvent, ctx: RelayContext): void {
    for (const name of this.#services.keys()) this.#stepService(name, event, ctx);
  }

  /** One event of one room. What a panicking step wanted is not done: it may be half a thought. */
  #stepService(name: ServiceName, event: ServiceEvent, ctx: RelayContext): void {
    const room = this.#services.get(name);
    if (room === undefined) return this.#fail(event, "notFound");
    ctx.mark(name);
    try {
      if (room.step(event, ctx)) return;
    } catch (panic) {
      ctx.rollBack();
      this.#panicked(name, panic);
      ctx.emit({ do: "rebuild", service: name });
    }
    // Why here too: what has no place to wait for a room that is down is as lost as what made it panic.
    this.#fail(event, "panic");
  }

  /** Tells whoever caused an event that nothing will come of it. */
  #fail(event: ServiceEvent, fault: FaultName): void {
    if (event.is === "requested") this.#ctx.emit({ do: "respond", requestId: event.requestId, fault });
    else if ("peer" in event && event.is !== "closed") this.#refuse(event.peer, this.#addressOf(event.peer), fault);
  }

  #panicked(service: ServiceName, panic: unknown): void {
    const { message: reason, stack = "" } = panic instanceof Error ? panic : new Error(String(panic));
    this.#ctx.observe({ is: "panicked", service, reason, stack });
  }

  #addressOf(peer: PeerId): string {
    return this.#peers.get(peer)?.address ?? "";
  }

  #rebuild({ service: name, entries, resumed }: Rebuilt, ctx: RelayContext): void {
    const room = this.#services.get(name);
    assert(room !== undefined, `rebuilding ${name}, which is not hosted`);
    const present = resumed.filter((resumedPeer: ResumedPeer) => this.#peers.get(resumedPeer.peer) !== undefined);
    const input: RestoreInput = { entries, resumed: present, now: ctx.now };
    // Why: a room that cannot live with what it stored lives without it; the entries stay for whoever mends it.
    const waiting = this.#restoreAgain(room, input) ?? this.#restoreAgain(room, { ...input, entries: [] });
    if (waiting === undefined) return;
    ctx.observe({ is: "service_rebuilt", service: name });
    for (const event of waiting) this.#stepService(name, event, ctx);
    if (this.#drainingUntil !== undefined) this.#stepService(name, { is: "draining", until: this.#drainingUntil }, ctx);
    this.#stepService(name, { is: "tick" }, ctx);
  }

  /** The events that waited for the room; undefined when it panicked again. */
  #restoreAgain(room: SupervisedService, input: RestoreInput): readonly ServiceEvent[] | undefined {
    try {
      return room.restore(this.#settings, input);
    } catch (panic) {
      this.#panicked(room.name, panic);
      return undefined;
    }
  }

  /** What rooms told each other in this step, and what comes of it. */
  #deliverServiceMessages(ctx: RelayContext): void {
    const tellsMax = ctx.messagesWaiting + SERVICE_MESSAGES_PER_STEP_MAX;
    for (let count = 0; count < tellsMax; count++) {
      const told = ctx.nextMessage();
      if (told === undefined) return;
      this.#stepService(told.service, told.event, ctx);
    }
    for (const service of ctx.dropMessages()) {
      this.#panicked(service, new Error("rooms tell each other without end"));
      ctx.emit({ do: "rebuild", service });
    }
    ctx.dropMessages();
  }
}

interface AddressedMessage {
  readonly service: ServiceName;
  readonly event: ServiceMessageEvent;
}

/** The turn that is given to every room within one step of the relay. */
class RelayContext implements StepContext {
  readonly effects: Effect[] = [];
  readonly counter: MessageCounter = new MessageCounter();
  readonly #observers: readonly ServiceName[];
  readonly #asked: (peer: PeerId) => void;
  readonly #messages: AddressedMessage[] = [];
  readonly #mark = { effects: 0, messages: 0 };
  #nextMessage = 0;
  #service: ServiceName | undefined;
  #clock: StepClock | undefined;
  now: Millis = 0;

  /** The rooms that hear every fact, and who keeps count of what peers are asked for. */
  constructor(listeners: readonly ServiceName[], asked: (peer: PeerId) => void) {
    this.#observers = listeners;
    this.#asked = asked;
  }

  begin(clock: StepClock): void {
    this.effects.length = 0;
    this.#messages.length = 0;
    this.#nextMessage = 0;
    this.#clock = clock;
    this.now = clock.now;
  }

  emit(effect: Effect): void {
    if (effect.do === "observe") return this.observe(effect.observation);
    if (effect.do === "send" && effect.expectsReply === true && !isLink(effect.to)) this.#asked(effect.to);
    this.effects.push(effect);
  }

  post(service: ServiceName, message: ServiceMessage): void {
    this.#messages.push({ service: recipientOf(service, message), event: { is: "serviceMessage", message } });
  }

  observe(observation: Observation): void {
    this.effects.push({ do: "observe", observation });
    const event: ServiceMessageEvent = { is: "serviceMessage", message: { is: "observed", observation } };
    for (const service of this.#observers) this.#messages.push({ service, event });
  }

  count(counterpart: string, direction: Direction, kind: string): void {
    this.counter.add({ service: this.#service ?? "relay", counterpart, direction, kind });
  }

  nextMessage(): AddressedMessage | undefined {
    return this.#messages[this.#nextMessage++];
  }

  get messagesWaiting(): number {
    return this.#messages.length - this.#nextMessage;
  }

  /** Forgets the tells that wait, and returns which rooms they were for. */
  dropMessages(): ReadonlySet<ServiceName> {
    const services = new Set(this.#messages.slice(this.#nextMessage).map(({ service }) => service));
    this.#messages.length = this.#nextMessage;
    return services;
  }

  /** Remembers where the step of one room begins. */
  mark(service: ServiceName): void {
    this.#service = service;
    this.#mark.effects = this.effects.length;
    this.#mark.messages = this.#messages.length;
  }

  /** Forgets all that was put since the mark. */
  rollBack(): void {
    this.effects.length = this.#mark.effects;
    this.#messages.length = this.#mark.messages;
  }

  random(): number {
    return this.#current().random();
  }

  id(): string {
    return this.#current().id();
  }

  secret(): string {
    return this.#current().secret();
  }

  #current(): StepClock {
    assert(this.#clock !== undefined, "a turn outside a step");
    return this.#clock;
  }
}
