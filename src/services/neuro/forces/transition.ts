/**
 * The transitions of a force: the next state and the tasks for each state and event.
 *
 * The table has a cell for every pair. `ignored` and `impossible` are decisions, too: an impossible pair is an internal error.
 * These functions are pure: a transition contains the next state and the tasks.
 */
import { Panic } from "../../../core/assert.ts";
import type { ForceEnd } from "../../../core/observation.ts";
import type {
  AnsweringForce,
  ClosingForce,
  DrainingForce,
  EventOf,
  ForceEvent,
  ForceEventName,
  ForceState,
  ForceStateName,
  ForceTask,
  OpenForce,
  OverdueForce,
  RetryingForce,
  SentForce,
  StateOf,
  SuspendedForce,
} from "./states.ts";

export interface Transition {
  readonly to: ForceState;
  readonly tasks: readonly ForceTask[];
}

type ForceCell<S extends ForceStateName, E extends ForceEventName> =
  | ((state: StateOf<S>, event: EventOf<E>) => Transition)
  | "ignored"
  | "impossible";

type ForceTransitionRow<S extends ForceStateName> = { readonly [E in ForceEventName]: ForceCell<S, E> };

/** The next state after an event, and the tasks. Panics for an impossible pair. */
export function transition(state: ForceState, event: ForceEvent): Transition {
  // Why the cast: the compiler does not carry over that the cell is of this state and this event.
  const cell = TABLE[state.is][event.is] as ForceCell<ForceStateName, ForceEventName>;
  if (cell === "ignored") return { to: state, tasks: [] };
  if (cell === "impossible") throw new Panic(`a force that is ${state.is} cannot get the event ${event.is}`);
  return cell(state, event);
}

/** The force that Neuro has; undefined in states in which she has none. */
export function sentForceOf(state: ForceState): SentForce | undefined {
  return "sent" in state ? state.sent : undefined;
}

/** True after a success: Neuro must not be asked again. */
export const isDone = ({ is }: ForceState): boolean => is === "settling" || is === "revoked";

/** True while the game has an answer whose result is outstanding. */
export const hasOutstanding = (state: ForceState): boolean => state.is === "claimed" || "outstanding" in state;

const to = (state: ForceState, ...tasks: readonly ForceTask[]): Transition => ({ to: state, tasks });

const end = (why: ForceEnd, ...before: readonly ForceTask[]): Transition =>
  to({ is: "ended", end: why }, ...before, "leave");

/** Neuro may still have a force that is not completed, so it is withdrawn from her. */
const endAndWithdraw = (why: ForceEnd): Transition => (why === "completed" ? end(why) : end(why, "withdraw"));

const revoke = ({ sent }: { readonly sent: SentForce }, why: "completed" | "cancelled"): Transition =>
  to({ is: "revoked", sent, end: why }, "save", "withdraw", "set_settle_timer");

/** A success: the force ends at once if Neuro has no name left to answer it with. */
const succeed = ({ sent }: { readonly sent: SentForce }): Transition =>
  sent.names.size === 0 ? end("completed") : to({ is: "settling", sent }, "set_settle_timer");

const putBack = (): Transition => end("held", "requeue", "withdraw");

const giveWay = (): Transition => end("preempted", "requeue", "withdraw");

const withoutNames = (sent: SentForce): SentForce => ({ ...sent, names: new Set() });

/** Neuro does not answer and other forces wait: she is asked once more, then the force goes to the end of the queue. */
const giveUp = ({ sent, mustRepeat }: OpenForce | OverdueForce): Transition =>
  sent.attempt === 1
    ? to({ is: "open", sent: { ...sent, attempt: 2 }, mustRepeat }, "ask", "set_answer_timer")
    : end("expired", "requeue_last", "withdraw");

function answerTimer(state: OpenForce, { isConnected, othersWait }: EventOf<"timer">): Transition {
  if (!isConnected) return to(state, "set_answer_timer");
  if (!othersWait) return to({ ...state, is: "overdue" }, "report_silence");
  const { to: next, tasks } = giveUp(state);
  return to(next, "report_silence", ...tasks);
}

/** Neuro does not try again: the force goes to the end of the queue. If no other force waits, it stays with her. */
const stopTrying = ({ sent, mustRepeat }: RetryingForce, { othersWait }: { readonly othersWait: boolean }): Transition =>
  othersWait
    ? end("given_up", "requeue_last", "withdraw")
    : to({ is: "overdue", sent: { ...sent, attempt: 2 }, mustRepeat }, "report_silence");

const retryTimer = (state: RetryingForce, event: EventOf<"timer">): Transition =>
  event.isConnected ? stopTrying(state, event) : to(state, "set_retry_timer");

const startAnswering = (state: OpenForce | OverdueForce | RetryingForce, { by }: EventOf<"action_started">): Transition => {
  const { sent, mustRepeat } = state;
  return to({ is: "answering", sent, mustRepeat, by, outstanding: 1 });
};

/** A person can answer only a force without an answer, and Neuro cannot answer a force that a person answered. */
function anotherAction(state: AnsweringForce, { by }: EventOf<"action_started">): Transition {
  if (by === "person" || state.by === "person") throw new Panic("a force is answered by Neuro and by a person");
  return to({ ...state, outstanding: state.outstanding + 1 });
}

/** Its names are unregistered at Neuro, so only a person can answer it, by a name that was registered again. */
function answeredWhileClosing({ sent }: ClosingForce, { by }: EventOf<"action_started">): Transition {
  if (by === "neuro") throw new Panic("Neuro answers a force by a name that she does not have");
  return to({ is: "draining", sent, by, outstanding: 1 });
}

/** One result fewer is outstanding. `last` is the transition after the last one. */
const failOne = <S extends AnsweringForce | DrainingForce | SuspendedForce>(
  state: S,
  last: (state: S) => Transition,
): Transition => (state.outstanding > 1 ? to({ ...state, outstanding: state.outstanding - 1 }) : last(state));

const repeat = (state: OpenForce | OverdueForce | AnsweringForce | RetryingForce): Transition =>
  to({ ...state, mustRepeat: true });

function askAgain(state: OpenForce | OverdueForce | RetryingForce, { isConnected }: EventOf<"actions_synced">): Transition {
  if (!state.mustRepeat || !isConnected) return to(state);
  if (state.is !== "retrying") return to({ ...state, mustRepeat: false }, "ask_again");
  return to({ is: "open", sent: state.sent, mustRepeat: false }, "resume_answer_timer", "ask_again");
}

const supersede = (): Transition => to({ is: "ended", end: "replaced" }, "withdraw", "hand_over");

const reopen = ({ sent }: OpenForce | OverdueForce | RetryingForce): Transition =>
  to({ is: "open", sent: { ...sent, attempt: 1 }, mustRepeat: true }, "set_answer_timer");

const TABLE: { readonly [S in ForceStateName]: ForceTransitionRow<S> } = {
  waiting: {
    refused: () => end("refused"),
    selected: (_, { sent }) =>
      sent.names.size === 0
        ? end("names_gone")
        : to({ is: "open", sent, mustRepeat: false }, "occupy", "ask", "set_answer_timer"),
    action_started: ({ rank, awaitNamesUntil }, { by }) => {
      if (by === "neuro") throw new Panic("Neuro answers a force that she was not asked");
      return to({ is: "claimed", rank, awaitNamesUntil });
    },
    succeeded: "impossible",
    failed: "impossible",
    satisfied: () => end("completed"),
    foreign_success: "impossible",
    names_gone: "impossible",
    redefined: "impossible",
    actions_synced: "impossible",
    not_repeatable: "impossible",
    replaced: () => end("replaced"),
    superseded: "impossible",
    preempted: "impossible",
    cancelled: (_, { end: why }) => end(why),
    held: "impossible",
    resumed: "impossible",
    vetoed: () => end("cancelled"),
    link_opened: "impossible",
    timer: "impossible",
    others_wait: "impossible",
    given_up: "impossible",
  },
  claimed: {
    refused: "impossible",
    selected: "impossible",
    action_started: "impossible",
    succeeded: "impossible",
    failed: ({ rank, awaitNamesUntil }) => to({ is: "waiting", rank, awaitNamesUntil }),
    satisfied: () => end("completed"),
    foreign_success: "impossible",
    names_gone: "impossible",
    redefined: "impossible",
    actions_synced: "impossible",
    not_repeatable: "impossible",
    replaced: () => end("replaced"),
    superseded: "impossible",
    preempted: "impossible",
    cancelled: (_, { end: why }) => end(why),
    held: "impossible",
    resumed: "impossible",
    vetoed: () => end("cancelled"),
    link_opened: "impossible",
    timer: "impossible",
    others_wait: "impossible",
    given_up: "impossible",
  },
  open: {
    refused: "impossible",
    selected: "impossible",
    action_started: startAnswering,
    succeeded: succeed,
    failed: "impossible",
    satisfied: (state) => revoke(state, "completed"),
    foreign_success: (state) => to({ ...state, mustRepeat: true }, "withdraw"),
    names_gone: ({ sent }) => to({ is: "closing", sent }, "set_settle_timer"),
    redefined: repeat,
    actions_synced: askAgain,
    not_repeatable: () => endAndWithdraw("names_gone"),
    replaced: "impossible",
    superseded: supersede,
    preempted: giveWay,
    cancelled: (_, { end: why }) => endAndWithdraw(why),
    held: putBack,
    resumed: "impossible",
    vetoed: (state) => revoke(state, "cancelled"),
    link_opened: reopen,
    timer: answerTimer,
    others_wait: "ignored",
    given_up: "ignored",
  },
  overdue: {
    refused: "impossible",
    selected: "impossible",
    action_started: startAnswering,
    succeeded: succeed,
    failed: "impossible",
    satisfied: (state) => revoke(state, "completed"),
    foreign_success: (state) => to({ ...state, mustRepeat: true }, "withdraw"),
    names_gone: ({ sent }) => to({ is: "closing", sent }, "set_settle_timer"),
    redefined: repeat,
    actions_synced: askAgain,
    not_repeatable: () => endAndWithdraw("names_gone"),
    replaced: "impossible",
    superseded: supersede,
    preempted: giveWay,
    cancelled: (_, { end: why }) => endAndWithdraw(why),
    held: putBack,
    resumed: "impossible",
    vetoed: (state) => revoke(state, "cancelled"),
    link_opened: reopen,
    timer: "impossible",
    others_wait: giveUp,
    given_up: "ignored",
  },
  answering: {
    refused: "impossible",
    selected: "impossible",
    action_started: anotherAction,
    succeeded: succeed,
    failed: (state) =>
      failOne(state, ({ sent, mustRepeat }) => to({ is: "retrying", sent, mustRepeat }, "set_retry_timer")),
    satisfied: (state) => revoke(state, "completed"),
    foreign_success: (state) => to({ ...state, mustRepeat: true }, "withdraw"),
    names_gone: ({ sent, by, outstanding }) => to({ is: "draining", sent, by, outstanding }),
    redefined: repeat,
    actions_synced: "ignored",
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: "ignored",
    preempted: "ignored",
    cancelled: (_, { end: why }) => endAndWithdraw(why),
    held: ({ sent, by, outstanding }) => to({ is: "suspended", sent: withoutNames(sent), by, outstanding }, "withdraw"),
    resumed: "impossible",
    vetoed: (state) => revoke(state, "cancelled"),
    link_opened: (state) => to({ ...state, sent: { ...state.sent, attempt: 1 }, mustRepeat: true }, "set_answer_timer"),
    timer: "ignored",
    others_wait: "ignored",
    given_up: "ignored",
  },
  retrying: {
    refused: "impossible",
    selected: "impossible",
    action_started: startAnswering,
    succeeded: succeed,
    failed: "impossible",
    satisfied: (state) => revoke(state, "completed"),
    foreign_success: (state) => to({ ...state, mustRepeat: true }, "withdraw"),
    names_gone: ({ sent }) => to({ is: "closing", sent }, "set_settle_timer"),
    redefined: repeat,
    actions_synced: askAgain,
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: supersede,
    preempted: giveWay,
    cancelled: (_, { end: why }) => endAndWithdraw(why),
    held: putBack,
    resumed: "impossible",
    vetoed: (state) => revoke(state, "cancelled"),
    link_opened: reopen,
    timer: retryTimer,
    others_wait: "ignored",
    given_up: stopTrying,
  },
  settling: {
    refused: "impossible",
    selected: "impossible",
    action_started: (state, { by }) => {
      if (by === "person") throw new Panic("a person answers a force that is answered");
      return to(state);
    },
    succeeded: "ignored",
    failed: "ignored",
    satisfied: "ignored",
    foreign_success: "ignored",
    names_gone: "ignored",
    redefined: "ignored",
    actions_synced: (state) => (state.sent.names.size === 0 ? end("completed") : to(state)),
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: "ignored",
    preempted: "ignored",
    cancelled: () => end("completed"),
    held: () => end("completed"),
    resumed: "impossible",
    vetoed: "impossible",
    link_opened: "ignored",
    timer: () => end("completed"),
    others_wait: "ignored",
    given_up: "ignored",
  },
  revoked: {
    refused: "impossible",
    selected: "impossible",
    action_started: "impossible",
    succeeded: "ignored",
    failed: "ignored",
    satisfied: "ignored",
    foreign_success: "ignored",
    names_gone: "ignored",
    redefined: "ignored",
    actions_synced: (state) => (state.sent.names.size === 0 ? end(state.end) : to(state)),
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: "ignored",
    preempted: "ignored",
    cancelled: (state) => end(state.end),
    held: (state) => end(state.end),
    resumed: "impossible",
    vetoed: "impossible",
    link_opened: "ignored",
    timer: (state) => end(state.end),
    others_wait: "ignored",
    given_up: "ignored",
  },
  closing: {
    refused: "impossible",
    selected: "impossible",
    action_started: answeredWhileClosing,
    succeeded: succeed,
    failed: "impossible",
    satisfied: (state) => revoke(state, "completed"),
    foreign_success: "ignored",
    names_gone: "impossible",
    redefined: "ignored",
    actions_synced: "ignored",
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: "ignored",
    preempted: "ignored",
    cancelled: (_, { end: why }) => endAndWithdraw(why),
    held: putBack,
    resumed: "impossible",
    vetoed: (state) => revoke(state, "cancelled"),
    link_opened: "ignored",
    timer: () => endAndWithdraw("names_gone"),
    others_wait: "ignored",
    given_up: "ignored",
  },
  draining: {
    refused: "impossible",
    selected: "impossible",
    action_started: "impossible",
    succeeded: succeed,
    failed: (state) => failOne(state, ({ sent }) => to({ is: "closing", sent }, "set_settle_timer")),
    satisfied: (state) => revoke(state, "completed"),
    foreign_success: "ignored",
    names_gone: "impossible",
    redefined: "ignored",
    actions_synced: "ignored",
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: "ignored",
    preempted: "ignored",
    cancelled: (_, { end: why }) => endAndWithdraw(why),
    held: ({ sent, by, outstanding }) => to({ is: "suspended", sent: withoutNames(sent), by, outstanding }, "withdraw"),
    resumed: "impossible",
    vetoed: (state) => revoke(state, "cancelled"),
    link_opened: "ignored",
    timer: "ignored",
    others_wait: "ignored",
    given_up: "ignored",
  },
  suspended: {
    refused: "impossible",
    selected: "impossible",
    action_started: "impossible",
    succeeded: succeed,
    failed: (state) => failOne(state, putBack),
    satisfied: (state) => revoke(state, "completed"),
    foreign_success: "ignored",
    names_gone: "impossible",
    redefined: "ignored",
    actions_synced: "ignored",
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: "ignored",
    preempted: "ignored",
    cancelled: (_, { end: why }) => endAndWithdraw(why),
    held: "ignored",
    resumed: ({ sent, by, outstanding }, { names }) =>
      names.size === 0
        ? to({ is: "draining", sent, by, outstanding })
        : to({ is: "answering", sent: { ...sent, names }, mustRepeat: true, by, outstanding }),
    vetoed: (state) => revoke(state, "cancelled"),
    link_opened: "ignored",
    timer: "ignored",
    others_wait: "ignored",
    given_up: "ignored",
  },
  ended: {
    refused: "impossible",
    selected: "impossible",
    action_started: "impossible",
    succeeded: "impossible",
    failed: "ignored",
    satisfied: "impossible",
    foreign_success: "impossible",
    names_gone: "impossible",
    redefined: "impossible",
    actions_synced: "impossible",
    not_repeatable: "impossible",
    replaced: "impossible",
    superseded: "impossible",
    preempted: "impossible",
    cancelled: "impossible",
    held: "impossible",
    resumed: "impossible",
    vetoed: "impossible",
    link_opened: "impossible",
    timer: "impossible",
    others_wait: "impossible",
    given_up: "impossible",
  },
};
