/**
 * Holds back replies and notifications until the events that they show are stored.
 *
 * Invariants: H1 a frame that shows event n is sent after all events up to n are stored; H2 if a write fails, every reply that waited
 * for it is an error, and the notifications of its events are dropped.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Key } from "../../../core/ids.ts";
import { continueWriting, settleWrite } from "../log/journal.ts";
import { isDurable, lastSeq } from "../log/session-log.ts";
import type { BrainSession, ChangeNotification, WaitingReply } from "../sessions/session.ts";
import { forgetSession } from "../sessions/ttl.ts";
import type { BrainState } from "../state.ts";
import { notifyFollowers } from "./notifications.ts";

/** Has a reply wait until all events up to `seq` are stored. `onFailure` gives the frame to send if they cannot be. */
export function waitUntilStored(session: BrainSession, waiting: WaitingReply, onFailure: () => string): void {
  waiting.reply.pendingWrites++;
  waiting.reply.onFailure = onFailure;
  session.waitingReplies.push(waiting);
}

/** Notifies the followers of a session as soon as the event of the notification is stored. */
export function notifyWhenStored(
  state: BrainState,
  session: BrainSession,
  notification: ChangeNotification,
  ctx: StepContext,
): void {
  session.notifications.push(notification);
  if (isDurable(session.log, notification.seq)) sendNotifications(state, session, ctx);
}

/** A segment of a log was stored, or could not be. */
export function segmentSettled(state: BrainState, key: Key, isStored: boolean, ctx: StepContext): void {
  const outcome = settleWrite(state.logs, key, isStored, ctx);
  const session = outcome === undefined ? undefined : state.sessions.get(outcome.log.id);
  if (outcome === undefined || session === undefined) return;
  switch (outcome.is) {
    case "stored":
      sendNotifications(state, session, ctx);
      releaseReplies(state, session, ctx);
      return continueWriting(state.logs, session.log, ctx);
    case "rolledBack":
      return failWaiting(state, session, ctx);
    case "compacted":
      return;
    default:
      return assertNever(outcome);
  }
}

function sendNotifications(state: BrainState, session: BrainSession, ctx: StepContext): void {
  const { notifications, log } = session;
  const firstWaiting = notifications.findIndex(({ seq }) => !isDurable(log, seq));
  const count = firstWaiting < 0 ? notifications.length : firstWaiting;
  for (const notification of notifications.splice(0, count)) notifyFollowers(state, session, notification, ctx);
}

function releaseReplies(state: BrainState, { waitingReplies, log }: BrainSession, ctx: StepContext): void {
  const firstWaiting = waitingReplies.findIndex(({ seq }) => !isDurable(log, seq));
  const count = firstWaiting < 0 ? waitingReplies.length : firstWaiting;
  for (const { reply } of waitingReplies.splice(0, count)) state.replies.settleWrite(reply, true, ctx);
}

function failWaiting(state: BrainState, session: BrainSession, ctx: StepContext): void {
  session.notifications.length = 0;
  for (const { reply } of session.waitingReplies.splice(0)) state.replies.settleWrite(reply, false, ctx);
  // Why: a session whose first event could not be stored was never created.
  if (lastSeq(session.log) < 0 && session.ending === undefined) forgetSession(state, session);
}
