/**
 * The latest events, for watchers that resume or are slow. Events that no watcher had room for are only counted, as a gap: recording
 * unread events was the most expensive operation of a busy relay.
 *
 * Invariants: B1 positions are consecutive from `first` up to, not including, `end`; B2 number, age and estimated size are limited by
 * `EVENT_BUFFER_MAX`, `EVENT_BUFFER_MS` and `EVENT_BUFFER_BYTES_MAX`, and the oldest are dropped first; B3 no event after the id
 * `floor` is missing.
 */
import type { StepClock } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import { EVENT_BUFFER_BYTES_MAX, EVENT_BUFFER_MAX, EVENT_BUFFER_MS } from "../../../core/limits.ts";
import { RetainedBytes, retainedBytes } from "../../../core/retained-bytes.ts";
import type { Observation } from "../../../core/observation.ts";

/** An observation that watchers may see. Holds a reference and no text: the text is made when it is first read. */
export interface BufferedEvent {
  readonly is: "event";
  readonly id: string;
  readonly at: Millis;
  readonly observation: Observation;
}

/** A number of events that were not recorded. */
export interface EventGap {
  readonly is: "gap";
  readonly id: string;
  readonly at: Millis;
  skipped: number;
}

interface Position {
  readonly item: BufferedEvent | EventGap;
  readonly weight: number;
}

/** Positions that are freed at a time, so that dropping the first one costs almost nothing. */
const FREED_AT_ONCE = 1_024;

export class EventBuffer {
  /** Undefined before `#head`. */
  #positions: (Position | undefined)[] = [];
  #head = 0;
  readonly #retained: RetainedBytes;
  first = 0;
  /** The position after the last dropped gap. It is unknown how many events are missing before it. */
  countedFrom = 0;
  floor: string;

  /** `retained`: the account that the events are charged to. */
  constructor(floor: string, retained: RetainedBytes) {
    this.floor = floor;
    this.#retained = new RetainedBytes(retained);
  }

  /** No event is kept any more. */
  close(): void {
    this.#retained.close();
  }

  /** The id of the latest event or gap. */
  get newest(): string {
    return this.get(this.end - 1)?.id ?? this.floor;
  }

  get end(): number {
    return this.first + this.#positions.length - this.#head;
  }

  get(position: number): BufferedEvent | EventGap | undefined {
    return this.#positions[position - this.first + this.#head]?.item;
  }

  push(event: BufferedEvent): void {
    this.#add(event, retainedBytes(event.observation));
  }

  /** Counts an event that is not recorded. */
  skip(clock: StepClock): void {
    const last = this.get(this.end - 1);
    if (last?.is === "gap") last.skipped++;
    else this.#add({ is: "gap", id: clock.id(), at: clock.now, skipped: 1 }, GAP_WEIGHT);
  }

  /** Counts more events that are not recorded. The latest one was not either. */
  extendGap(count: number): void {
    const last = this.get(this.end - 1);
    if (last?.is === "gap") last.skipped += count;
  }

  #add(item: BufferedEvent | EventGap, weight: number): void {
    this.#positions.push({ item, weight });
    this.#retained.charge(weight);
    while (this.end - this.first > EVENT_BUFFER_MAX || this.#retained.bytes > EVENT_BUFFER_BYTES_MAX) this.#dropFirst();
    this.prune(item.at);
  }

  /** Drops events that are older than `EVENT_BUFFER_MS`. */
  prune(now: Millis): void {
    for (let oldest = this.get(this.first); oldest !== undefined && oldest.at + EVENT_BUFFER_MS <= now;) {
      this.#dropFirst();
      oldest = this.get(this.first);
    }
  }

  /** The first position after an event, and whether no event between them is missing. */
  after(id: string): { readonly position: number; readonly isComplete: boolean } {
    if (id < this.floor || id > this.newest) return { position: this.first, isComplete: false };
    let [low, high] = [this.first, this.end];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.get(middle)?.id ?? "") > id) high = middle;
      else low = middle + 1;
    }
    return { position: low, isComplete: true };
  }

  #dropFirst(): void {
    const dropped = this.#positions[this.#head];
    if (dropped === undefined) return;
    this.#positions[this.#head] = undefined; // Why: otherwise the event would be kept until its position is freed.
    this.floor = dropped.item.id;
    this.#retained.release(dropped.weight);
    this.first++;
    if (dropped.item.is === "gap") this.countedFrom = this.first;
    if (++this.#head < FREED_AT_ONCE && this.#head < this.#positions.length) return;
    this.#positions = this.#positions.slice(this.#head);
    this.#head = 0;
  }
}

const GAP_WEIGHT = 64;
