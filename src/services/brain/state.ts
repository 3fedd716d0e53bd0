/** All that the room owns. */
import type { Bucket } from "../../core/bucket.ts";
import type { Deadlines } from "../../core/deadlines.ts";
import type { Key, LoadToken, Millis, PeerId } from "../../core/ids.ts";
import type { BrainSettings, LimitSettings } from "../../core/settings.ts";
import type { InferenceState } from "./predictions/infer.ts";
import type { PendingReply, ReplyQueues } from "./replies/reply-queues.ts";
import type { OperatorRegistry } from "./operations/operators.ts";
import type { LogRead } from "./log/reader.ts";
import type { MissedChanges } from "./replies/notifications.ts";
import type { BrainSession, ClientRequest } from "./sessions/session.ts";

/** What is kept of a session that is over. */
export interface Tombstone {
  readonly why: "closed" | "expired";
  /** Where this is stored, if it is. */
  readonly key: Key | undefined;
}

export interface BrainPeer {
  /** Sessions that it may make. */
  readonly sessionBucket: Bucket;
  /** Sessions that it follows. */
  readonly follows: Set<string>;
  /** It reads too slowly: followers' news are left out until it has caught up. */
  isBackpressured: boolean;
  /** By session, what it has to be told that it missed. */
  readonly missed: Map<string, MissedChanges>;
}

export interface BrainState {
  settings: BrainSettings;
  limits: LimitSettings;
  /** Text of events that the store takes in one entry. */
  readonly segmentTextMax: number;
  readonly operators: OperatorRegistry;
  readonly sessions: Map<string, BrainSession>;
  /** Oldest first. */
  readonly tombstones: Map<string, Tombstone>;
  readonly peers: Map<PeerId, BrainPeer>;
  readonly replies: ReplyQueues;
  /** By session: when it has to be looked at. */
  readonly deadlines: Deadlines;
  /** Writes of sessions under way. */
  readonly writes: Map<Key, BrainSession>;
  /** Single writes under way, with the replies that wait for them. */
  readonly predictionWrites: Map<Key, PendingReply | undefined>;
  readonly reads: Map<LoadToken, LogRead>;
  /** Requests whose session woke up, to be handled before the step ends. */
  readonly readyRequests: ClientRequest[];
  /** Keys that are to be deleted, a few at a time, and when the next few. */
  readonly garbage: Key[];
  deleteAt: Millis | undefined;
  readonly inference: InferenceState;
  /** Set while the relay shuts down: when it stops waiting. */
  drainUntil: Millis | undefined;
  isDrained: boolean;
}
