/**
 * The last events, for watchers who were away or too slow. Where nobody had the time for them there is a hole, which says how many
 * there were: to keep what is not looked at costs a busy relay more than anything else here.
 *
 * Invariants: R1 places are numbered without gaps from `first` up to, not including, `end`; R2 number, age and estimated size are
 * bounded, the oldest go first; R3 `floor` is the id after which nothing is missing.
 */
import type { Millis } from "../../core/ids.ts";
import { EVENT_BUFFER_BYTES_MAX, EVENT_BUFFER_MAX, EVENT_BUFFER_MS } from "../../core/limits.ts";
import type { Observation } from "../../core/observation.ts";
import type { StepClock } from "../../core/context.ts";

/** A note that watchers may see, as it happened. Holds a reference, no text: that is made for whoever reads it. */
export interface BufferedEvent {
  readonly id: string;
  readonly at: Millis;
  readonly observation: Observation;
}

/** So many events that nobody had the time for. */
export interface EventGap {
  readonly id: string;
  readonly at: Millis;
  readonly observation?: undefined;
  skipped: number;
}

/** Places that are freed at a time, so that taking the first costs nothing by itself. */
const FREED_AT_ONCE = 1_024;

export class EventBuffer {
  #places: { readonly seen: BufferedEvent | EventGap; readonly weight: number }[] = [];
  #head = 0;
  #weight = 0;
  first = 0;
  /** The place after the last hole that is gone: how much is missing before it nobody knows. */
  uncounted = 0;
  floor: string;

  constructor(floor: string) {
    this.floor = floor;
  }

  get end(): number {
    return this.first + this.#places.length - this.#head;
  }

  get(place: number): BufferedEvent | EventGap | undefined {
    return this.#places[place - this.first + this.#head]?.seen;
  }

  push(seen: BufferedEvent): void {
    this.#add(seen, weigh(seen.observation));
  }

  /** An event that nobody had the time for. */
  skip(ctx: StepClock): void {
    const last = this.get(this.end - 1);
    if (last !== undefined && last.observation === undefined) last.skipped++;
    else this.#add({ id: ctx.id(), at: ctx.now, skipped: 1 }, GAP_WEIGHT);
  }

  /** So many more of those that nobody had the time for; there was one just now. */
  extendGap(count: number): void {
    const last = this.get(this.end - 1);
    if (last !== undefined && last.observation === undefined) last.skipped += count;
  }

  #add(seen: BufferedEvent | EventGap, weight: number): void {
    this.#places.push({ seen, weight });
    this.#weight += weight;
    while (this.end - this.first > EVENT_BUFFER_MAX || this.#weight > EVENT_BUFFER_BYTES_MAX) this.#dropFirst();
    this.prune(seen.at);
  }

  /** Drops what is too old. */
  prune(now: Millis): void {
    for (let oldest = this.get(this.first); oldest !== undefined && oldest.at + EVENT_BUFFER_MS <= now;) {
      this.#dropFirst();
      oldest = this.get(this.first);
    }
  }

  /** The first place after an event, and whether something between the two is missing. */
  after(id: string): { readonly place: number; readonly isWhole: boolean } {
    const newest = this.get(this.end - 1)?.id ?? this.floor;
    if (id < this.floor || id > newest) return { place: this.first, isWhole: false };
    let [low, high] = [this.first, this.end];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.get(middle)?.id ?? "") > id) high = middle;
      else low = middle + 1;
    }
    return { place: low, isWhole: true };
  }

  #dropFirst(): void {
    const place = this.#places[this.#head];
    if (place === undefined) return;
    this.floor = place.seen.id;
    this.#weight -= place.weight;
    this.first++;
    if (place.seen.observation === undefined) this.uncounted = this.first;
    if (++this.#head < FREED_AT_ONCE && this.#head < this.#places.length) return;
    this.#places = this.#places.slice(this.#head);
    this.#head = 0;
  }
}

const GAP_WEIGHT = 64;

/** Roughly how many bytes a value holds; cheaper than its text, and enough to bound the memory. */
function weigh(value: unknown): number {
  if (typeof value === "string") return 2 * value.length + 16;
  if (typeof value !== "object" || value === null) return 8;
  let sum = 16;
  for (const part of Object.values(value)) sum += 16 + weigh(part);
  return sum;
}
