/**
 * A heap of deadlines with lazy removal; only the earliest deadline is needed. Those of a `DeadlineQueue` are kept by their owners,
 * `Deadlines` have an id; `Timers` are a closed union whose members say by `is` which timer it is, and by their other fields what it is
 * for, such as `{is: "grace", game}`.
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

  /** All items, in no order. */
  get items(): readonly T[] {
    return this.#items;
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

/** A deadline in a `DeadlineQueue`. `of` is what it is for: undefined once it was cleared or has passed. */
export interface Deadline<Of> {
  readonly at: Millis;
  of: Of | undefined;
}

/** Below this many items the heap is not compacted. */
const COMPACT_MIN = 64;

/** Deadlines that their owners keep, so that they are cleared without a look-up. */
export class DeadlineQueue<Of> {
  readonly #heap = new Heap<Deadline<Of>>((left, right) => left.at < right.at);
  #size = 0;
  /** No deadline is earlier. */
  #bound: Millis = Infinity;

  add(of: Of, at: Millis): Deadline<Of> {
    const deadline: Deadline<Of> = { at, of };
    if (at < this.#bound || this.#size === 0) this.#bound = at;
    this.#size++;
    this.#heap.add(deadline);
    if (this.#heap.size > COMPACT_MIN && this.#heap.size > this.#size * 4) this.#compact();
    return deadline;
  }

  clear(deadline: Deadline<Of>): void {
    if (deadline.of === undefined) return;
    deadline.of = undefined;
    this.#size--;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * The earliest deadline, or an earlier time if that deadline was cleared; exact after `due` at that time.
   *
   * Why not always exact: most deadlines are cleared before they pass, and this is asked after every turn of the event loop.
   */
  earliest(): Millis | undefined {
    return this.#size === 0 ? undefined : this.#bound;
  }

  /** Removes the deadlines that have passed, and returns what they are for, earliest first. */
  due(now: Millis): Of[] {
    const passed: Of[] = [];
    if (now < this.#bound) return passed;
    let first = this.#first();
    for (; first !== undefined && first.at <= now; first = this.#first()) {
      if (first.of !== undefined) passed.push(first.of);
      this.clear(first);
    }
    this.#bound = first?.at ?? Infinity;
    return passed;
  }

  /** The first item that is still valid. Cleared items before it are dropped. */
  #first(): Deadline<Of> | undefined {
    let first = this.#heap.first;
    while (first !== undefined && first.of === undefined) {
      this.#heap.dropFirst();
      first = this.#heap.first;
    }
    return first;
  }

  #compact(): void {
    const valid = this.#heap.items.filter(({ of }) => of !== undefined);
    this.#heap.clear();
    for (const deadline of valid) this.#heap.add(deadline);
    this.#bound = this.#heap.first?.at ?? Infinity;
  }
}

/** Deadlines that are found by a key of what they are for. */
class KeyedDeadlines<Of> {
  readonly #queue = new DeadlineQueue<Of>();
  readonly #live = new Map<string, Deadline<Of>>();
  readonly #keyOf: (of: Of) => string;

  constructor(keyOf: (of: Of) => string) {
    this.#keyOf = keyOf;
  }

  /** Sets or moves a deadline. */
  set(of: Of, at: Millis): void {
    const key = this.#keyOf(of);
    const before = this.#live.get(key);
    if (before?.at === at) return;
    if (before !== undefined) this.#queue.clear(before);
    this.#live.set(key, this.#queue.add(of, at));
  }

  clear(of: Of): void {
    const key = this.#keyOf(of);
    const deadline = this.#live.get(key);
    if (deadline === undefined) return;
    this.#queue.clear(deadline);
    this.#live.delete(key);
  }

  get(of: Of): Millis | undefined {
    return this.#live.get(this.#keyOf(of))?.at;
  }

  get size(): number {
    return this.#live.size;
  }

  /** The earliest deadline, or an earlier time if that one was cleared or moved; exact after `due` at that time. */
  earliest(): Millis | undefined {
    return this.#queue.earliest();
  }

  /** Removes the deadlines that have passed, and returns what they are for, earliest first. */
  due(now: Millis): Of[] {
    const passed = this.#queue.due(now);
    for (const of of passed) this.#live.delete(this.#keyOf(of));
    return passed;
  }
}

/** Deadlines with an id. */
export class Deadlines extends KeyedDeadlines<string> {
  constructor() {
    super((id) => id);
  }
}

/** The shape of a timer union: flat, and of texts only, so that equal timers have equal keys. */
export type TimerFields = { readonly is: string } & Readonly<Record<string, string>>;

export class Timers<Timer extends TimerFields> extends KeyedDeadlines<Timer> {
  constructor() {
    super(keyOf);
  }

  /** Sets a timer, unless it is already set to an earlier time. */
  setEarlier(timer: Timer, at: Millis): void {
    const current = this.get(timer);
    if (current === undefined || at < current) this.set(timer, at);
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
