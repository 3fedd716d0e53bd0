/**
 * The states of a pending action and of its deliveries, and the events that move them from one to the next.
 *
 * Knows nothing of: games, messages, timers.
 */
import type { RequestId } from "../../../core/ids.ts";

/** The origin of an action, which gets its result. */
export type ActionOrigin =
  /** `id`: Neuro's id of the action. `link`: the number of the connection, because the result goes only to this one. */
  | { readonly is: "neuro"; readonly link: number; readonly id: string }
  | { readonly is: "person"; readonly request: RequestId; readonly by: string };

/**
 * `outstanding`: the origin waits for the result. `answered`: the origin has its result, and the game's own result is still awaited,
 * because its force depends on it.
 */
export type PendingState = "outstanding" | "answered" | "finished";

export type PendingEvent =
  /** The origin gets a result before the game has answered. */
  | "answered_early"
  /** A game succeeded, or all games failed or left, or the deadline has expired. */
  | "concluded";

/**
 * Whether an integration sends results of its successes. `unknown`: it has sent none so far, so that its other messages count as
 * evidence. `confirms`: it has sent one, so that only its results count. `silent`: it sends none, so its silence is a success.
 * `missed`: the number of deadlines in a row that it missed.
 */
export type Confirmation =
  | { readonly is: "unknown" | "confirms"; readonly missed: number }
  | { readonly is: "silent" };

/** A task that results from a transition of a pending action. Tasks run in order. */
export type PendingTask =
  /** Sends the origin its result. */
  | "report"
  /** Removes the action and reports its outcome to its force. */
  | "finish";

/** The delivery of a pending action to one game. */
export type DeliveryState =
  /** A person has to approve it. */
  | "approval"
  /** Its game is away, and gets the action when it reconnects. */
  | "queued"
  /** Its game has the action. */
  | "sent"
  /** Its game has the action, and its other messages show that it is over. The result may still come. */
  | "presumed"
  /** The connection was lost, and nothing was heard on it after the action was sent. The result may still come. */
  | "doubtful"
  | "succeeded"
  | "failed"
  /** Its game has left, or has another action by this name. */
  | "gone";

export type DeliveryEvent =
  /** A person approves or rejects it. */
  | "approved"
  | "rejected"
  /** Its game is connected: the frame was written, or is too large for the game. */
  | "written"
  | "oversized"
  /** Its game answers. */
  | "success"
  | "failure"
  /** Another message of its game shows that the action is over. */
  | "evidence"
  /** Its game's connection was lost, and nothing was heard on it after the action was sent. */
  | "unheard"
  /** Its game has not reconnected in time. */
  | "lost"
  /** A person holds its game. */
  | "held";
