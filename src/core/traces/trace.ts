/**
 * Traces: the path of one force, action, context or command through the relay, step by step. Services keep the records and reply with
 * these views; the API, the command line, the dashboard, watchers and integrations show them.
 *
 * A trace has the id of its object, which events and other views have, too. Times are milliseconds since 1970. Names and texts are those
 * of peers, without credentials.
 */
import type { Millis } from "../ids.ts";
import type { ForceEnd } from "../observation.ts";
import type { Priority } from "../neuro-messages.ts";
import { type Page, PAGE_LENGTH, PAGE_LENGTH_MAX, type PageRequest, type WaitReason } from "../view.ts";

/** `result`: one that was ignored. A result that counts is a step of its action. */
export type TraceKind = "action" | "force" | "context" | "command" | "result";
export const TRACE_KINDS: readonly TraceKind[] = ["action", "force", "context", "command", "result"];

/** Whether the traced object is still open. */
export type TraceState = "open" | "ended";
export const TRACE_STATES: readonly TraceState[] = ["open", "ended"];

// Why types and not interfaces, here and below: only an alias can be used as a JSON object.
/** One step: what happened, whose doing it was or whom it reached (`who`), and the reason or the value (`what`). */
export type TraceStep = {
  readonly at: Millis;
  readonly is: TraceStepName;
  readonly who: string | null;
  readonly what: string | null;
};

/** What a step says. `TraceStep` has its time, who did it, and the reason. */
export type TraceStepName =
  | "received"
  /** It was malformed, and read leniently. `what`: the repairs. */
  | "repaired"
  /** `what`: for what it waits. */
  | "waiting"
  | "approved"
  | "rejected"
  /** It was written to a socket. `who`: of whom. */
  | "sent"
  /** `what`: the result, or the id of the action that answers a force. */
  | "answered"
  /** Another message of the integration shows that the action is over. */
  | "presumed"
  /** The connection was lost, and the integration may not have got it. */
  | "doubtful"
  /** It cannot be delivered any more. `what`: why. */
  | "undelivered"
  /** States of a force; see the README of the Neuro service. */
  | "overdue"
  | "retrying"
  | "settling"
  | "revoked"
  | "closing"
  | "draining"
  | "suspended"
  /** It is in the store. */
  | "stored"
  /** `what`: the reason. */
  | "ended";
export const TRACE_STEPS: readonly TraceStepName[] = [
  ...["received", "repaired", "waiting", "approved", "rejected", "sent", "answered", "presumed", "doubtful"] as const,
  ...["undelivered", "overdue", "retrying", "settling", "revoked", "closing", "draining", "suspended"] as const,
  ...["stored", "ended"] as const,
];

/** How it ended. */
export type TraceOutcome = ForceEnd | ActionEnd | ContextEnd | CommandEnd | "ignored";

export type ActionEnd = "succeeded" | "failed";
/** `duplicate`: an equal silent context waited already. `replaced`: by one with the same key. `dropped`: for a newer one, or because its integration left. */
export type ContextEnd = "sent" | "muted" | "refused" | "duplicate" | "replaced" | "dropped" | "expired";
/**
 * What a context waits for, besides the reasons of a force: the end of backpressure; the results of actions, for a backend that needs
 * that; the end of a search for an action that the backend rejects; its turn; `context_rate`; the `coalesce_interval` of
 * its key.
 */
export type ContextWait =
  | Extract<WaitReason, "held" | "other_character" | "neuro_away" | "result" | "turn">
  | "backpressure"
  | "trial"
  | "rate"
  | "interval";

/**
 * What a command waits for: its recipient; the end of backpressure; the pause after a `nak`; commands before it; acks of those that were
 * sent.
 */
export type CommandWait = "integration_away" | "backpressure" | "retry" | "turn" | "acks";

/** `delivered`: its recipient does not acknowledge, and its connection took the command. */
export type CommandEnd = "acknowledged" | "delivered" | "dropped" | "dead";

export const TRACE_OUTCOMES: readonly TraceOutcome[] = [
  ...[
    "succeeded",
    "failed",
    "sent",
    "muted",
    "refused",
    "duplicate",
    "dropped",
    "acknowledged",
    "delivered",
    "dead",
  ] as const,
  ...[
    "completed",
    "replaced",
    "names_gone",
    "game_gone",
    "expired",
    "given_up",
    "cancelled",
    "held",
    "preempted",
    "ignored",
  ] as const,
];

/** The beginnings of the texts of a traced object. */
export type TraceTexts = {
  readonly context?: string;
  readonly query?: string;
  readonly state?: string;
  readonly data?: string;
  /** The message of the result. */
  readonly result?: string;
  readonly command?: string;
};

/** The path of one force, action, context, command or ignored result. Times are milliseconds since 1970. */
export type TraceView = {
  readonly id: string;
  readonly kind: TraceKind;
  readonly state: TraceState;
  /** Null while it is open. */
  readonly outcome: TraceOutcome | null;
  /** Ids of the integrations that it is from or for. Empty for a watcher's context, and for a command. */
  readonly integrations: readonly string[];
  /** Their names, or the name of the watcher, or of the recipient of a command. */
  readonly names: readonly string[];
  readonly upstream: string | null;
  /** Names of the action, or of the actions of a force. */
  readonly actions: readonly string[];
  /** Of a force. */
  readonly priority: Priority | null;
  /** The id of the force that an action answers, that a force was put back into the queue from, and of an ignored result's action. */
  readonly related: string | null;
  /** Neuro's own id of an action. */
  readonly neuro_id: string | null;
  readonly texts: TraceTexts;
  readonly received_at: Millis;
  readonly ended_at: Millis | null;
  /** From `received_at` to `ended_at`, or until now. */
  readonly ms: Millis;
  readonly steps: readonly TraceStep[];
};

/** The traces that are requested. */
export interface TraceFilter extends PageRequest {
  /** The id or the name of an integration. */
  readonly integration?: string;
  readonly kind?: TraceKind;
  readonly state?: TraceState;
  /** The name of an action. */
  readonly action?: string;
}

/** One message that Neuro was sent, or an action that she sent. */
export interface TranscriptView {
  readonly id: string;
  readonly at: Millis;
  readonly upstream: string;
  readonly is: TranscriptKind;
  /** The name of the integration whose message it is; `relay` for those of the relay. */
  readonly from: string;
  readonly trace: string | null;
  /** Names of actions: of the force, the registration, or the action. */
  readonly actions: readonly string[];
  /** What Neuro read: the context, the query, the message of the result; the data of her action. */
  readonly text: string;
  /** The state of a force. */
  readonly state: string | null;
  /** Of a result. */
  readonly success: boolean | null;
}

export type TranscriptKind =
  | "startup"
  | "context"
  | "force"
  | "action"
  | "result"
  | "registered"
  | "unregistered"
  | "other";
export const TRANSCRIPT_KINDS: readonly TranscriptKind[] = [
  ...["startup", "context", "force", "action", "result", "registered", "unregistered", "other"] as const,
];

export interface TranscriptFilter extends PageRequest {
  readonly upstream?: string;
  readonly is?: TranscriptKind;
  /** A part of a text or of a name, in any case. */
  readonly search?: string;
}

/**
 * The newest items of several lists, each of which is in descending order of ids. No more of a list is looked at than is needed.
 *
 * An item that is in several lists is taken once.
 */
export function newestOf<Item extends { readonly id: string }>(
  lists: Iterable<Iterable<Item>>,
  { after, limit = PAGE_LENGTH }: PageRequest,
  isWanted: (item: Item) => boolean,
): Page<Item> {
  const length = Math.max(1, Math.min(Math.floor(limit), PAGE_LENGTH_MAX));
  const items: Item[] = [];
  for (const list of lists) {
    for (const item of list) {
      const last = items.length > length ? items[length] : undefined;
      if (last !== undefined && item.id <= last.id) break;
      if ((after !== undefined && item.id >= after) || !isWanted(item)) continue;
      insert(items, item);
      if (items.length > length + 1) items.pop();
    }
  }
  const page = items.slice(0, length);
  return { items: page, next: items.length > length ? page.at(-1)?.id ?? null : null };
}

function insert<Item extends { readonly id: string }>(items: Item[], item: Item): void {
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((items[middle]?.id ?? "") > item.id) from = middle + 1;
    else to = middle;
  }
  if (items[from]?.id !== item.id) items.splice(from, 0, item);
}
