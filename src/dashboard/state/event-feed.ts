/**
 * The live feed: the last events, the filter, and a view that can be paused.
 *
 * Invariants: F1 at most `2 * ROWS_MAX` rows are kept, and as many shown; F2 the cost of an event does not depend on how many there
 * were; F3 a paused view does not change until it is resumed or filtered.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Millis } from "../../core/ids.ts";
import type { PageRoute } from "../lib/route.ts";
import { EVENT_CATEGORIES } from "../texts.ts";
import { describeEvent, type EventCategory, type EventSummary, isRaw } from "../lib/describe-event.ts";

/** Rows that are kept at least. */
export const ROWS_MAX = 2_000;

/** An event as the relay sent it. */
export interface WatchEvent extends JsonObject {
  readonly event: string;
  readonly id?: string;
  readonly at?: number;
}

/** One row. Its summary is made when it is first shown. */
export class FeedRow {
  readonly seq: number;
  readonly at: Millis;
  readonly event: WatchEvent;
  #summary: EventSummary | undefined;

  constructor(seq: number, at: Millis, event: WatchEvent) {
    this.seq = seq;
    this.at = at;
    this.event = event;
  }

  get summary(): EventSummary {
    return (this.#summary ??= describeEvent(this.event));
  }
}

/** The filter of rows. An empty member matches every row. */
export interface FeedFilter {
  readonly categories: ReadonlySet<EventCategory>;
  /** The name of an integration. */
  readonly integration: string;
  /** Part of the row's text, in any case. */
  readonly text: string;
}

/** The filter that the address of a view describes. */
export function filterOf({ kinds = "", integration = "", text = "" }: PageRoute["params"]): FeedFilter {
  const categories = kinds.split(",").filter((kind): kind is EventCategory => Object.hasOwn(EVENT_CATEGORIES, kind));
  return { categories: new Set(categories), integration, text };
}

/** Matches everything. */
export const NO_FILTER: FeedFilter = { categories: new Set(), integration: "", text: "" };

/** Whether new rows appear. `missed`: rows that matched while the view was paused. */
export type FeedView =
  | { readonly is: "running" }
  | { readonly is: "paused"; readonly rows: readonly FeedRow[]; readonly missed: number };

const RUNNING: FeedView = { is: "running" };

export class EventFeed {
  #kept: FeedRow[] = [];
  #matching: FeedRow[] = [];
  #view: FeedView = RUNNING;
  #filter: FeedFilter = NO_FILTER;
  #seq = 0;
  #version = 0;
  readonly #listeners = new Set<() => void>();
  readonly #rowListeners = new Set<() => void>();

  get filter(): FeedFilter {
    return this.#filter;
  }

  get view(): FeedView {
    return this.#view;
  }

  /** How many events arrived since the page was opened. */
  get total(): number {
    return this.#seq;
  }

  /** Changes whenever `rows` does. */
  get version(): number {
    return this.#version;
  }

  /** The visible rows, the oldest first. */
  get rows(): readonly FeedRow[] {
    return this.#view.is === "paused" ? this.#view.rows : this.#matching;
  }

  /** Calls `listener` when the view or the filter changes, but not for each event: there may be hundreds a second. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `listener` whenever `rows` changed, for each event, too. It must cost next to nothing. */
  subscribeRows(listener: () => void): () => void {
    this.#rowListeners.add(listener);
    return () => void this.#rowListeners.delete(listener);
  }

  push(event: WatchEvent, at: Millis): void {
    const row = new FeedRow(++this.#seq, at, event);
    this.#kept = appendBounded(this.#kept, row);
    if (!matches(row, this.#filter)) return;
    this.#matching = appendBounded(this.#matching, row);
    if (this.#view.is === "paused") this.#view = { ...this.#view, missed: this.#view.missed + 1 };
    this.#version++;
    for (const listener of this.#rowListeners) listener();
  }

  /** Applies another filter to all rows that are kept. */
  setFilter(filter: FeedFilter): void {
    this.#filter = filter;
    this.#matching = this.#kept.filter((row) => matches(row, filter)).slice(-ROWS_MAX);
    this.#show(this.#view.is === "paused" ? this.#snapshot() : RUNNING);
  }

  /** The last rows about one integration, by its id or its name, whatever the filter. */
  rowsOf(id: string, name: string, countMax: number): readonly FeedRow[] {
    return this.#kept.filter((row) => isAbout(row, id, name)).slice(-countMax);
  }

  pause(): void {
    this.#show(this.#snapshot());
  }

  resume(): void {
    this.#show(RUNNING);
  }

  /** Pauses the view, or resumes it. */
  toggle(): void {
    if (this.#view.is === "paused") this.resume();
    else this.pause();
  }

  clear(): void {
    this.#kept = [];
    this.#matching = [];
    this.resume();
  }

  #snapshot(): FeedView {
    return { is: "paused", rows: this.#matching.slice(-ROWS_MAX), missed: 0 };
  }

  #show(view: FeedView): void {
    this.#view = view;
    this.#version++;
    for (const listener of this.#listeners) listener();
    for (const listener of this.#rowListeners) listener();
  }
}

/** Why up to twice `ROWS_MAX`: removing one row at a time would copy all others each time. */
function appendBounded(rows: FeedRow[], row: FeedRow): FeedRow[] {
  rows.push(row);
  return rows.length > 2 * ROWS_MAX ? rows.slice(-ROWS_MAX) : rows;
}

const isAbout = ({ event, summary }: FeedRow, id: string, name: string): boolean =>
  event.integration_id === id || event.from_id === id ||
  (event.event !== "operator_acted" && summary.names.includes(name));

function matches(row: FeedRow, { categories, integration, text }: FeedFilter): boolean {
  if (categories.size === 0 && isRaw(row.event)) return false;
  if (categories.size === 0 && integration === "" && text === "") return true;
  const { category, names, text: rowText } = row.summary;
  if (categories.size > 0 && !categories.has(category)) return false;
  if (integration !== "" && !names.includes(integration)) return false;
  if (text === "") return true;
  return `${row.event.event} ${names.join(" ")} ${rowText}`.toLowerCase().includes(text.toLowerCase());
}
