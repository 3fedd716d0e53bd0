/**
 * The log of one session, as it is kept in memory.
 *
 * Invariants: M1 a log whose contents are `stored` is completely in the store; M2 `durable` is the last head whose events are all
 * stored, `base` is at or before it, and `tail` holds every event after `base`; M3 at most one segment of a log is being written, so
 * the stored events never have a gap.
 * Knows nothing of: sessions, peers, replies.
 */
import { RetainedBytes, retainedBytes } from "../../../core/retained-bytes.ts";
import type { LogEvent, LogHead } from "./event.ts";
import type { LogSegment } from "./segment.ts";

export interface SessionLog {
  /** The session's id, which names the keys of its segments. */
  readonly id: string;
  contents: LogContents;
  /** What is kept of it, see `settleAccount`. */
  readonly retained: RetainedBytes;
  /** The stored segments, in order. */
  readonly segments: LogSegment[];
  /** Stored segments whose events are also in `segments`: needed only if one of those turns out to be torn. */
  spareSegments: readonly LogSegment[];
  /** Events that are not on their way to the store yet. */
  readonly unwritten: UnwrittenEvent[];
  /** The length of the text of `unwritten`. */
  unwrittenLength: number;
  /** The length of the stored text of all segments. */
  storedLength: number;
  write: SegmentWrite | undefined;
  compaction: Compaction | undefined;
  /** Found in the store and not read since. A crash may have torn its last write. */
  isUnverified: boolean;
}

export type LogContents =
  /** All events are in the store and none is in memory. */
  | { readonly is: "stored" }
  | LoadedLog
  | { readonly is: "damaged"; readonly damage: LogDamage };

/** The first event that cannot be trusted, and why. */
export interface LogDamage {
  readonly seq: number;
  readonly reason: string;
}

export interface LoadedLog {
  readonly is: "loaded";
  head: LogHead;
  durable: LogHead;
  base: LogHead;
  readonly tail: LogEvent[];
  /** The next `base` of a log that is not persistent. */
  nextBase: LogHead;
  /** Length of the text of `tail`, without events that are not stored yet. */
  tailLength: number;
}

/** The text of an event, and the head after it. */
export interface UnwrittenEvent {
  readonly text: string;
  readonly head: LogHead;
}

/** A segment that is being written, the head after it and the length of its text. */
export interface SegmentWrite {
  readonly segment: LogSegment;
  readonly head: LogHead;
  readonly length: number;
}

/** A segment with a snapshot that is being written in place of the segments it covers. */
export interface Compaction {
  readonly segment: LogSegment;
  readonly head: LogHead;
}

/** `retained`: the account of all logs. */
export const newLog = (id: string, contents: LogContents, retained: RetainedBytes): SessionLog => ({
  id,
  contents,
  retained: new RetainedBytes(retained),
  segments: [],
  spareSegments: [],
  unwritten: [],
  unwrittenLength: 0,
  storedLength: 0,
  write: undefined,
  compaction: undefined,
  isUnverified: false,
});

/** The contents of a log whose events up to `base` are not in memory. */
export function loadedLog(base: LogHead, tail: LogEvent[] = [], head: LogHead = base): LoadedLog {
  return { is: "loaded", head, durable: head, base, tail, nextBase: base, tailLength: JSON.stringify(tail).length };
}

/** The contents of a log that is in memory. */
export const loadedOf = ({ contents }: SessionLog): LoadedLog | undefined =>
  contents.is === "loaded" ? contents : undefined;

/** The number of the last event, whether the log is in memory or not; -1 if there is none. */
export const lastSeq = (log: SessionLog): number => loadedOf(log)?.head.seq ?? log.segments.at(-1)?.last ?? -1;

/** True once all events up to `seq` are stored. */
export const isDurable = (log: SessionLog, seq: number): boolean => seq <= (loadedOf(log)?.durable.seq ?? Infinity);

/** True if nothing of the log is being written or waits to be. */
export const isIdle = ({ write, unwritten, compaction }: SessionLog): boolean =>
  write === undefined && unwritten.length === 0 && compaction === undefined;

/** A session in memory without its state and its events. */
const SESSION_BYTES = 4_096;
/** Bytes in memory for each character of a state's text, which the heads of a log share in part, and of an event's text. */
const BYTES_PER_STATE_UNIT = 6;
const BYTES_PER_EVENT_UNIT = 4;

/** Charges a log for what is kept of it now. */
export function settleAccount(log: SessionLog): void {
  const { retained, unwrittenLength, write } = log;
  const loaded = loadedOf(log);
  const events = unwrittenLength + (write?.length ?? 0) + (loaded?.tailLength ?? 0);
  const states = loaded === undefined
    ? 0
    : SESSION_BYTES + BYTES_PER_STATE_UNIT * loaded.head.stateLength + retainedBytes(loaded.head.owner);
  retained.charge(states + BYTES_PER_EVENT_UNIT * events - retained.bytes);
}
