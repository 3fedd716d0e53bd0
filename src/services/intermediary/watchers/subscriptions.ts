/**
 * Delivers events to subscribers in order, from each subscriber's position. A slow subscriber never delays others.
 *
 * A subscriber that keeps up gets each event at once. A subscriber under backpressure gets nothing until its socket is relieved, then the
 * events in the buffer in batches, after a gap if some were dropped from the buffer. A subscriber with a rate gets the first events of
 * each
 * second, and then the number of the others as a gap.
 *
 * Invariants: S1 a subscriber gets events in order and once per subscription; S2 events are recorded, and their text is made, only while a
 * subscription exists or ended within `EVENT_BUFFER_MS`; S3 the text of an event is made once for all subscribers; S4 a subscriber gets a
 * gap in place of events that it wants and does not get.
 */
import type { StepContext } from "../../../core/context.ts";
import { earlier } from "../../../core/deadlines.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { EVENT_BATCH_LENGTH_MAX, EVENT_BUFFER_MS } from "../../../core/limits.ts";
import type { Observation, ObservationName } from "../../../core/observation.ts";
import type { RetainedBytes } from "../../../core/retained-bytes.ts";
import type { EventRequest } from "../../../core/request.ts";
import type { EventPage } from "../../../core/view.ts";
import { type BufferedEvent, EventBuffer } from "./event-buffer.ts";
import { eventsAfter, latestEvents } from "./event-pages.ts";
import { DEFAULT_EVENTS, EVENT_NAMES, eventText, gapText } from "./events.ts";

interface Subscriber {
  readonly peer: PeerId;
  /** The names of the events it wants. Undefined: `DEFAULT_EVENTS`. */
  events: ReadonlySet<string> | undefined;
  /** The position of its next event in the buffer. */
  next: number;
  isBackpressured: boolean;
  /** Number of events skipped before `next` that have not been reported to it. Null: unknown. */
  missed: number | null;
  rate: EventRate | undefined;
}

/** A limit of events per second. */
interface EventRate {
  readonly perSecond: number;
  /** The end of the current second, and how many events may still be sent in it. */
  until: Millis;
  left: number;
  skipped: number;
}

/** A subscription: the events and the rate that a watcher asked for. */
export interface SubscriptionOptions {
  /** Names of events. Undefined: all. */
  readonly events: readonly string[] | undefined;
  /** Events per second at most. Undefined: no limit. */
  readonly rate: number | undefined;
}

export class Subscriptions {
  readonly #retained: RetainedBytes;
  #buffer: EventBuffer | undefined;
  readonly #subscribers = new Map<PeerId, Subscriber>();
  /** Subscribers that have to be sent events from the buffer. */
  readonly #behind = new Set<Subscriber>();
  /** Subscribers that get the number of skipped events when their second is over. */
  readonly #rateLimited = new Set<Subscriber>();
  #wantsTraces = false;
  #idleAt: Millis | undefined;
  /** The rate of the subscriber that left last: no more than this has to be recorded for its return. */
  #lastRate: EventRate | undefined;
  #fullUntil: Millis = 0;
  #uncounted = 0;

  constructor(retained: RetainedBytes) {
    this.#retained = retained;
  }

  /** Adds a subscriber at the end of the buffer. `missed: null`: it missed an unknown number of earlier events. */
  add(peer: PeerId, { events, rate }: SubscriptionOptions, ctx: StepContext, missed: 0 | null = 0): void {
    this.#applyUncounted();
    this.#idleAt = undefined;
    this.#buffer ??= new EventBuffer(ctx.id(), this.#retained);
    const subscriber: Subscriber = {
      peer,
      events: knownEvents(events),
      next: this.#buffer.end,
      isBackpressured: false,
      missed,
      rate: newRate(rate),
    };
    this.#subscribers.set(peer, subscriber);
    this.#checkTraces();
    if (missed === null) this.#behind.add(subscriber);
  }

  remove(peer: PeerId, now: Millis): void {
    this.#applyUncounted();
    const subscriber = this.#subscribers.get(peer);
    if (subscriber === undefined) return;
    this.#subscribers.delete(peer);
    this.#checkTraces();
    this.#behind.delete(subscriber);
    this.#rateLimited.delete(subscriber);
    this.#lastRate = subscriber.rate;
    if (this.#subscribers.size === 0) this.#idleAt = now + EVENT_BUFFER_MS;
  }

  /** Changes a subscription. With the id of an event in `after`, later events are sent again. Returns the names it now gets. */
  change(
    peer: PeerId,
    { events, rate, after }: SubscriptionOptions & { readonly after: string | undefined },
    ctx: StepContext,
  ): readonly string[] {
    this.#applyUncounted();
    const subscriber = this.#subscribers.get(peer);
    const buffer = this.#buffer;
    if (subscriber === undefined || buffer === undefined) return [];
    subscriber.events = knownEvents(events);
    this.#checkTraces();
    if (this.#rateLimited.delete(subscriber) && subscriber.missed === 0) {
      subscriber.missed = subscriber.rate?.skipped ?? 0;
      this.#behind.add(subscriber);
    }
    subscriber.rate = newRate(rate);
    if (after !== undefined) {
      buffer.prune(ctx.now);
      const { position, isComplete } = buffer.after(after);
      subscriber.next = position;
      subscriber.missed = isComplete ? 0 : null;
      if (!isComplete || position < buffer.end) this.#behind.add(subscriber);
    }
    return [...subscriber.events ?? DEFAULT_EVENTS];
  }

  /** Events are recorded, or counted. */
  get isRecording(): boolean {
    return this.#buffer !== undefined;
  }

  /** Until then no subscriber has room for an event, so events are only counted. */
  get fullUntil(): Millis {
    return this.#fullUntil;
  }

  /** Counts events that happened before `fullUntil`. */
  skip(count: number): void {
    this.#uncounted += count;
  }

  /** A subscriber wants the event of each trace. */
  get wantsTraces(): boolean {
    return this.#wantsTraces;
  }

  /** Why kept: each action, context and command asks for it. */
  #checkTraces(): void {
    this.#wantsTraces = [...this.#subscribers.values()].some((subscriber) => wantsEvent(subscriber, "trace_ended"));
  }

  /** The id of the latest event, at which a snapshot is taken. */
  get cursor(): string | undefined {
    return this.#buffer?.newest;
  }

  /**
   * The latest events, or the first ones after an id; the oldest first. Keeps recording for `EVENT_BUFFER_MS`, unless this is the last time
   * (`last`).
   */
  page({ limit, after, last = false, ...filter }: EventRequest, ctx: StepContext): EventPage {
    this.#applyUncounted();
    const buffer = this.#buffer ??= new EventBuffer(ctx.id(), this.#retained);
    if (this.#subscribers.size === 0) this.#idleAt = ctx.now + (last ? 0 : EVENT_BUFFER_MS);
    buffer.prune(ctx.now);
    return after === undefined ? latestEvents(buffer, limit, filter) : eventsAfter(buffer, after, limit, filter);
  }

  /** The subscription of a peer: the names of its events, and its rate. Undefined where it has none. */
  optionsOf(peer: PeerId): SubscriptionOptions {
    const { events, rate } = this.#subscribers.get(peer) ?? {};
    return { events: events && [...events], rate: rate?.perSecond };
  }

  /** Sends an observation to its subscribers. Observes nothing itself, so it cannot cause a loop. */
  publish(observation: Observation, ctx: StepContext): void {
    const buffer = this.#buffer;
    if (buffer === undefined || !EVENT_NAMES.has(observation.is)) return;
    if (ctx.now < this.#fullUntil) return this.skip(1);
    this.#applyUncounted();
    const position = buffer.end;
    const { receivers, isRecorded } = this.#offer(observation, position, ctx);
    const event: BufferedEvent | undefined = isRecorded
      ? { is: "event", id: ctx.id(), at: ctx.now, observation }
      : undefined;
    if (event === undefined) buffer.skip(ctx);
    else buffer.push(event);
    // Why only subscribers that are up to date: the others get it from the buffer.
    for (const subscriber of this.#subscribers.values()) {
      if (isUpToDate(subscriber, position)) subscriber.next = buffer.end;
    }
    if (event === undefined) this.#fullUntil = this.#capacityAt(buffer.end);
    if (event === undefined || receivers.length === 0) return;
    const frame = eventText(event);
    for (const { peer } of receivers) {
      ctx.count("watcher", "out", observation.is);
      ctx.emit({ do: "send", to: peer, frame });
    }
  }

  /** The subscribers that get an event at once, and whether it has to be recorded. */
  #offer(
    observation: Observation,
    position: number,
    ctx: StepContext,
  ): { readonly receivers: readonly Subscriber[]; readonly isRecorded: boolean } {
    const receivers: Subscriber[] = [];
    let isWanted = this.#subscribers.size === 0;
    let hasTaker = isWanted && takeFromRate(this.#lastRate, ctx.now);
    for (const subscriber of this.#subscribers.values()) {
      if (!wantsEvent(subscriber, observation.is)) continue;
      isWanted = true;
      if (subscriber.rate !== undefined && subscriber.rate.until <= ctx.now) this.#sendSkipped(subscriber, ctx);
      const isCurrent = isUpToDate(subscriber, position);
      if (takeFromRate(subscriber.rate, ctx.now)) {
        hasTaker = true;
        if (isCurrent) receivers.push(subscriber);
      } else if (isCurrent && subscriber.rate !== undefined && subscriber.rate.skipped++ === 0) {
        this.#rateLimited.add(subscriber);
      }
    }
    return { receivers, isRecorded: hasTaker || !isWanted };
  }

  /** The socket of a subscriber came under backpressure, or was relieved. */
  setBackpressure(peer: PeerId, isBackpressured: boolean): void {
    this.#applyUncounted();
    const subscriber = this.#subscribers.get(peer);
    if (subscriber === undefined) return;
    subscriber.isBackpressured = isBackpressured;
    if (isBackpressured) this.#behind.delete(subscriber);
    else if (subscriber.next < (this.#buffer?.end ?? 0)) this.#behind.add(subscriber);
  }

  tick(ctx: StepContext): void {
    this.#applyUncounted();
    if (this.#idleAt !== undefined && this.#idleAt <= ctx.now) {
      this.#buffer?.close();
      this.#buffer = undefined;
      this.#idleAt = undefined;
    }
    for (const subscriber of this.#behind) this.#catchUp(subscriber, ctx);
    for (const subscriber of this.#rateLimited) this.#sendSkipped(subscriber, ctx);
  }

  nextWakeup(): Millis | undefined {
    if (this.#behind.size > 0) return 0;
    let earliest = this.#idleAt;
    for (const { rate, isBackpressured } of this.#rateLimited) {
      if (!isBackpressured) earliest = earlier(earliest, rate?.until);
    }
    return earliest;
  }

  /** When a subscriber may have room again. 0 unless all want every event, have used up their rate and have missed nothing else. */
  #capacityAt(end: number): Millis {
    if (this.#subscribers.size === 0) return this.#lastRate?.left === 0 ? this.#lastRate.until : 0;
    let at = Infinity;
    for (const subscriber of this.#subscribers.values()) {
      const { events, rate } = subscriber;
      if (events !== undefined || rate === undefined || rate.left > 0 || rate.skipped === 0) return 0;
      if (!isUpToDate(subscriber, end)) return 0;
      at = Math.min(at, rate.until);
    }
    return at;
  }

  /** Adds the events that were only counted to the gap in the buffer and to the rates. */
  #applyUncounted(): void {
    this.#fullUntil = 0;
    if (this.#uncounted === 0) return;
    for (const { rate } of this.#subscribers.values()) if (rate !== undefined) rate.skipped += this.#uncounted;
    this.#buffer?.extendGap(this.#uncounted);
    this.#uncounted = 0;
  }

  /** Reports to a subscriber how many events its rate skipped, once its second is over. */
  #sendSkipped(subscriber: Subscriber, ctx: StepContext): void {
    const { rate, peer, isBackpressured } = subscriber;
    if (rate === undefined || rate.skipped === 0 || rate.until > ctx.now || isBackpressured) return;
    ctx.emit({ do: "send", to: peer, frame: gapText(rate.skipped) });
    rate.skipped = 0;
    this.#rateLimited.delete(subscriber);
  }

  /** Sends the next batch from the buffer. */
  #catchUp(subscriber: Subscriber, ctx: StepContext): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    buffer.prune(ctx.now);
    if (subscriber.next < buffer.first) {
      const isCounted = subscriber.missed !== null && subscriber.next >= buffer.countedFrom;
      subscriber.missed = isCounted ? (subscriber.missed ?? 0) + buffer.first - subscriber.next : null;
      subscriber.next = buffer.first;
    }
    if (subscriber.missed !== 0) ctx.emit({ do: "send", to: subscriber.peer, frame: gapText(subscriber.missed) });
    subscriber.missed = 0;
    for (let length = 0; length < EVENT_BATCH_LENGTH_MAX && subscriber.next < buffer.end; subscriber.next++) {
      const item = buffer.get(subscriber.next);
      if (item === undefined || (item.is === "event" && !wantsEvent(subscriber, item.observation.is))) continue;
      const frame = item.is === "gap" ? gapText(item.skipped) : eventText(item);
      if (item.is === "event") ctx.count("watcher", "out", item.observation.is);
      ctx.emit({ do: "send", to: subscriber.peer, frame });
      length += frame.length;
    }
    if (subscriber.next >= buffer.end) this.#behind.delete(subscriber);
  }
}

const wantsEvent = ({ events }: Subscriber, name: ObservationName): boolean => (events ?? DEFAULT_EVENTS).has(name);

const knownEvents = (events: readonly string[] | undefined): ReadonlySet<string> | undefined =>
  events && new Set(events.filter((name) => EVENT_NAMES.has(name)));

const SECOND_MS = 1_000;

/** True when a subscriber has been sent everything before a position. */
const isUpToDate = ({ next, missed, isBackpressured }: Subscriber, position: number): boolean =>
  next >= position && missed === 0 && !isBackpressured;

/** Takes one event from the budget of the current second. False when the budget is used up. */
function takeFromRate(rate: EventRate | undefined, now: Millis): boolean {
  if (rate === undefined) return true;
  if (rate.until <= now) {
    rate.until = now + SECOND_MS;
    rate.left = rate.perSecond;
  }
  return rate.left > 0 && rate.left-- > 0;
}

const newRate = (perSecond: number | undefined): EventRate | undefined =>
  perSecond === undefined ? undefined : { perSecond, until: 0, left: 0, skipped: 0 };
