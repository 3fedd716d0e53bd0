/**
 * One session as the room keeps it.
 *
 * Invariants: M1 `body` is there while the session is awake, else all of it is in the store; M2 `durable` is the head whose events
 * are all stored, `base` is at or before it, and `tail` holds every event after `base`; M3 at most one stretch of a session is
 * being written, so that what is stored is always a log without gaps.
 */
import type { Key, Millis, PeerId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Slot } from "./lanes.ts";
import type { Seen } from "./log/lifetime.ts";
import type { Head, LogEvent } from "./log/log.ts";
import type { Stretch } from "./log/stretch.ts";

export interface Body {
  head: Head;
  durable: Head;
  base: Head;
  tail: LogEvent[];
  /** Where `base` moves to next when nothing is stored. */
  next: Head;
  /** Length of the stored text of `tail`. */
  tailText: number;
}

/** The text of an event with the head after it, until it is on its way to the store. */
export interface Unwritten {
  readonly text: string;
  readonly head: Head;
}

/** A stretch on its way to the store, with the head after it and the size of its text. */
export interface Writing {
  readonly stretch: Stretch;
  readonly head: Head;
  readonly size: number;
}

/** A request with the place of its reply. */
export interface Request {
  readonly slot: Slot;
  readonly fields: JsonObject;
  /** Of the whole frame that it came in. */
  readonly frameLength: number;
}

/** What followers are told once an event is stored. */
export interface Push {
  readonly seq: number;
  readonly from: PeerId;
  readonly frame: string;
}

export interface Session {
  readonly id: string;
  body: Body | undefined;
  /** Stored, in order. */
  readonly stretches: Stretch[];
  /** Stored too, but covered by others: needed only if one of those turns out to be torn. */
  spares: readonly Stretch[];
  readonly unwritten: Unwritten[];
  writing: Writing | undefined;
  paging: { readonly stretch: Stretch; readonly head: Head } | undefined;
  /** Replies that reveal an event which is not stored yet, in order. */
  readonly waiting: { readonly seq: number; readonly slot: Slot }[];
  readonly pushes: Push[];
  readonly followers: Set<PeerId>;
  /** Requests that came while the session was being read. */
  readonly sleepers: Request[];
  isWaking: boolean;
  /** It was found in the store and not read since: its latest write may have been torn by a kill. */
  isUnread: boolean;
  /** Why its log cannot be trusted, and from where on. */
  damage: { readonly seq: number; readonly why: string } | undefined;
  /** Its end is being stored: for everybody else it is gone. */
  ending: { readonly at: Key; readonly why: "closed" | "expired" } | undefined;
  /** When it was last used. */
  touchedAt: Millis;
  /** The last use that is stored, where no event tells of it, and the one that is being written. */
  seen: Seen | undefined;
  seeing: Seen | undefined;
  /** How long it may live unused; unknown until it was read once. */
  ttlMs: Millis | undefined;
}

/** A session that has just been made, or one that sleeps: then without a body. */
export function newSession(id: string, now: Millis, body?: Body): Session {
  return {
    id,
    body,
    stretches: [],
    spares: [],
    unwritten: [],
    writing: undefined,
    paging: undefined,
    waiting: [],
    pushes: [],
    followers: new Set(),
    sleepers: [],
    isWaking: false,
    isUnread: false,
    damage: undefined,
    ending: undefined,
    touchedAt: now,
    seen: undefined,
    seeing: undefined,
    ttlMs: undefined,
  };
}

/** A body at one head, with the events before it not in memory. */
export function bodyAt(base: Head, tail: LogEvent[] = [], head: Head = base): Body {
  return { head, durable: head, base, tail, next: head, tailText: JSON.stringify(tail).length };
}

/** The first digits of an id: enough to find it in a log, not enough to use the session. */
export const nameOf = (session: string): string => session.slice(0, 8);

/** The number of a session's last event, awake or not. */
export const lastSeq = ({ body, stretches }: Session): number => body?.head.seq ?? stretches.at(-1)?.last ?? -1;

/** True when nothing of it is on its way to the store. */
export const isSettled = ({ writing, unwritten, paging }: Session): boolean =>
  writing === undefined && unwritten.length === 0 && paging === undefined;

/** An id as the original made them: a version 4 UUID, from 32 hex digits that nobody can guess. */
export function uuidFrom(hex: string): string {
  const variant = (8 + (parseInt(hex[16] ?? "0", 16) & 3)).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
