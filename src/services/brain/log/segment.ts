/**
 * The stored form of a log: segments of consecutive events, each under a key that names the events in it.
 *
 * The key is `brain/<log or snapshot>/<session>/<first>-<last>-<time>-<length>-<id>`. A segment is written once. A segment with a snapshot
 * also holds the head after its last event, so that a log need not be folded from the beginning; compaction writes one in place of
 * the smaller segments that it covers.
 *
 * Invariants: T1 the segments of a log follow each other without gap or overlap. If several start at the same event, the one with
 * the highest id is used, because it was written last or the write that it competes with was given up; the others are spare until it
 * has been read. T2 the text of a segment is opaque to the store and carries its own checksum, so a store that changes JSON values
 * is noticed.
 * Knows nothing of: sessions (except the id in the key), peers.
 */
import type { Key, Millis } from "../../../core/ids.ts";
import { isObject, type Json, parseJson } from "../../../core/json.ts";
import { segmentAt, sequence } from "../../../core/key.ts";
import { brainKey, kindOfKey } from "../keys.ts";
import type { LogEvent } from "./event.ts";
import { restoreEvent } from "./event-text.ts";

export interface LogSegment {
  readonly key: Key;
  readonly first: number;
  readonly last: number;
  /** True if it holds the head after `last`. */
  readonly hasSnapshot: boolean;
  /** The time of its last event. */
  readonly at: Millis;
  /** The length of its stored text. */
  readonly length: number;
  /** Ids sort by the time of writing. */
  readonly id: string;
}

export interface SegmentContent {
  readonly events: readonly LogEvent[];
  readonly snapshot: string | undefined;
}

const VERSION = 1;

/** A segment that is about to be written. */
export function newSegment(logId: string, description: Omit<LogSegment, "key">): LogSegment {
  const { first, last, at, length, hasSnapshot, id } = description;
  const name = `${sequence(first)}-${sequence(last)}-${sequence(at)}-${length}-${id}`;
  return { ...description, key: brainKey(hasSnapshot ? "snapshot" : "log", logId, name) };
}

/** The segment that a key of kind `log` or `snapshot` names, or undefined if the key is malformed. */
export function segmentOfKey(of: Key): LogSegment | undefined {
  const [first, last, at, length, ...id] = segmentAt(of, 3).split("-");
  const numbers = { first: Number(first), last: Number(last), at: Number(at), length: Number(length) };
  if (!Object.values(numbers).every(Number.isSafeInteger) || id.length === 0) return undefined;
  return { key: of, ...numbers, hasSnapshot: kindOfKey(of) === "snapshot", id: id.join("-") };
}

/** The value to store for the text of some events and, optionally, the snapshot after them. */
export function segmentValue(events: string, snapshot: string | undefined): Json {
  const sum = checksum(events + (snapshot ?? ""));
  return { v: VERSION, sum, events, ...(snapshot !== undefined && { after: snapshot }) };
}

/**
 * FNV-1a over pairs of UTF-16 units. Detects damage (one changed character with certainty); the hash chain protects against forgery.
 */
function checksum(text: string): number {
  let sum = 0x811c9dc5;
  // Why no check of the last index: `charCodeAt` beyond the end is NaN, which counts as 0 here.
  for (let at = 0; at < text.length; at += 2) {
    sum = Math.imul(sum ^ (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)), 0x01000193);
  }
  return (sum ^ text.length) >>> 0;
}

/** The content of a stored value, or the reason why it cannot be trusted. */
export function readSegment(segment: LogSegment, value: Json | undefined): SegmentContent | string {
  if (value === undefined) return "it is missing or unreadable";
  if (!isObject(value) || typeof value["events"] !== "string") return "it is not a log segment";
  const { events: text, after: snapshot, sum, v } = value;
  if (v !== VERSION) return "it was written by another version";
  if (snapshot !== undefined && typeof snapshot !== "string") return "its snapshot is not a text";
  if (checksum(text + (snapshot ?? "")) !== sum) return "its checksum does not match its content";
  // Why the cast: the checksum proves that the text is what we wrote.
  const events = (parseJson(text, Infinity) as unknown as LogEvent[]).map(restoreEvent);
  const isWhole = events[0]?.seq === segment.first && events.at(-1)?.seq === segment.last;
  return isWhole ? { events, snapshot } : "its key names other events";
}

/** The length of the stored text of some segments. */
export const lengthOf = (segments: readonly LogSegment[]): number => segments.reduce((sum, { length }) => sum + length, 0);

/** The segments of a log in order, and what else was found. */
export interface SegmentChain {
  readonly segments: readonly LogSegment[];
  /** Segments whose events are also in `segments`. */
  readonly spareSegments: readonly LogSegment[];
  /** The first missing event, if events after it are stored. */
  readonly gap: number | undefined;
}

/** Chains all segments that were found for one log. */
export function chainSegments(found: readonly LogSegment[]): SegmentChain {
  const sorted = [...found].sort((left, right) => left.first - right.first || (left.id < right.id ? 1 : -1));
  const [segments, spareSegments]: [LogSegment[], LogSegment[]] = [[], []];
  let next = 0;
  let gap: number | undefined;
  for (const segment of sorted) {
    if (segment.first < next) spareSegments.push(segment);
    else if (segment.first > next) gap ??= next;
    else {
      segments.push(segment);
      next = segment.last + 1;
    }
  }
  return { segments, spareSegments, gap };
}
