/**
 * The states of a pending action and of its deliveries, and the events that move them from one to the next.
 *
 * Knows nothing of: games, messages, timers.
 */
import type { RequestId } from "../../../core/ids.ts";

/** Who wants an action done and gets its result. */
export type ActionOrigin =
  /** `id` is hers, `link` the number of the connection: the result goes to no other one. */
  | { readonly is: "neuro"; readonly link: number; readonly id: string }
  | { readonly is: "person"; readonly request: RequestId };

/**
 * `outstanding`: the origin waits for the result. `answered`: the origin has its result, and the game's own result is still awaited,
 * because its force depends on it.
 */
export type PendingState = "outstanding" | "answered" | "finished";

export type PendingEvent =
  /** The origin gets a result before the game has answered. */
  | "answered_early"
  /** A game succeeded, or all games failed or are gone, or time is over. */
  | "concluded";

/** What follows from a transition of a pending action, in order. */
export type PendingTask =
  /** Sends the origin its result. */
  | "report"
  /** Forgets the action and tells its force how it ended. */
  | "finish";

/** The share of one game in a pending action. */
export type DeliveryState =
  /** A person has to approve it. */
  | "approval"
  /** Its game is away, and gets it when it is back. */
  | "queued"
  /** Its game has it. */
  | "sent"
  | "succeeded"
  | "failed"
  /** Its game is gone, or has another action by this name. */
  | "gone";

export type DeliveryEvent =
  /** A person decides. */
  | "approved"
  | "rejected"
  /** Its game is connected: the frame was written, or is too large for the game. */
  | "written"
  | "oversized"
  /** Its game answers. */
  | "success"
  | "failure"
  /** Its game is not coming back in time. */
  | "lost"
  /** A person holds its game. */
  | "held";
