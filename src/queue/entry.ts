/**
 * One entry of the queue: what is kept in memory, what is stored, and how its key tells enough to be counted without being read.
 *
 * A key is `<room>/<queue|dead>/<recipient>/<head>`, and a head `<id>-<exp>-<bytes>-<kind>`: numbers in base 36, the id first, so
 * that keys sort as the entries were made. At a restart keys alone are read; the body comes when the entry is delivered.
 */
import type { Key, Millis } from "../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { key, segmentAt } from "../core/key.ts";
import type { ServiceName } from "../core/service.ts";
import type { MessageKind, QueueSettings } from "../core/settings.ts";

/** Why an entry was given up. */
export type DeadLetterReason = "expired" | "attempts" | "terminated";

/** What the last segment of a key says. A dead letter's `exp` is when it died; it alone has a `why`. */
export interface EntryHead {
  readonly id: string;
  exp: Millis;
  readonly bytes: number;
  readonly kind: MessageKind;
  readonly reason?: DeadLetterReason;
}

export interface QueueEntry extends EntryHead {
  readonly at: Millis;
  key: Key;
  /** Only what is `stored` outlives the process; `none` is held in memory until it is settled. */
  disk: "none" | "writing" | "stored";
  /** What its sender was told. What was `queued` is shown to nobody before it is stored. */
  readonly promise: "sent" | "queued";
  /** A JSON object as text. Loaded only while it is about to be sent. */
  body: string | undefined;
  /** Deliveries that ended badly and were this entry's own fault, as far as one can tell. */
  attempts: number;
  /** It was, or may have been, sent before. */
  isRepeat: boolean;
  sentAt: Millis;
}

const HEAD =
  /^(\d{13}-\d{10})-([0-9a-z]{1,11})-([0-9a-z]{1,11})-(command|context|direct)(?:-(expired|attempts|terminated))?$/;

/** Where an entry with this head is stored; `recipient` is a ready segment. */
export function entryKey(place: { service: ServiceName; is: "queue" | "dead"; recipient: string }, head: EntryHead): Key {
  const why = head.reason === undefined ? "" : `-${head.reason}`;
  const last = `${head.id}-${head.exp.toString(36)}-${head.bytes.toString(36)}-${head.kind}${why}`;
  return key(place.service, place.is, place.recipient, last);
}

/** The recipient's segment and the head of an entry, or undefined for a key that no queue made. */
export function readEntryKey(of: Key): { readonly recipient: string; readonly head: EntryHead } | undefined {
  const match = HEAD.exec(segmentAt(of, 3));
  if (match === null) return undefined;
  const [, id = "", exp = "", bytes = "", kind, why] = match;
  const head: EntryHead = {
    id,
    exp: parseInt(exp, 36),
    bytes: parseInt(bytes, 36),
    kind: kind as MessageKind, // Why: the pattern allows nothing else, here and below.
    ...(why !== undefined && { reason: why as DeadLetterReason }),
  };
  return Number.isSafeInteger(head.exp) && Number.isSafeInteger(head.bytes)
    ? { recipient: segmentAt(of, 2), head }
    : undefined;
}

/**
 * When an entry was made, as far as its key says: its time to live before it expires, and not before the run that made it, by which
 * its id begins. Where settings have changed the time to live since, it is wrong by as much.
 */
export const madeAt = ({ id, exp, kind }: EntryHead, ttl: QueueSettings["ttl"]): Millis =>
  Math.max(Number(id.slice(0, 13)), exp - ttl[kind]);

/** What is stored of an entry. */
export const entryValue = ({ id, at, exp, kind, body = "" }: QueueEntry): JsonObject => ({ v: 1, id, at, exp, kind, body });

/** The body of a stored entry or dead letter, or undefined when this is not one, or of a later version. */
export function bodyOf(value: Json | undefined, id: string): string | undefined {
  if (!isObject(value) || value.v !== 1 || value.id !== id || typeof value.body !== "string") return undefined;
  return value.body.startsWith("{") && value.body.length > 2 ? value.body : undefined;
}

/** Bytes of a text as it is stored. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** The text of an object with some fields put before its own. */
export const withFields = (fields: JsonObject, body: string): string =>
  `${JSON.stringify(fields).slice(0, -1)},${body.slice(1)}`;
