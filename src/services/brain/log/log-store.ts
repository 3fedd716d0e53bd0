/**
 * The shared part of all logs: the port through which the journal and the reader reach the store and the service's operators.
 *
 * The service supplies a `LogStore`, passes on what the store answers, and gets the results back as values. So nothing in this
 * folder knows sessions, peers or replies.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Key, LoadToken } from "../../../core/ids.ts";
import type { RetainedBytes } from "../../../core/retained-bytes.ts";
import type { CovenantPolicy } from "../operations/covenant.ts";
import type { OperatorRegistry } from "../operations/operators.ts";
import type { DeferredDeletes } from "./deferred-delete.ts";
import type { LogEvent, LogHead } from "./event.ts";
import type { LogSegment } from "./segment.ts";
import type { LogDamage, SessionLog } from "./session-log.ts";

export interface LogStore {
  readonly operators: OperatorRegistry;
  /** False: nothing is written, and only the last events are kept. */
  isPersistent: boolean;
  /** The policy of a log whose first event names none. */
  defaultPolicy: CovenantPolicy;
  /** The store accepts this much text of events in one entry. */
  readonly segmentTextMax: number;
  /** Segments that are being written, with their logs. */
  readonly writes: Map<Key, SessionLog>;
  /** Reads that wait for the store, at most `LOG_READS_MAX`. */
  readonly reads: Map<LoadToken, LogRead>;
  /** Reads that wait for one of those to end. */
  readonly waitingReads: LogRead[];
  /** What is kept of all logs. */
  readonly retained: RetainedBytes;
  readonly deletes: DeferredDeletes;
  /** The length of the stored text of all logs. */
  storedLength: number;
}

/** The result of a write that has settled. */
export type LogWriteOutcome =
  /** The durable head has advanced. */
  | { readonly is: "stored"; readonly log: SessionLog }
  /** The log is as it was last stored; later events are lost. */
  | { readonly is: "rolledBack"; readonly log: SessionLog }
  /** The durable head is unchanged. */
  | { readonly is: "compacted"; readonly log: SessionLog };

export type ReadFailure =
  | { readonly is: "damaged"; readonly damage: LogDamage }
  /** The store did not answer. A later read may succeed. */
  | { readonly is: "unreadable"; readonly reason: string };

export interface CollectedEvents {
  readonly is: "events";
  readonly events: readonly LogEvent[];
}

/** The head after the last event of a read. `tail` holds the events after `base`, the head of the last snapshot before it. */
export interface FoldedLog {
  readonly is: "folded";
  readonly head: LogHead;
  readonly base: LogHead;
  readonly tail: readonly LogEvent[];
}

/** A read that is under way. It may span several loads. */
export interface LogRead {
  readonly log: SessionLog;
  readonly goal: ReadGoal;
  /** The next event that is needed. */
  next: number;
  /** The last event that is needed. */
  until: number;
  /** The segments that are being loaded. */
  loading: readonly LogSegment[];
}

/** The purpose of a read. `done` is called exactly once. */
export type ReadGoal =
  /** Collects events until `textMax` characters of payload are reached. */
  | {
    readonly is: "events";
    readonly events: LogEvent[];
    readonly textMax: number;
    textLength: number;
    done(result: CollectedEvents | ReadFailure, ctx: StepContext): void;
  }
  /** Folds events. A strict fold starts at event 0 and verifies every snapshot; another starts at the last snapshot. */
  | {
    readonly is: "fold";
    isStrict: boolean;
    head: LogHead;
    base: LogHead;
    readonly tail: LogEvent[];
    done(result: FoldedLog | ReadFailure, ctx: StepContext): void;
  };
