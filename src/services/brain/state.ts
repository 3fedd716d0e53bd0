/** The state of the Brain. */
import type { Bucket } from "../../core/bucket.ts";
import type { Timers } from "../../core/deadlines.ts";
import type { Key, Millis, PeerId } from "../../core/ids.ts";
import type { CredentialDigest } from "../../core/access.ts";
import type { BrainSettings, LimitSettings } from "../../core/settings.ts";
import type { DeferredDeletes, DeleteTimer } from "./log/deferred-delete.ts";
import type { LogStore } from "./log/log-store.ts";
import type { InferenceState } from "./predictions/inference-state.ts";
import type { QueuedReply, ReplyQueues } from "./replies/reply-queues.ts";
import type { BrainSession, ClientRequest, EndReason } from "./sessions/session.ts";

export interface BrainState {
  settings: BrainSettings;
  limits: LimitSettings;
  readonly logs: LogStore;
  readonly sessions: Map<string, BrainSession>;
  /** Sessions that were used since they were last removed from memory, the least recently used first. */
  readonly activeSessions: Set<BrainSession>;
  /** Sessions that may be unused, to be looked at when there are `brain.sessions`; those that were looked at last come last. */
  readonly unusedSessions: Set<BrainSession>;
  /** Sessions that have ended, the oldest first. */
  readonly tombstones: Map<string, Tombstone>;
  readonly peers: Map<PeerId, BrainPeer>;
  /** Peers that were connected before an internal error, until the first tick. */
  readonly unreported: Set<PeerId>;
  readonly replies: ReplyQueues;
  readonly timers: Timers<BrainTimer>;
  /** Tombstones and last uses that are being written. */
  readonly sessionWrites: Set<Key>;
  /** Predictions that are being written, with the replies that wait for them. */
  readonly predictionWrites: Map<Key, QueuedReply>;
  /** Requests whose wait is over; they are handled before the step ends. */
  readonly readyRequests: ClientRequest[];
  readonly deletes: DeferredDeletes;
  readonly inference: InferenceState;
  drain: BrainDrain;
}

export type BrainTimer =
  /** The session must be checked for eviction and expiry. */
  | { readonly is: "session"; readonly session: string }
  | DeleteTimer
  /** The time to drain is over. */
  | { readonly is: "drain" };

/** `drained` keeps the relay from saying so twice; peers that connect afterwards are still closed. */
export type BrainDrain =
  | { readonly is: "no" }
  | { readonly is: "draining"; readonly until: Millis }
  | { readonly is: "drained" };

export interface Tombstone {
  readonly reason: EndReason;
  /** The key under which it is stored, if sessions are persistent. */
  readonly key: Key | undefined;
}

export interface BrainPeer {
  /** Limits how fast the peer creates sessions. */
  readonly sessionRate: Bucket;
  /** Limits how much the peer has written. */
  readonly writeRate: Bucket;
  /** The digest of its token. */
  readonly credential: CredentialDigest;
  /** The sessions that it follows. */
  readonly follows: Set<string>;
  /** True while the peer reads too slowly: it gets no notifications until it has caught up. */
  isBackpressured: boolean;
  /** By session: the changes that it was not notified of. */
  readonly missed: Map<string, MissedChanges>;
}

export interface MissedChanges {
  /** The last event that may have been missed. */
  readonly seq: number;
  /** The number of changes; null if it is unknown. */
  readonly missed: number | null;
}
