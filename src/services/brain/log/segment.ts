/**
 * How a log lies in the store: stretches of events, each under a key that says which events it holds.
 *
 * `brain/log/<session>/<first>-<last>-<time>-<id>`. A stretch is written once. A page is a stretch that takes the place of the
 * smaller ones it covers, and carries the head after its last event, so that nobody has to fold from the beginning.
 *
 * Invariants: T1 the stretches of a session follow each other without gap or overlap (of those that begin alike, the one with the
 * latest id counts: it was written later, or what it competes with was given up; the others are spare until it was read); T2 the text of a stretch is opaque to the store
 * and carries its own checksum, so no driver's idea of JSON can change it unseen.
 */
import type { Key, Millis } from "../../../core/ids.ts";
import { isObject, type Json } from "../../../core/json.ts";
import { key, segmentAt, sequence } from "../../../core/key.ts";
import type { LogEvent } from "./event.ts";

export interface LogSegment {
  readonly key: Key;
  readonly first: number;
  readonly last: number;
  /** It has the head after `last` in it. */
  readonly isPage: boolean;
  /** When its last event happened. */
  readonly at: Millis;
  /** Later ones sort behind earlier ones. */
  readonly id: string;
}

/** What was read of one stretch. */
export interface SegmentContent {
  readonly events: readonly LogEvent[];
  /** The text of the head after it, for a page. */
  readonly snapshot: string | undefined;
}

const LOG = "log";
const SNAPSHOT = "page";
const VERSION = 1;

/** The place of a new stretch. */
export function newSegment(session: string, about: Omit<LogSegment, "key">): LogSegment {
  const { first, last, at, isPage, id } = about;
  const name = `${sequence(first)}-${sequence(last)}-${sequence(at)}-${id}`;
  return { ...about, key: key("brain", isPage ? SNAPSHOT : LOG, session, name) };
}

/** The stretch that a key names, with its session and id; undefined for a key of another kind. */
export function segmentOf(
  of: Key,
): { readonly segment: LogSegment; readonly session: string } | undefined {
  const kind = segmentAt(of, 1);
  if (kind !== LOG && kind !== SNAPSHOT) return undefined;
  const [first, last, at, ...id] = segmentAt(of, 3).split("-");
  const figures = { first: Number(first), last: Number(last), at: Number(at) };
  if (!Object.values(figures).every(Number.isSafeInteger) || id.length === 0) return undefined;
  return { segment: { key: of, ...figures, isPage: kind === SNAPSHOT, id: id.join("-") }, session: segmentAt(of, 2) };
}

/** The value to store for a text of events and, for a page, the text of the head after them. */
export function segmentValue(events: string, after: string | undefined): Json {
  const sum = checksum(events + (after ?? ""));
  return { v: VERSION, sum, events, ...(after !== undefined && { after }) };
}

/**
 * FNV-1a over pairs of characters: finds damage, of which a single changed character is found for certain. Against forgery there
 * is the hash chain.
 */
function checksum(text: string): number {
  let sum = 0x811c9dc5;
  // Why: behind the end the code is NaN, which counts as 0 here.
  for (let at = 0; at < text.length; at += 2) {
    sum = Math.imul(sum ^ (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)), 0x01000193);
  }
  return (sum ^ text.length) >>> 0;
}

/** What a stored value holds, or in words why it cannot be trusted. */
export function readSegment(stretch: LogSegment, value: Json | undefined): SegmentContent | string {
  if (value === undefined) return "it is gone, or cannot be read";
  if (!isObject(value) || typeof value["events"] !== "string") return "it is not a stretch of a log";
  const { events: text, after: snapshot, sum, v } = value;
  if (v !== VERSION) return "it was written by another version";
  if (snapshot !== undefined && typeof snapshot !== "string") return "its head is no text";
  if (checksum(text + (snapshot ?? "")) !== sum) return "its checksum is not that of its content";
  const events: LogEvent[] = JSON.parse(text); // Why: the checksum says that these are the bytes we wrote.
  const isWhole = events[0]?.seq === stretch.first && events.at(-1)?.seq === stretch.last;
  return isWhole ? { events, snapshot } : "it holds other events than its key says";
}

/** Of all stretches found for one session, the chain that counts, and those that it covers. */
export function chainSegments(found: readonly LogSegment[]): {
  readonly segments: readonly LogSegment[];
  readonly spareSegments: readonly LogSegment[];
  /** Where events are missing, if anything lies behind them. */
  readonly gap: number | undefined;
} {
  const sorted = [...found].sort((left, right) => left.first - right.first || (left.id < right.id ? 1 : -1));
  const [segments, spareSegments]: [LogSegment[], LogSegment[]] = [[], []];
  let next = 0;
  let gap: number | undefined;
  for (const stretch of sorted) {
    if (stretch.first < next) spareSegments.push(stretch);
    else if (stretch.first > next) gap ??= next;
    else {
      segments.push(stretch);
      next = stretch.last + 1;
    }
  }
  return { segments, spareSegments, gap };
}
