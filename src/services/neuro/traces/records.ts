/**
 * The records of traces and transcripts: what is kept of an action, a force, a context and an ignored result once it has ended, and of a
 * message to Neuro.
 *
 * A record has no reference to a game, an action or a schema, so that it keeps nothing else in memory. While an object is open, the same
 * record is made of it when somebody asks. `make-record.ts` makes them, `views.ts` makes text of them.
 */
import type { Millis } from "../../../core/ids.ts";
import type { Priority } from "../../../core/neuro-messages.ts";
import type { ForceEnd, ResultOrigin } from "../../../core/observation.ts";
import type { ContextEnd, TraceStep, TranscriptKind } from "../../../core/traces/trace.ts";

interface TraceFields {
  readonly id: string;
  readonly at: Millis;
  /** Undefined while the object is open. */
  readonly endedAt: Millis | undefined;
  readonly upstream: string;
  /** What the ring is charged for it. */
  readonly bytes: number;
}

export interface ActionRecord extends TraceFields {
  readonly kind: "action";
  /** Undefined for an action of an operator. */
  readonly neuroId: string | undefined;
  /** The name of the operator who sent it. */
  readonly operator: string | undefined;
  readonly name: string;
  readonly data: string | undefined;
  readonly force: string | undefined;
  /** Empty if no integration had the action. */
  readonly deliveries: readonly DeliveryRecord[];
  readonly steps: readonly TraceStep[] | undefined;
  readonly result: ResultRecord | undefined;
}

export interface DeliveryRecord {
  readonly slug: string;
  readonly name: string;
  /** 0 if it was not sent. */
  readonly sentAt: Millis;
}

/** The result that the origin got. */
export interface ResultRecord {
  readonly success: boolean;
  readonly message: string | undefined;
  readonly by: ResultOrigin;
  /** The name of the integration that it came from. */
  readonly from: string;
}

export interface ForceRecord extends TraceFields {
  readonly kind: "force";
  readonly slug: string;
  readonly name: string;
  readonly query: string;
  readonly state: string | undefined;
  readonly priority: Priority;
  readonly previous: string | undefined;
  readonly names: readonly string[];
  readonly steps: readonly TraceStep[];
  readonly end: ForceEnd | undefined;
}

export interface ContextRecord extends TraceFields {
  readonly kind: "context";
  /** Undefined for a watcher. */
  readonly slug: string | undefined;
  readonly name: string;
  readonly text: string;
  readonly steps: readonly TraceStep[] | undefined;
  readonly end: ContextEnd | undefined;
}

/** A result that was ignored. */
export interface IgnoredRecord extends TraceFields {
  readonly kind: "result";
  readonly slug: string;
  readonly name: string;
  /** The id that it names. */
  readonly of: string | undefined;
  readonly message: string | undefined;
  readonly success: boolean;
  readonly why: string;
  readonly steps: readonly TraceStep[] | undefined;
}

export type TraceRecord = ActionRecord | ForceRecord | ContextRecord | IgnoredRecord;

/** One message that Neuro was sent, or an action of hers. */
export interface TranscriptRecord {
  readonly id: string;
  readonly at: number;
  readonly upstream: string;
  readonly is: TranscriptKind;
  readonly from: string;
  readonly trace: string | undefined;
  readonly names: readonly string[];
  readonly text: string;
  readonly state: string | undefined;
  readonly success: boolean | undefined;
  readonly bytes: number;
}
