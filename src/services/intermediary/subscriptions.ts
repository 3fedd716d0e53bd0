/**
 * Events to those who watch: in order, from where each of them is, and never at the cost of anybody else.
 *
 * A watcher that keeps up gets each event at once. One that does not is left behind: it is sent what the ring still has, in
 * batches, when its socket has eased, and is told of the gap if the ring has not all. One that wants so many a second gets the first
 * of each second and then the number of the others, as a gap: no page can draw more, and text that nobody reads costs time.
 *
 * Invariants: V1 events reach a watcher in order and once per subscription; V2 nothing is kept, and no text made, unless somebody
 * watches or did in the last five minutes; V3 an event is made text once, however many watch; V4 whoever is not sent an event that
 * it wanted is told of a gap.
 */
import { earlier } from "../../core/deadlines.ts";
import type { Millis, PeerId } from "../../core/ids.ts";
import { EVENT_BATCH_LENGTH_MAX, EVENT_BUFFER_MS } from "../../core/limits.ts";
import type { Observation } from "../../core/observation.ts";
import type { StepContext } from "../../core/context.ts";
import type { EventView } from "../../core/view.ts";
import { EVENT_NAMES, eventOf, eventText } from "./events.ts";
import { EventBuffer } from "./event-buffer.ts";

/** One who watches. */
interface Subscriber {
  readonly peer: PeerId;
  /** The events it wants; undefined: all. */
  events: ReadonlySet<string> | undefined;
  /** The place of the next event it has not had. */
  next: number;
  isBackpressured: boolean;
  /** It has to be told that so many events are missing before `next`. */
  missed: number | null;
  rate: EventRate | undefined;
}

/** So many events in each second. */
interface EventRate {
  readonly rate: number;
  /** When this second is over, and how many it may still have in it. */
  until: Millis;
  left: number;
  skipped: number;
}

export interface Subscription {
  readonly events: readonly string[] | undefined;
  /** The id of the last event it had. */
  readonly after: string | undefined;
  /** How many events a second it wants at most; undefined: all. */
  readonly rate: number | undefined;
}

export class Subscriptions {
  #buffer: EventBuffer | undefined;
  readonly #subscribers = new Map<PeerId, Subscriber>();
  readonly #behind = new Set<Subscriber>();
  /** They have to be told how many were skipped, when their second is over. */
  readonly #rateLimited = new Set<Subscriber>();
  #idleAt: Millis | undefined;
  /** The pace of the last one who left: what is kept for its return need not be more. */
  #lastRate: EventRate | undefined;
  /** Until then nobody has room for an event, and events are only counted: all other work for them would be in vain. */
  #fullUntil: Millis = 0;
  #uncounted = 0;

  /** It sees everything from now on; `missed: null` where it saw an unknown part of what was before. */
  add(
    { peer, events, rate, missed }: Omit<Subscription, "after"> & { readonly peer: PeerId; readonly missed: 0 | null },
    ctx: StepContext,
  ): void {
    this.#applyUncounted();
    this.#idleAt = undefined;
    this.#buffer ??= new EventBuffer(ctx.id());
    const { end: next } = this.#buffer;
    const follower: Subscriber = {
      peer,
      events: subset(events),
      next,
      isBackpressured: false,
      missed,
      rate: newRate(rate),
    };
    this.#subscribers.set(peer, follower);
    if (missed === null) this.#behind.add(follower);
  }

  remove(peer: PeerId, now: Millis): void {
    this.#applyUncounted();
    const follower = this.#subscribers.get(peer);
    if (follower === undefined) return;
    this.#subscribers.delete(peer);
    this.#behind.delete(follower);
    this.#rateLimited.delete(follower);
    this.#lastRate = follower.rate;
    if (this.#subscribers.size === 0) this.#idleAt = now + EVENT_BUFFER_MS;
  }

  /** Other events than before, and those after a cursor again. Returns the events it now gets. */
  subscribe(peer: PeerId, { events, after, rate }: Subscription, ctx: StepContext): readonly string[] {
    this.#applyUncounted();
    const follower = this.#subscribers.get(peer);
    const ring = this.#buffer;
    if (follower === undefined || ring === undefined) return [];
    follower.events = subset(events);
    if (this.#rateLimited.delete(follower) && follower.missed === 0) {
      follower.missed = follower.rate?.skipped ?? 0;
      this.#behind.add(follower);
    }
    follower.rate = newRate(rate);
    if (after !== undefined) {
      ring.prune(ctx.now);
      const { place, isWhole } = ring.after(after);
      follower.next = place;
      follower.missed = isWhole ? 0 : null;
      if (!isWhole || place < ring.end) this.#behind.add(follower);
    }
    return [...follower.events ?? EVENT_NAMES];
  }

  /** The id of the last event, for a snapshot to be taken at. */
  get cursor(): string | undefined {
    const ring = this.#buffer;
    return ring === undefined ? undefined : ring.get(ring.end - 1)?.id ?? ring.floor;
  }

  /** The last events, the oldest first. Whoever asks watches for a while, unless it is for the last time. */
  recent(
    { limit, last = false }: { readonly limit: number; readonly last?: boolean },
    ctx: StepContext,
  ): readonly EventView[] {
    this.#applyUncounted();
    const ring = this.#buffer ??= new EventBuffer(ctx.id());
    if (this.#subscribers.size === 0) this.#idleAt = ctx.now + (last ? 0 : EVENT_BUFFER_MS);
    ring.prune(ctx.now);
    const events: EventView[] = [];
    for (let place = Math.max(ring.first, ring.end - limit); place < ring.end; place++) {
      const seen = ring.get(place);
      if (seen?.observation !== undefined) events.push(eventOf(seen));
    }
    return events;
  }

  /** A fact. Notes nothing itself. */
  publish(observation: Observation, ctx: StepContext): void {
    const ring = this.#buffer;
    if (ring === undefined || !EVENT_NAMES.has(observation.is)) return;
    if (ctx.now < this.#fullUntil) {
      this.#uncounted++;
      return;
    }
    this.#applyUncounted();
    const place = ring.end;
    const receivers: Subscriber[] = [];
    let isOffered = this.#subscribers.size === 0;
    let isWanted = isOffered && hasRoom(this.#lastRate, ctx.now);
    for (const follower of this.#subscribers.values()) {
      if (follower.events?.has(observation.is) === false) continue;
      isOffered = true;
      if (follower.rate !== undefined && follower.rate.until <= ctx.now) this.#sendSkipped(follower, ctx);
      const isCurrent = isUpToDate(follower, place);
      if (hasRoom(follower.rate, ctx.now)) {
        isWanted = true;
        if (isCurrent) receivers.push(follower);
      } else if (isCurrent && follower.rate !== undefined && follower.rate.skipped++ === 0) this.#rateLimited.add(follower);
    }
    const seen = isWanted || !isOffered ? { id: ctx.id(), at: ctx.now, observation } : undefined;
    if (seen === undefined) ring.skip(ctx);
    else ring.push(seen);
    // Why only these: the others get it from the ring.
    for (const follower of this.#subscribers.values()) if (isUpToDate(follower, place)) follower.next = ring.end;
    if (seen === undefined) this.#fullUntil = this.#roomAt(ring.end);
    if (seen === undefined || receivers.length === 0) return;
    const frame = eventText(seen);
    for (const { peer } of receivers) {
      ctx.count("watcher", "out", observation.is);
      ctx.emit({ do: "send", to: peer, frame });
    }
  }

  /** Its socket holds more than it should, or no longer does. */
  setBackpressure(peer: PeerId, isPressed: boolean): void {
    this.#applyUncounted();
    const follower = this.#subscribers.get(peer);
    if (follower === undefined) return;
    follower.isBackpressured = isPressed;
    if (isPressed) this.#behind.delete(follower);
    else if (follower.next < (this.#buffer?.end ?? 0)) this.#behind.add(follower);
  }

  tick(ctx: StepContext): void {
    this.#applyUncounted();
    if (this.#idleAt !== undefined && this.#idleAt <= ctx.now) {
      this.#buffer = undefined;
      this.#idleAt = undefined;
    }
    for (const follower of this.#behind) this.#catchUp(follower, ctx);
    for (const follower of this.#rateLimited) this.#sendSkipped(follower, ctx);
  }

  nextWakeup(): Millis | undefined {
    if (this.#behind.size > 0) return 0;
    let earliest = this.#idleAt;
    for (const { rate, isBackpressured } of this.#rateLimited) {
      if (!isBackpressured) earliest = earlier(earliest, rate?.until);
    }
    return earliest;
  }

  /** When there may be room for an event again; 0 unless all want every event, have had their share, and have missed nothing else. */
  #roomAt(end: number): Millis {
    let at = Infinity;
    for (const follower of this.#subscribers.values()) {
      const { events, rate } = follower;
      if (events !== undefined || rate === undefined || rate.left > 0 || rate.skipped === 0) return 0;
      if (!isUpToDate(follower, end)) return 0;
      at = Math.min(at, rate.until);
    }
    return at === Infinity ? 0 : at;
  }

  /** Takes into account the events that were only counted. */
  #applyUncounted(): void {
    this.#fullUntil = 0;
    if (this.#uncounted === 0) return;
    for (const { rate } of this.#subscribers.values()) if (rate !== undefined) rate.skipped += this.#uncounted;
    this.#buffer?.extendGap(this.#uncounted);
    this.#uncounted = 0;
  }

  #sendSkipped(follower: Subscriber, ctx: StepContext): void {
    const { rate, peer, isBackpressured } = follower;
    if (rate === undefined || rate.skipped === 0 || rate.until > ctx.now || isBackpressured) return;
    ctx.emit({ do: "send", to: peer, frame: gap(rate.skipped) });
    rate.skipped = 0;
    this.#rateLimited.delete(follower);
  }

  #catchUp(follower: Subscriber, ctx: StepContext): void {
    const ring = this.#buffer;
    if (ring === undefined) return;
    ring.prune(ctx.now);
    if (follower.next < ring.first) {
      const isCounted = follower.missed !== null && follower.next >= ring.uncounted;
      follower.missed = isCounted ? (follower.missed ?? 0) + ring.first - follower.next : null;
      follower.next = ring.first;
    }
    if (follower.missed !== 0) ctx.emit({ do: "send", to: follower.peer, frame: gap(follower.missed) });
    follower.missed = 0;
    for (let length = 0; length < EVENT_BATCH_LENGTH_MAX && follower.next < ring.end; follower.next++) {
      const seen = ring.get(follower.next);
      if (seen === undefined || (seen.observation !== undefined && follower.events?.has(seen.observation.is) === false)) {
        continue;
      }
      const frame = seen.observation === undefined ? gap(seen.skipped) : eventText(seen);
      if (seen.observation !== undefined) ctx.count("watcher", "out", seen.observation.is);
      ctx.emit({ do: "send", to: follower.peer, frame });
      length += frame.length;
    }
    if (follower.next >= ring.end) this.#behind.delete(follower);
  }
}

const subset = (events: readonly string[] | undefined): ReadonlySet<string> | undefined =>
  events && new Set(events.filter((name) => EVENT_NAMES.has(name)));

const SECOND_MS = 1_000;

/** Nothing is between it and an event at this place. */
const isUpToDate = ({ next, missed, isBackpressured }: Subscriber, place: number): boolean =>
  next >= place && missed === 0 && !isBackpressured;

/** Takes one event off what there is room for in this second. */
function hasRoom(pace: EventRate | undefined, now: Millis): boolean {
  if (pace === undefined) return true;
  if (pace.until <= now) {
    pace.until = now + SECOND_MS;
    pace.left = pace.rate;
  }
  return pace.left > 0 && pace.left-- > 0;
}

const newRate = (rate: number | undefined): EventRate | undefined =>
  rate === undefined ? undefined : { rate, until: 0, left: 0, skipped: 0 };

/** Events are missing here: how many, where that is known. */
const gap = (missed: number | null): string => JSON.stringify({ event: "gap", missed });
