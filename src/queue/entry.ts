/**
 * One entry of the queue: its fields in memory, its stored form, and its key.
 *
 * A key is `<service>/<queue|dead>/<recipient>/<head>`. A head is `<id>-<exp>-<bytes>-<kind>`, with numbers in base 36, and of a
 * dead letter also `-<reason>`. The id comes first, so keys sort in the order in which the entries were created. A key contains enough to
 * count its entry: a restart reads keys only, and a body is read when its entry is about to be sent.
 */
import type { Key, Millis, PeerId } from "../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { key, segmentAt } from "../core/key.ts";
import type { CommandWait } from "../core/traces/trace.ts";
import type { ServiceName } from "../core/service.ts";
import type { MessageKind, QueueSettings } from "../core/settings.ts";

/** Why an entry became a dead letter. */
export type DeadLetterReason = "expired" | "attempts" | "terminated";

/** The fields in the last segment of a key. */
export interface EntryHead {
  readonly id: string;
  /** When the entry expires. For a dead letter: when it became one. */
  exp: Millis;
  readonly bytes: number;
  readonly kind: MessageKind;
  /** Only dead letters have one. */
  readonly reason?: DeadLetterReason;
}

export interface QueueEntry extends EntryHead {
  readonly at: Millis;
  key: Key;
  /** Only a `stored` entry survives the process. An entry in `memory` was sent at once and is not settled yet. */
  storage: "memory" | "writing" | "stored";
  /** The reply that the sender got. An entry that was reported as `queued` is sent only after it is stored. */
  readonly promise: "sent" | "queued";
  /** A JSON object as text. The body of a stored entry is in memory only while the entry is about to be sent. */
  body: string | undefined;
  /** Failed deliveries for which this entry may be the cause. */
  attempts: number;
  /** True if the entry was sent before, or may have been. */
  isRedelivery: boolean;
  /** When it was sent last, and first; 0 if it was not. */
  sentAt: Millis;
  firstSentAt: Millis;
  /** How often it was sent. */
  sends: number;
  /** Why it was not sent at once; undefined if it was, or if that is not known any more. */
  readonly waitsFor: CommandWait | undefined;
  /** The beginning of its body, for its trace, where the body has left the memory. */
  text: string | undefined;
  /** The connection that it was sent to last. */
  sentTo: PeerId | undefined;
}

const HEAD =
  /^(\d{13,16}-\d{10})-([0-9a-z]{1,11})-([0-9a-z]{1,11})-(command|context|direct)(?:-(expired|attempts|terminated))?$/;

/** The key of an entry with this head. `recipient` is a segment already. */
export function entryKey(
  { service, is, recipient }: { readonly service: ServiceName; readonly is: "queue" | "dead"; readonly recipient: string },
  { id, exp, bytes, kind, reason }: EntryHead,
): Key {
  const suffix = reason === undefined ? "" : `-${reason}`;
  return key(service, is, recipient, `${id}-${exp.toString(36)}-${bytes.toString(36)}-${kind}${suffix}`);
}

/** The recipient's segment and the head in a key, or undefined for a key that no queue wrote. */
export function readEntryKey(of: Key): { readonly recipient: string; readonly head: EntryHead } | undefined {
  const match = HEAD.exec(segmentAt(of, 3));
  if (match === null) return undefined;
  const [, id = "", exp = "", bytes = "", kind, reason] = match;
  const head: EntryHead = {
    id,
    exp: parseInt(exp, 36),
    bytes: parseInt(bytes, 36),
    kind: kind as MessageKind, // Why: the pattern allows nothing else, here and below.
    ...(reason !== undefined && { reason: reason as DeadLetterReason }),
  };
  return Number.isSafeInteger(head.exp) && Number.isSafeInteger(head.bytes)
    ? { recipient: segmentAt(of, 2), head }
    : undefined;
}

/**
 * When an entry was created, derived from its key: its time to live before its expiry, but not before the start of the process that
 * created it, with which its id begins. If `queue.ttl` changed since then, the result is off by the difference.
 */
export const creationTimeOf = ({ id, exp, kind }: EntryHead, ttl: QueueSettings["ttl"]): Millis =>
  Math.max(Number(id.slice(0, id.indexOf("-"))), exp - ttl[kind]);

/** Compares ids by the time of their creation. From the year 2286 on the first number of an id has 14 digits. */
export const compareIds = (one: string, other: string): number =>
  one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);

/** The stored form of an entry. */
export const entryValue = ({ id, at, exp, kind, body = "" }: QueueEntry): JsonObject => ({ v: 1, id, at, exp, kind, body });

/** The body of a stored entry or dead letter. Undefined for any other value, and for one of a later version. */
export function bodyOf(value: Json | undefined, id: string): string | undefined {
  if (!isObject(value) || value.v !== 1 || value.id !== id || typeof value.body !== "string") return undefined;
  return value.body.startsWith("{") && value.body.length > 2 ? value.body : undefined;
}

/** Bytes of a text when stored. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** The text of a JSON object with some fields inserted before its own. */
export const withFields = (fields: JsonObject, body: string): string =>
  `${JSON.stringify(fields).slice(0, -1)},${body.slice(1)}`;
