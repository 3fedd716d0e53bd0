/**
 * A heap of deadlines with lazy removal; only the earliest deadline is needed. `Deadlines` have an id; `Timers` are a closed
 * union whose members say by `is` which timer it is, and by their other fields what it is for, such as `{is: "grace", game}`.
 * A timer is never taken apart as text, so a service handles due timers in one exhaustive `switch`.
 *
 * Invariants: D1 an id has at most one deadline, the last one set; D2 `earliest` is the earliest of them, or an earlier time if that
 * one was cleared or moved; D3 the heap holds at most four times as many items as there are deadlines, however often they are moved;
 * D4 timers with equal fields are one timer, in whatever order the fields are written.
 */
import type { Millis } from "./ids.ts";

/** A binary heap with the first item of a given order on top. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (left: T, right: T) => boolean;

  constructor(isBefore: (left: T, right: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  clear(): void {
    this.#items.length = 0;
  }

  /** Adds an item: it moves up past every item that it precedes. */
  add(item: T): void {
    const items = this.#items;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent];
      if (above === undefined || !this.#isBefore(item, above)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  /** Removes the first item: the last one takes its position and moves down past every item that precedes it. */
  dropFirst(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let least = items[child];
      const right = items[child + 1];
      if (least !== undefined && right !== undefined && this.#isBefore(right, least)) {
        least = right;
        child++;
      }
      if (least === undefined || !this.#isBefore(least, last)) break;
      items[at] = least;
      at = child;
    }
    items[at] = last;
  }
}

interface Due {
  readonly at: Millis;
  readonly id: string;
}

/** Below this many items the heap is not compacted. */
const COMPACT_MIN = 64;

export class Deadlines {
  readonly #heap = new Heap<Due>((left, right) => left.at < right.at);
  readonly #live = new Map<string, Millis>();
  /** No deadline is earlier. */
  #bound: Millis = Infinity;

  /** Sets or moves the deadline of `id`. */
  set(id: string, at: Millis): void {
    if (this.#live.get(id) === at) return;
    if (at < this.#bound || this.#live.size === 0) this.#bound = at;
    this.#live.set(id, at);
    this.#heap.add({ at, id });
    if (this.#heap.size > COMPACT_MIN && this.#heap.size > this.#live.size * 4) this.#compact();
  }

  clear(id: string): void {
    this.#live.delete(id);
  }

  get(id: string): Millis | undefined {
    return this.#live.get(id);
  }

  get size(): number {
    return this.#live.size;
  }

  /**
   * The earliest deadline, or an earlier time if that deadline was cleared or moved; exact after `due` at that time.
   *
   * Why not always exact: most deadlines are cleared before they pass, and this is asked after every event.
   */
  earliest(): Millis | undefined {
    return this.#live.size === 0 ? undefined : this.#bound;
  }

  /** Removes and returns the ids whose deadline has passed, earliest first. */
  due(now: Millis): string[] {
    const ids: string[] = [];
    if (now < this.#bound) return ids;
    let first = this.#first();
    for (; first !== undefined && first.at <= now; first = this.#first()) {
      this.#live.delete(first.id);
      ids.push(first.id);
    }
    this.#bound = first?.at ?? Infinity;
    return ids;
  }

  /** The first item that is still valid. Removed items before it are dropped. */
  #first(): Due | undefined {
    let first = this.#heap.first;
    while (first !== undefined && this.#live.get(first.id) !== first.at) {
      this.#heap.dropFirst();
      first = this.#heap.first;
    }
    return first;
  }

  #compact(): void {
    this.#heap.clear();
    for (const [id, at] of this.#live) this.#heap.add({ at, id });
    this.#bound = this.#heap.first?.at ?? Infinity;
  }
}

/** The shape of a timer union: flat, and of texts only, so that equal timers have equal keys. */
export type TimerFields = { readonly is: string } & Readonly<Record<string, string>>;

export class Timers<Timer extends TimerFields> {
  readonly #deadlines = new Deadlines();
  readonly #timers = new Map<string, Timer>();

  /** Sets or moves a timer. */
  set(timer: Timer, at: Millis): void {
    const key = keyOf(timer);
    this.#timers.set(key, timer);
    this.#deadlines.set(key, at);
  }

  /** Sets a timer, unless it is already set to an earlier time. */
  setEarlier(timer: Timer, at: Millis): void {
    const current = this.get(timer);
    if (current === undefined || at < current) this.set(timer, at);
  }

  clear(timer: Timer): void {
    const key = keyOf(timer);
    this.#timers.delete(key);
    this.#deadlines.clear(key);
  }

  get(timer: Timer): Millis | undefined {
    return this.#deadlines.get(keyOf(timer));
  }

  get size(): number {
    return this.#timers.size;
  }

  earliest(): Millis | undefined {
    return this.#deadlines.earliest();
  }

  /** Removes and returns the timers that are due, the earliest first. */
  due(now: Millis): Timer[] {
    const timers: Timer[] = [];
    for (const key of this.#deadlines.due(now)) {
      const timer = this.#timers.get(key);
      this.#timers.delete(key);
      if (timer !== undefined) timers.push(timer);
    }
    return timers;
  }
}

/** The kind and every other field with its length, so that different timers have different keys whatever the fields hold. */
function keyOf(timer: TimerFields): string {
  let key = timer.is;
  let others = 0;
  for (const field in timer) {
    if (field === "is") continue;
    others++;
    key += partOf(timer, field);
  }
  // Why not always: nearly every timer has one other field, and keys are made on the path of every message.
  return others < 2
    ? key
    : timer.is + Object.keys(timer).filter((field) => field !== "is").sort().map((field) => partOf(timer, field)).join("");
}

function partOf(timer: TimerFields, field: string): string {
  const value = timer[field] ?? "";
  return ` ${field}=${value.length}:${value}`;
}

/** The earlier of two times, either of which may be undefined. */
export const earlier = (one: Millis | undefined, other: Millis | undefined): Millis | undefined =>
  one === undefined || (other !== undefined && other < one) ? other : one;
