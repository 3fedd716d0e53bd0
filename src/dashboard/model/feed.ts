/**
 * The live feed: the last events, those that the filter lets through, and a view that can be held still.
 *
 * Invariants: F1 at most `ROWS_MAX` rows are kept, and as many shown; F2 an event costs the same however many there were; F3 a
 * view that is held does not change until it is let go.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import { describe, type Described, type Family } from "./describe.ts";

/** Rows that are kept. */
export const ROWS_MAX = 2_000;

/** An event as it came from the relay. */
export interface WatchEvent extends JsonObject {
  readonly event: string;
  readonly id?: string;
  readonly at?: number;
}

/** One row. What it says is worked out when somebody looks. */
export class Row {
  readonly seq: number;
  readonly at: Millis;
  readonly event: WatchEvent;
  #described: Described | undefined;

  constructor(seq: number, at: Millis, event: WatchEvent) {
    this.seq = seq;
    this.at = at;
    this.event = event;
  }

  get described(): Described {
    return (this.#described ??= describe(this.event));
  }
}

/** What is let through; nothing set: everything. */
export interface Filter {
  readonly families: ReadonlySet<Family>;
  /** The name of an integration. */
  readonly who: string;
  /** Some text in what the row says. */
  readonly text: string;
}

/** Lets everything through. */
export const EVERYTHING: Filter = { families: new Set(), who: "", text: "" };

export class Feed {
  #kept: Row[] = [];
  #shown: Row[] = [];
  #held: readonly Row[] | undefined;
  #filter: Filter = EVERYTHING;
  #seq = 0;
  /** Rows that came and were let through while the view was held. */
  missed = 0;
  /** Changes whenever `rows` does. */
  version = 0;

  get filter(): Filter {
    return this.#filter;
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** How many events came in all. */
  get total(): number {
    return this.#seq;
  }

  /** What is to be seen, the oldest first. */
  get rows(): readonly Row[] {
    return this.#held ?? this.#shown;
  }

  push(event: WatchEvent, at: Millis): void {
    const row = new Row(++this.#seq, at, event);
    this.#kept = bounded(this.#kept, row);
    if (!fits(row, this.#filter)) return;
    this.#shown = bounded(this.#shown, row);
    if (this.isHeld) this.missed++;
    this.version++;
  }

  /** Another filter; it also looks through what is kept. */
  sift(filter: Filter): void {
    this.#filter = filter;
    this.#shown = this.#kept.filter((row) => fits(row, filter)).slice(-ROWS_MAX);
    if (this.isHeld) this.hold();
    this.version++;
  }

  /** Holds the view as it is. */
  hold(): void {
    this.#held = this.#shown.slice(-ROWS_MAX);
    this.missed = 0;
    this.version++;
  }

  /** Lets it go on. */
  release(): void {
    this.#held = undefined;
    this.missed = 0;
    this.version++;
  }

  clear(): void {
    this.#kept = [];
    this.#shown = [];
    this.release();
  }
}

/** Why twice as many at times: cutting off one row at a time would copy all others each time. */
function bounded(rows: Row[], row: Row): Row[] {
  rows.push(row);
  return rows.length > 2 * ROWS_MAX ? rows.slice(-ROWS_MAX) : rows;
}

function fits(row: Row, { families, who, text }: Filter): boolean {
  if (families.size === 0 && who === "" && text === "") return true;
  const { family, names, line } = row.described;
  if (families.size > 0 && !families.has(family)) return false;
  if (who !== "" && !names.includes(who)) return false;
  if (text === "") return true;
  const wanted = text.toLowerCase();
  return `${row.event.event} ${names.join(" ")} ${line}`.toLowerCase().includes(wanted);
}
