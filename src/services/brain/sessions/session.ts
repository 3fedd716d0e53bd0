/** One session: its log, and the peers and requests that are concerned with it. */
import type { RetainedBytes } from "../../../core/retained-bytes.ts";
import type { Key, Millis, PeerId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import { isIdle, lastSeq, type LogContents, newLog, type SessionLog } from "../log/session-log.ts";
import type { QueuedReply } from "../replies/reply-queues.ts";

/** A request and its reserved reply. */
export interface ClientRequest {
  readonly reply: QueuedReply;
  readonly fields: JsonObject;
  /** Length of the frame that the request came in. */
  readonly frameLength: number;
}

/** A `State.Delta` for the followers of a session. */
export interface ChangeNotification {
  readonly seq: number;
  /** The peer that caused the change; it is not notified. */
  readonly from: PeerId;
  readonly frame: string;
}

/** A reply that shows the session as it is after event `seq`. */
export interface WaitingReply {
  readonly seq: number;
  readonly reply: QueuedReply;
}

export type EndReason = "closed" | "expired";

/** The tombstone of the session is being written. Until it is stored or has failed, the session is unknown to clients. */
export interface SessionEnding {
  readonly key: Key;
  readonly reason: EndReason;
  /** The replies to `CloseSession`. */
  readonly replies: readonly QueuedReply[];
}

/** When a session was used, and the key under which that is stored. */
export interface LastUse {
  readonly at: Millis;
  readonly key: Key;
}

export interface BrainSession {
  readonly id: string;
  readonly log: SessionLog;
  /** Replies that wait for events to be stored, in order. */
  readonly waitingReplies: WaitingReply[];
  /** Notifications that wait for events to be stored, in order. */
  readonly notifications: ChangeNotification[];
  readonly followers: Set<PeerId>;
  /** Set while the session is being activated: the requests that wait for it, in order. */
  activation: { readonly requests: ClientRequest[] } | undefined;
  ending: SessionEnding | undefined;
  usedAt: Millis;
  /** The stored last use, if it is later than the last event, and the one that is being written. */
  lastUse: LastUse | undefined;
  lastUseWrite: LastUse | undefined;
  /** How long the session may be unused before it expires; undefined until the session has been read once. */
  ttlMs: Millis | undefined;
}

/** A session with the given log. */
export function sessionOf(log: SessionLog, usedAt: Millis): BrainSession {
  return {
    id: log.id,
    log,
    waitingReplies: [],
    notifications: [],
    followers: new Set(),
    activation: undefined,
    ending: undefined,
    usedAt,
    lastUse: undefined,
    lastUseWrite: undefined,
    ttlMs: undefined,
  };
}

/** A session that has just been created. */
export const newSession = (id: string, contents: LogContents, retained: RetainedBytes, now: Millis): BrainSession =>
  sessionOf(newLog(id, contents, retained), now);

/** The first digits of an id: enough to find it in the log output, not enough to use the session. */
export const shortId = (id: string): string => id.slice(0, 8);

/** True if something was applied to a session. */
export const hasEvents = ({ log }: BrainSession): boolean => lastSeq(log) > 0;

/** True if nothing was ever applied to a session and no peer uses it. */
export const isUnused = ({ log, followers, activation, ending }: BrainSession): boolean =>
  lastSeq(log) === 0 && followers.size === 0 && activation === undefined && ending === undefined;

/** True if the session can be evicted: everything is in the store. */
export const isEvictable = ({ log }: BrainSession): boolean => log.contents.is === "loaded" && isIdle(log);

/** A version 4 UUID from 32 hexadecimal digits, as the original made them. */
export function uuidFrom(hex: string): string {
  const variant = (8 + (parseInt(hex[16] ?? "0", 16) & 3)).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
