/**
 * The records of traces and transcripts: what is kept of an action, a force, a context and an ignored result once it has ended, and of any
 * other message to Neuro. An action and a context are one record for both.
 *
 * A record has no reference to a game, an action or a schema, so that it keeps nothing else in memory. While an object is open, the same
 * record is made of it when somebody asks. `make-record.ts` makes them, `views.ts` and `transcript.ts` make text of them.
 */
import type { Millis } from "../../../core/ids.ts";
import type { Priority } from "../../../core/neuro-messages.ts";
import type { ForceEnd, ResultOrigin } from "../../../core/observation.ts";
import type { ContextEnd, TraceStep, TranscriptKind } from "../../../core/traces/trace.ts";
import type { ContextTemplate } from "../policy.ts";

interface TraceFields {
  readonly id: string;
  readonly at: Millis;
  /** Undefined while the object is open. */
  readonly endedAt: Millis | undefined;
  readonly upstream: string;
  /** What a ring is charged for it. */
  readonly bytes: number;
}

/** The place of a message in the transcripts: each message to and from a Neuro gets the next number. 0 for one that was not sent. */
export type Sequence = number;

export interface ActionRecord extends TraceFields {
  readonly kind: "action";
  /** Undefined for an action of an operator. */
  readonly neuroId: string | undefined;
  /** The name of the operator who sent it. */
  readonly operator: string | undefined;
  readonly name: string;
  readonly data: string | undefined;
  readonly force: string | undefined;
  /** The first delivery; undefined if no integration had the action. Why not in a list with the others: there seldom are any. */
  readonly slug: string | undefined;
  readonly game: string | undefined;
  /** 0 if it was not sent. */
  readonly sentAt: Millis;
  readonly others: readonly DeliveryRecord[] | undefined;
  readonly steps: readonly TraceStep[] | undefined;
  /** The result that the origin got, whose it was, and the name of the integration that it came from. */
  readonly success: boolean;
  readonly message: string | undefined;
  readonly by: ResultOrigin | undefined;
  readonly from: string;
  /** Of the action, and of the result. */
  readonly sequence: Sequence;
  readonly resultSequence: Sequence;
}

export interface DeliveryRecord {
  readonly slug: string;
  readonly game: string;
  readonly sentAt: Millis;
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

/** Made when the context arrives, and completed when it ends. */
export interface ContextRecord extends Omit<TraceFields, "endedAt" | "upstream" | "bytes"> {
  readonly kind: "context";
  endedAt: Millis | undefined;
  upstream: string;
  bytes: number;
  /** Undefined for a watcher. */
  readonly slug: string | undefined;
  readonly name: string;
  /** The whole text until it ends, because the context itself keeps that, too. */
  text: string;
  steps: TraceStep[] | undefined;
  /** Undefined until it ends. */
  ending: ContextEnding | undefined;
  sequence: Sequence;
}

/** How a context ended: the template with which Neuro read it, or why she did not. */
export type ContextEnding = ContextTemplate | Exclude<ContextEnd, "sent">;

/** True for a context that Neuro read: what came before and after its text. */
export const wasSent = (ending: ContextEnding | undefined): ending is ContextTemplate => typeof ending === "object";

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

/** One message of a transcript. */
export interface MessageRecord {
  readonly kind: "message";
  readonly sequence: Sequence;
  readonly at: Millis;
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

/** What a transcript consists of: contexts that were sent, actions of Neuro that have ended, and all other messages. */
export type TranscriptRecord = MessageRecord | ContextRecord | ActionRecord;
