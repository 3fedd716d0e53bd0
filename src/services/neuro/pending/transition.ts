/**
 * The transitions of a pending action and of its deliveries.
 *
 * The tables have a cell for every pair. `ignored` and `impossible` are decisions, too: an impossible pair is an internal error.
 */
import { Panic } from "../../../core/assert.ts";
import type { DeliveryEvent, DeliveryState, PendingEvent, PendingState, PendingTask } from "./states.ts";

type PendingCell<State> = State | "ignored" | "impossible";

/** The next state of a delivery; undefined if the event changes nothing. Panics for an impossible pair. */
export function nextDelivery(state: DeliveryState, event: DeliveryEvent): DeliveryState | undefined {
  const cell = DELIVERIES[state][event];
  if (cell === "impossible") throw new Panic(`a delivery that is ${state} cannot get the event ${event}`);
  return cell === "ignored" ? undefined : cell;
}

/** The next state of a pending action, and the tasks. */
export function nextPending(
  state: PendingState,
  event: PendingEvent,
): { readonly to: PendingState; readonly tasks: readonly PendingTask[] } {
  const cell = PENDING[state][event];
  if (cell === "impossible") throw new Panic(`a pending action that is ${state} cannot get the event ${event}`);
  return cell === "ignored" ? { to: state, tasks: [] } : cell;
}

/** True while the game has not got the action. */
export const isUndelivered = (state: DeliveryState): boolean => state === "approval" || state === "queued";

/** True while the game has the action and no result of it has arrived. */
export const isWithGame = (state: DeliveryState): boolean =>
  state === "sent" || state === "presumed" || state === "doubtful";

/** True if the game cannot do the action any more. */
export const isSpent = (state: DeliveryState): boolean => state === "failed" || state === "gone";

const DELIVERIES: Readonly<Record<DeliveryState, Readonly<Record<DeliveryEvent, PendingCell<DeliveryState>>>>> = {
  approval: {
    approved: "queued",
    rejected: "failed",
    written: "impossible",
    oversized: "impossible",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "gone",
    held: "failed",
  },
  queued: {
    approved: "ignored",
    rejected: "ignored",
    written: "sent",
    oversized: "failed",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "gone",
    held: "failed",
  },
  sent: {
    approved: "ignored",
    rejected: "ignored",
    written: "impossible",
    oversized: "impossible",
    success: "succeeded",
    failure: "failed",
    evidence: "presumed",
    unheard: "doubtful",
    lost: "gone",
    held: "ignored",
  },
  presumed: {
    approved: "ignored",
    rejected: "ignored",
    written: "impossible",
    oversized: "impossible",
    success: "succeeded",
    failure: "failed",
    evidence: "ignored",
    unheard: "ignored",
    lost: "gone",
    held: "ignored",
  },
  doubtful: {
    approved: "ignored",
    rejected: "ignored",
    written: "impossible",
    oversized: "impossible",
    success: "succeeded",
    failure: "failed",
    evidence: "presumed",
    unheard: "ignored",
    lost: "gone",
    held: "ignored",
  },
  succeeded: {
    approved: "impossible",
    rejected: "impossible",
    written: "impossible",
    oversized: "impossible",
    success: "impossible",
    failure: "impossible",
    evidence: "impossible",
    unheard: "impossible",
    lost: "impossible",
    held: "impossible",
  },
  failed: {
    approved: "ignored",
    rejected: "ignored",
    written: "impossible",
    oversized: "impossible",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "ignored",
    held: "ignored",
  },
  gone: {
    approved: "ignored",
    rejected: "ignored",
    written: "impossible",
    oversized: "impossible",
    success: "ignored",
    failure: "ignored",
    evidence: "ignored",
    unheard: "ignored",
    lost: "ignored",
    held: "ignored",
  },
};

const PENDING: Readonly<
  Record<
    PendingState,
    Readonly<
      Record<PendingEvent, { readonly to: PendingState; readonly tasks: readonly PendingTask[] } | "ignored" | "impossible">
    >
  >
> = {
  outstanding: {
    answered_early: { to: "answered", tasks: ["report"] },
    concluded: { to: "finished", tasks: ["report", "finish"] },
  },
  answered: {
    answered_early: "ignored",
    concluded: { to: "finished", tasks: ["finish"] },
  },
  finished: {
    answered_early: "impossible",
    concluded: "impossible",
  },
};
