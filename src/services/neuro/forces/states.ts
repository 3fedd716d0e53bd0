/**
 * The states of a force, and the events that move it from one to the next.
 *
 * Knows nothing of: games, messages, timers.
 */
import type { Millis } from "../../../core/ids.ts";
import type { ForceEnd } from "../../../core/observation.ts";

/** A force as Neuro has it. */
export interface SentForce {
  readonly openedAt: Millis;
  /** How often Neuro was asked because she did not answer in time. */
  readonly attempt: 1 | 2;
  /** Names by which it can still be answered, as the game calls them. */
  readonly names: Set<string>;
  /** The names that Neuro was given last. */
  readonly upstreamNames: string[];
}

/** `last`: nobody answered it before, so all other forces go first. */
export type ForceRank = "by_priority" | "last";

/** Who answered a force: Neuro, or a person in her place. */
export type Responder = "neuro" | "person";

/** A force that waits for its turn, or for names that are not registered yet. */
export interface WaitingForce {
  readonly is: "waiting";
  readonly rank: ForceRank;
  /** Until then it waits for all of its names; undefined if all were registered when it came. */
  readonly awaitNamesUntil: Millis | undefined;
}

/** A waiting force that a person has answered: its game has the action, and the result is outstanding. */
export interface ClaimedForce {
  readonly is: "claimed";
  readonly rank: ForceRank;
  readonly awaitNamesUntil: Millis | undefined;
}

/** Neuro has the force and has not answered. */
export interface OpenForce {
  readonly is: "open";
  readonly sent: SentForce;
  /** What Neuro has is outdated or lost: she is asked again once her list of actions is up to date. */
  readonly mustRepeat: boolean;
}

/** Neuro did not answer in time, and no other force waited. */
export interface OverdueForce {
  readonly is: "overdue";
  readonly sent: SentForce;
  readonly mustRepeat: boolean;
}

/** All actions for it failed, and Neuro may try again. */
export interface RetryingForce {
  readonly is: "retrying";
  readonly sent: SentForce;
  readonly mustRepeat: boolean;
}

/** Its game has actions for the force, and their results are outstanding. */
export interface AnsweringForce {
  readonly is: "answering";
  readonly sent: SentForce;
  readonly mustRepeat: boolean;
  readonly by: Responder;
  readonly outstanding: number;
}

/** An action succeeded. It may have been a use of the action from before the force, so Neuro's answer may still come. */
export interface SettlingForce {
  readonly is: "settling";
  readonly sent: SentForce;
}

/** Ended by a person or outside Neuro's sight. The force was withdrawn from her, and actions for it may be on their way. */
export interface RevokedForce {
  readonly is: "revoked";
  readonly sent: SentForce;
  readonly end: "completed" | "cancelled";
}

/** None of its names is registered any more; no result is outstanding. */
export interface ClosingForce {
  readonly is: "closing";
  readonly sent: SentForce;
}

/** None of its names is registered any more; results are outstanding. */
export interface DrainingForce {
  readonly is: "draining";
  readonly sent: SentForce;
  readonly by: Responder;
  readonly outstanding: number;
}

/** Its game is held by a person while results are outstanding. */
export interface SuspendedForce {
  readonly is: "suspended";
  readonly sent: SentForce;
  readonly by: Responder;
  readonly outstanding: number;
}

export interface EndedForce {
  readonly is: "ended";
  readonly end: ForceEnd;
}

export type ForceState =
  | WaitingForce
  | ClaimedForce
  | OpenForce
  | OverdueForce
  | AnsweringForce
  | RetryingForce
  | SettlingForce
  | RevokedForce
  | ClosingForce
  | DrainingForce
  | SuspendedForce
  | EndedForce;

export type ForceEvent =
  /** Too many forces wait already. */
  | { readonly is: "refused" }
  /** It is the next one for Neuro. `sent.names` has those of its names that are registered. */
  | { readonly is: "selected"; readonly sent: SentForce }
  /** An action for it is on its way to its game. */
  | { readonly is: "action_started"; readonly by: Responder }
  /** Neuro was told of a success of one of its names. */
  | { readonly is: "succeeded" }
  /** An action for it failed. */
  | { readonly is: "failed" }
  /** Its game has done what it asks for, and Neuro was not told: a person sent the action, or it came by an earlier connection. */
  | { readonly is: "satisfied" }
  /** Another game had a success by a name that this force gave Neuro, too. She may take it for the answer. */
  | { readonly is: "foreign_success" }
  /** The last of its names was unregistered. Neuro has not been told. */
  | { readonly is: "names_gone" }
  /** One of its names has a new definition. Neuro has not been told. */
  | { readonly is: "redefined" }
  /** Neuro's list of actions is up to date, if she is connected. */
  | { readonly is: "actions_synced"; readonly isConnected: boolean }
  /** Neuro was to be asked again, and none of its names is registered. */
  | { readonly is: "not_repeatable" }
  /** Its game sent a newer force while this one waited. */
  | { readonly is: "replaced" }
  /** Its game sent a newer force, which can be asked now. */
  | { readonly is: "superseded" }
  /** Its game's session is over. */
  | { readonly is: "cancelled"; readonly end: ForceEnd }
  /** Its game is held: Neuro was told that its names are gone. */
  | { readonly is: "held" }
  /** Its game is not held any more: Neuro was told of its names. `names` are those that are registered. */
  | { readonly is: "resumed"; readonly names: Set<string> }
  /** A person cancels it. */
  | { readonly is: "vetoed" }
  /** The connection to Neuro is new. */
  | { readonly is: "link_opened" }
  /** Its timer rang. */
  | { readonly is: "timer"; readonly isConnected: boolean; readonly othersWait: boolean }
  /** A force of another game waits. */
  | { readonly is: "others_wait" }
  /** Neuro does not try again, or has no time left for it. */
  | { readonly is: "given_up"; readonly othersWait: boolean };

/** What follows from a transition, in order. */
export type ForceTask =
  /** Takes the place of the current force. */
  | "occupy"
  /** Asks Neuro. */
  | "ask"
  /** Asks Neuro once her list of actions is up to date, with the names that are registered then. */
  | "ask_again"
  /** Unregisters and registers the names that Neuro has: that cancels the force. */
  | "withdraw"
  /** Sets the timer to `actions.settle`. */
  | "set_settle_timer"
  /** Sets the timer to `actions.force_timeout`. */
  | "set_answer_timer"
  /** Sets the timer to the rest of `actions.force_timeout`. */
  | "resume_answer_timer"
  /** Sets the timer to `actions.retry_timeout`, but not to later than the rest of `actions.force_timeout`. */
  | "set_retry_timer"
  /** Writes the record of the game's force in this step. */
  | "save"
  /** Reports that Neuro does not answer. */
  | "report_silence"
  /** Puts the message back into the queue as a new force, unless its game has a newer one there. */
  | "requeue"
  /** The same, behind all others. */
  | "requeue_last"
  /** Leaves the place to its game's newer force, which gets the rest of the time that Neuro has to answer, and reports the end. */
  | "hand_over"
  /** Leaves the place or the queue, and reports the end. */
  | "leave";

export type ForceStateName = ForceState["is"];
export type ForceEventName = ForceEvent["is"];
export type StateOf<Name extends ForceStateName> = Extract<ForceState, { readonly is: Name }>;
export type EventOf<Name extends ForceEventName> = Extract<ForceEvent, { readonly is: Name }>;
