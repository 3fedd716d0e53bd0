/**
 * One session as the room keeps it.
 *
 * Invariants: M1 `body` is there while the session is awake, else all of it is in the store; M2 `durable` is the head whose events
 * are all stored, `base` is at or before it, and `tail` holds every event after `base`; M3 at most one stretch of a session is
 * being written, so that what is stored is always a log without gaps.
 */
import type { Key, Millis, PeerId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { PendingReply } from "../replies/reply-queues.ts";
import type { LastUse } from "./ttl.ts";
import type { LogEvent, LogHead } from "../log/event.ts";
import type { LogSegment } from "../log/segment.ts";

export interface LoadedLog {
  head: LogHead;
  durable: LogHead;
  base: LogHead;
  tail: LogEvent[];
  /** Where `base` moves to next when nothing is stored. */
  nextBase: LogHead;
  /** Length of the stored text of `tail`. */
  tailLength: number;
}

/** The text of an event with the head after it, until it is on its way to the store. */
export interface UnwrittenEvent {
  readonly text: string;
  readonly head: LogHead;
}

/** A stretch on its way to the store, with the head after it and the size of its text. */
export interface SegmentWrite {
  readonly segment: LogSegment;
  readonly head: LogHead;
  readonly size: number;
}

/** A request with the place of its reply. */
export interface ClientRequest {
  readonly reply: PendingReply;
  readonly fields: JsonObject;
  /** Of the whole frame that it came in. */
  readonly frameLength: number;
}

/** What followers are told once an event is stored. */
export interface ChangeNotification {
  readonly seq: number;
  readonly from: PeerId;
  readonly frame: string;
}

export interface BrainSession {
  readonly id: string;
  log: LoadedLog | undefined;
  /** Stored, in order. */
  readonly segments: LogSegment[];
  /** Stored too, but covered by others: needed only if one of those turns out to be torn. */
  spareSegments: readonly LogSegment[];
  readonly unwritten: UnwrittenEvent[];
  writing: SegmentWrite | undefined;
  compaction: { readonly segment: LogSegment; readonly head: LogHead } | undefined;
  /** Replies that reveal an event which is not stored yet, in order. */
  readonly waitingReplies: { readonly seq: number; readonly reply: PendingReply }[];
  readonly notifications: ChangeNotification[];
  readonly followers: Set<PeerId>;
  /** Requests that came while the session was being read. */
  readonly waitingRequests: ClientRequest[];
  isActivating: boolean;
  /** It was found in the store and not read since: its latest write may have been torn by a kill. */
  isUnread: boolean;
  /** Why its log cannot be trusted, and from where on. */
  damage: { readonly seq: number; readonly why: string } | undefined;
  /** Its end is being stored: for everybody else it is gone. */
  tombstone: { readonly at: Key; readonly why: "closed" | "expired" } | undefined;
  /** When it was last used. */
  touchedAt: Millis;
  /** The last use that is stored, where no event tells of it, and the one that is being written. */
  lastUse: LastUse | undefined;
  lastUseWrite: LastUse | undefined;
  /** How long it may live unused; unknown until it was read once. */
  ttlMs: Millis | undefined;
}

/** A session that has just been made, or one that sleeps: then without a body. */
export function newSession(id: string, now: Millis, log?: LoadedLog): BrainSession {
  return {
    id,
    log,
    segments: [],
    spareSegments: [],
    unwritten: [],
    writing: undefined,
    compaction: undefined,
    waitingReplies: [],
    notifications: [],
    followers: new Set(),
    waitingRequests: [],
    isActivating: false,
    isUnread: false,
    damage: undefined,
    tombstone: undefined,
    touchedAt: now,
    lastUse: undefined,
    lastUseWrite: undefined,
    ttlMs: undefined,
  };
}

/** A body at one head, with the events before it not in memory. */
export function loadedLog(base: LogHead, tail: LogEvent[] = [], head: LogHead = base): LoadedLog {
  return { head, durable: head, base, tail, nextBase: head, tailLength: JSON.stringify(tail).length };
}

/** The first digits of an id: enough to find it in a log, not enough to use the session. */
export const shortId = (session: string): string => session.slice(0, 8);

/** The number of a session's last event, awake or not. */
export const lastSeq = ({ log, segments }: BrainSession): number => log?.head.seq ?? segments.at(-1)?.last ?? -1;

/** True when nothing of it is on its way to the store. */
export const isStored = ({ writing, unwritten, compaction }: BrainSession): boolean =>
  writing === undefined && unwritten.length === 0 && compaction === undefined;

/** An id as the original made them: a version 4 UUID, from 32 hex digits that nobody can guess. */
export function uuidFrom(hex: string): string {
  const variant = (8 + (parseInt(hex[16] ?? "0", 16) & 3)).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
