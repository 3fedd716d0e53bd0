/**
 * The live feed: the last events, those that the filter lets through, and a view that can be held still.
 *
 * Invariants: F1 at most `ROWS_MAX` rows are kept, and as many shown; F2 an event costs the same however many there were; F3 a
 * view that is held does not change until it is let go.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import { describeEvent, type EventCategory, type EventSummary } from "../lib/describe-event.ts";

/** Rows that are kept. */
export const ROWS_MAX = 2_000;

/** An event as it came from the relay. */
export interface WatchEvent extends JsonObject {
  readonly event: string;
  readonly id?: string;
  readonly at?: number;
}

/** One row. What it says is worked out when somebody looks. */
export class FeedRow {
  readonly seq: number;
  readonly at: Millis;
  readonly event: WatchEvent;
  #described: EventSummary | undefined;

  constructor(seq: number, at: Millis, event: WatchEvent) {
    this.seq = seq;
    this.at = at;
    this.event = event;
  }

  get summary(): EventSummary {
    return (this.#described ??= describeEvent(this.event));
  }
}

/** What is let through; nothing set: everything. */
export interface FeedFilter {
  readonly categories: ReadonlySet<EventCategory>;
  /** The name of an integration. */
  readonly integration: string;
  /** Some text in what the row says. */
  readonly text: string;
}

/** Lets everything through. */
export const NO_FILTER: FeedFilter = { categories: new Set(), integration: "", text: "" };

export class EventFeed {
  #kept: FeedRow[] = [];
  #shown: FeedRow[] = [];
  #held: readonly FeedRow[] | undefined;
  #filter: FeedFilter = NO_FILTER;
  #seq = 0;
  /** Rows that came and were let through while the view was held. */
  missed = 0;
  /** Changes whenever `rows` does. */
  version = 0;

  get filter(): FeedFilter {
    return this.#filter;
  }

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  /** How many events came in all. */
  get total(): number {
    return this.#seq;
  }

  /** What is to be seen, the oldest first. */
  get rows(): readonly FeedRow[] {
    return this.#held ?? this.#shown;
  }

  push(event: WatchEvent, at: Millis): void {
    const row = new FeedRow(++this.#seq, at, event);
    this.#kept = appendBounded(this.#kept, row);
    if (!matches(row, this.#filter)) return;
    this.#shown = appendBounded(this.#shown, row);
    if (this.isPaused) this.missed++;
    this.version++;
  }

  /** Another filter; it also looks through what is kept. */
  setFilter(filter: FeedFilter): void {
    this.#filter = filter;
    this.#shown = this.#kept.filter((row) => matches(row, filter)).slice(-ROWS_MAX);
    if (this.isPaused) this.pause();
    this.version++;
  }

  /** Holds the view as it is. */
  pause(): void {
    this.#held = this.#shown.slice(-ROWS_MAX);
    this.missed = 0;
    this.version++;
  }

  /** Lets it go on. */
  resume(): void {
    this.#held = undefined;
    this.missed = 0;
    this.version++;
  }

  clear(): void {
    this.#kept = [];
    this.#shown = [];
    this.resume();
  }
}

/** Why twice as many at times: cutting off one row at a time would copy all others each time. */
function appendBounded(rows: FeedRow[], row: FeedRow): FeedRow[] {
  rows.push(row);
  return rows.length > 2 * ROWS_MAX ? rows.slice(-ROWS_MAX) : rows;
}

function matches(row: FeedRow, { categories, integration, text }: FeedFilter): boolean {
  if (categories.size === 0 && integration === "" && text === "") return true;
  const { category, names, text: line } = row.summary;
  if (categories.size > 0 && !categories.has(category)) return false;
  if (integration !== "" && !names.includes(integration)) return false;
  if (text === "") return true;
  const wanted = text.toLowerCase();
  return `${row.event.event} ${names.join(" ")} ${line}`.toLowerCase().includes(wanted);
}
