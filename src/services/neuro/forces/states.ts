/**
 * The states of a force, and the events that move it from one to the next.
 *
 * Knows nothing of: games, messages, timers.
 */
import type { Millis } from "../../../core/ids.ts";
import type { ForceEnd } from "../../../core/observation.ts";

/** A force that was sent to Neuro. */
export interface SentForce {
  readonly openedAt: Millis;
  /** How often Neuro was asked because she did not answer in time. */
  readonly attempt: 1 | 2;
  /** Names by which it can still be answered, without the prefixes that Neuro sees. */
  readonly names: Set<string>;
  /** The names that Neuro was given last. */
  readonly upstreamNames: string[];
}

/** `last`: it was not answered before, so all other forces go first. */
export type ForceRank = "by_priority" | "last";

/** The answerer of a force: Neuro, or a person in her place. */
export type Responder = "neuro" | "person";

/** A force that waits for its turn, or for names that are not registered yet. */
export interface WaitingForce {
  readonly is: "waiting";
  readonly rank: ForceRank;
  /** Until then it waits for all its names; undefined if all were registered when the force arrived. */
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
  /** Neuro's copy is outdated or lost: she gets the force again once her list of actions is up to date. */
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

/** Ended by a person, or by a success that Neuro did not get. The force was withdrawn from her, and her actions for it may still arrive. */
export interface RevokedForce {
  readonly is: "revoked";
  readonly sent: SentForce;
  readonly end: "completed" | "cancelled";
}

/** All its names are unregistered; no result is outstanding. */
export interface ClosingForce {
  readonly is: "closing";
  readonly sent: SentForce;
}

/** All its names are unregistered; results are outstanding. */
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
  /** A success by one of its names was sent to Neuro. */
  | { readonly is: "succeeded" }
  /** An action for it failed. */
  | { readonly is: "failed" }
  /**
   * An action by one of its names succeeded, and Neuro does not know that it answered the force: a person or an earlier connection sent
   * the action, or Neuro herself did while the force waited.
   */
  | { readonly is: "satisfied" }
  /** Another game had a success by a name that this force gave Neuro, too. She may consider it the answer to this force. */
  | { readonly is: "foreign_success" }
  /** The last of its names was unregistered. Neuro has not got the unregistration yet. */
  | { readonly is: "names_gone" }
  /** One of its names has a new definition. Neuro has not got it yet. */
  | { readonly is: "redefined" }
  /** Neuro's list of actions is up to date, if she is connected. */
  | { readonly is: "actions_synced"; readonly isConnected: boolean }
  /** The force was to be sent to Neuro again, but all its names are unregistered. */
  | { readonly is: "not_repeatable" }
  /** Its game sent a newer force while this one waited. */
  | { readonly is: "replaced" }
  /** Its game sent a newer force, which can be asked now. */
  | { readonly is: "superseded" }
  /** Another game's force is more urgent, and may take its place. */
  | { readonly is: "preempted" }
  /** Its game's session is over. */
  | { readonly is: "cancelled"; readonly end: ForceEnd }
  /** Its game is held: the unregistrations of its names were sent to Neuro. */
  | { readonly is: "held" }
  /** Its game is not held any more: its names were registered with Neuro again. `names` are the registered ones. */
  | { readonly is: "resumed"; readonly names: Set<string> }
  /** A person cancels it. */
  | { readonly is: "vetoed" }
  /** The connection to Neuro is new. */
  | { readonly is: "link_opened" }
  /** Its timer has expired. */
  | { readonly is: "timer"; readonly isConnected: boolean; readonly othersWait: boolean }
  /** A force of another game waits. */
  | { readonly is: "others_wait" }
  /** Neuro does not try again, or has no time left for it. */
  | { readonly is: "given_up"; readonly othersWait: boolean };

/** A task that results from a transition. Tasks run in order. */
export type ForceTask =
  /** Becomes the current force. */
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
  /** Puts the message back into the queue as a new force of the same age, unless its game has a newer one there. */
  | "requeue"
  /** The same, but behind all other forces. */
  | "requeue_last"
  /** Is replaced by its game's newer force, which gets the rest of Neuro's time to answer, and reports the end. */
  | "hand_over"
  /** Is removed as current force or from the queue, and reports the end. */
  | "leave";

export type ForceStateName = ForceState["is"];
export type ForceEventName = ForceEvent["is"];
export type StateOf<Name extends ForceStateName> = Extract<ForceState, { readonly is: Name }>;
export type EventOf<Name extends ForceEventName> = Extract<ForceEvent, { readonly is: Name }>;
