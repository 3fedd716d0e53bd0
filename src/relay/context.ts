/** The context that the relay gives to every service within one step. */
import { assert } from "../core/assert.ts";
import type { Effect } from "../core/effect.ts";
import type { ServiceMessageEvent } from "../core/event.ts";
import { isLink, type Millis, type PeerId } from "../core/ids.ts";
import { MessageCounter, type MessageDirection } from "../core/message-counter.ts";
import type { Observation, ObservationName, ResultOrigin } from "../core/observation.ts";
import type { ServiceMessage } from "../core/service-message.ts";
import type { ServiceName } from "../core/service.ts";
import type { StepClock, StepContext } from "../core/context.ts";
import { recipientOf } from "./routing.ts";
import type { SupervisedService } from "./supervised-service.ts";

/** A message that waits for its recipient's step. */
export interface AddressedMessage {
  readonly service: ServiceName;
  readonly event: ServiceMessageEvent;
}

/** What the context needs to know of a service. */
export type ObservingService = Pick<SupervisedService, "name" | "observes" | "countsUntil" | "ignores">;

/** A service that observes, and the number of observations that it gets only as a number and has not been told yet. */
interface ObserverState {
  readonly service: ObservingService;
  counted: number;
  countedAtMark: number;
}

/** Who reads the observations of one name. */
interface Readers {
  /** Before `countsUntil` an observer needs only their number. */
  readonly observers: readonly { readonly observer: ObserverState; readonly countsUntil: Millis }[];
  /** The log or the metrics do. */
  readonly areReported: boolean;
}

/** What reads observations besides the services. */
export interface ObservationReader {
  /** Whether the log or the metrics read observations of this name now. */
  reads(name: ObservationName): boolean;
  /** See `StepContext`. */
  countResult(from: string, origin: ResultOrigin, success: boolean, ms: Millis): void;
}

/** What admission needs to know of the effects. */
export interface ContextHooks {
  /** A frame is sent to which its peer has to reply. */
  replyExpected(peer: PeerId): void;
  /** A service keeps an attachment for a peer: it has accepted the peer. */
  accepted(peer: PeerId): void;
}

/** Collects effects and messages; the additions of a panicking step can be rolled back. */
export class RelayContext implements StepContext {
  readonly effects: Effect[] = [];
  readonly counter: MessageCounter = new MessageCounter();
  /** The number of observations that nothing read. */
  readonly unread: Map<ObservationName, number> = new Map();
  readonly #services: readonly ObservingService[];
  readonly #observers: readonly ObserverState[];
  readonly #reader: ObservationReader | undefined;
  readonly #hooks: ContextHooks;
  readonly #messages: AddressedMessage[] = [];
  /** Who reads observations, until a service that may do so is stepped. New levels of the log are an event for all services, too. */
  readonly #readers = new Map<ObservationName, Readers>();
  readonly #mark = { effects: 0, messages: 0 };
  #nextMessage = 0;
  #service: ServiceName | undefined;
  #clock: StepClock | undefined;
  now: Millis = 0;

  /** `reader`: undefined if everything is read. */
  constructor(services: readonly ObservingService[], reader: ObservationReader | undefined, hooks: ContextHooks) {
    this.#services = services;
    this.#reader = reader;
    const observing = services.filter(({ observes }) => observes !== undefined);
    this.#observers = observing.map((service) => ({ service, counted: 0, countedAtMark: 0 }));
    this.#hooks = hooks;
  }

  /** Begins a step of the relay. */
  begin(clock: StepClock): void {
    this.effects.length = 0;
    this.#messages.length = 0;
    this.#nextMessage = 0;
    this.#clock = clock;
    this.now = clock.now;
  }

  emit(effect: Effect): void {
    if (effect.do === "observe") return this.observe(effect.observation);
    const isAnswered = (effect.do === "send" || effect.do === "reply") && effect.expectsReply === true;
    if (isAnswered && !isLink(effect.to)) this.#hooks.replyExpected(effect.to);
    if (effect.do === "attach") this.#hooks.accepted(effect.peer);
    this.effects.push(effect);
  }

  post(service: ServiceName, message: ServiceMessage): void {
    this.#messages.push({ service: recipientOf(service, message), event: { is: "serviceMessage", message } });
  }

  isIgnored(service: ServiceName, name: ServiceMessage["is"]): boolean {
    for (const each of this.#services) if (each.name === service) return each.ignores?.(name) === true;
    return true;
  }

  observe(observation: Observation): void {
    this.effects.push({ do: "observe", observation });
    for (const { observer, countsUntil } of this.#readersOf(observation.is).observers) {
      if (this.now < countsUntil) observer.counted++;
      else this.post(observer.service.name, { is: "observed", observation });
    }
  }

  countUnread(name: ObservationName): boolean {
    const { observers, areReported } = this.#readersOf(name);
    if (areReported) return false;
    for (const { countsUntil } of observers) if (this.now >= countsUntil) return false;
    for (const { observer } of observers) observer.counted++;
    this.unread.set(name, (this.unread.get(name) ?? 0) + 1);
    return true;
  }

  #readersOf(name: ObservationName): Readers {
    const known = this.#readers.get(name);
    if (known !== undefined) return known;
    const observers = this.#observers.filter(({ service }) => service.observes?.(name) === true)
      .map((observer) => ({ observer, countsUntil: observer.service.countsUntil(name) }));
    const readers = { observers, areReported: this.#reader?.reads(name) !== false };
    this.#readers.set(name, readers);
    return readers;
  }

  count(counterpart: string, direction: MessageDirection, kind: string): void {
    this.counter.add(this.#service ?? "relay", counterpart, direction, kind);
  }

  countResult(from: string, origin: ResultOrigin, success: boolean, ms: Millis): void {
    this.#reader?.countResult(from, origin, success, ms);
  }

  nextMessage(): AddressedMessage | undefined {
    return this.#messages[this.#nextMessage++];
  }

  get messagesWaiting(): number {
    return this.#messages.length - this.#nextMessage;
  }

  /** Drops the messages that wait, and returns their recipients. */
  dropMessages(): ReadonlySet<ServiceName> {
    const services = new Set(this.#messages.slice(this.#nextMessage).map(({ service }) => service));
    this.#messages.length = this.#nextMessage;
    return services;
  }

  /** The number of observations that a service only counts, of which it has to be told before its next step. */
  takeCounted(service: ServiceName): number {
    for (const observer of this.#observers) {
      if (observer.service.name !== service) continue;
      const { counted } = observer;
      observer.counted = 0;
      return counted;
    }
    return 0;
  }

  /** Marks the beginning of one service's step. */
  mark(service: ServiceName): void {
    this.#service = service;
    for (const observer of this.#observers) {
      if (observer.service.name === service) this.#readers.clear();
      observer.countedAtMark = observer.counted;
    }
    this.#mark.effects = this.effects.length;
    this.#mark.messages = this.#messages.length;
  }

  /** The effects that were added since the mark. */
  *effectsSinceMark(): Generator<Effect> {
    for (let at = this.#mark.effects; at < this.effects.length; at++) yield this.effects[at] as Effect;
  }

  /** Removes everything that was added since the mark. */
  rollBack(): void {
    this.effects.length = this.#mark.effects;
    this.#messages.length = this.#mark.messages;
    for (const observer of this.#observers) observer.counted = observer.countedAtMark;
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
    assert(this.#clock !== undefined, "the context is used outside a step");
    return this.#clock;
  }
}
