/**
 * Activates sessions: reads the log of an evicted session when a request needs it.
 *
 * An evicted session is completely in the store and costs little more than its id in memory. After a start, all stored sessions are
 * evicted. Requests for a session that is being read wait, in order.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import { errorFrame, storageFailed } from "../codec/request-error.ts";
import { deleteLater } from "../log/deferred-delete.ts";
import type { FoldedLog, ReadFailure } from "../log/log-store.ts";
import { addStored } from "../log/journal.ts";
import { foldLog } from "../log/reader.ts";
import { lengthOf } from "../log/segment.ts";
import { lastSeq, loadedLog, settleAccount } from "../log/session-log.ts";
import type { BrainState } from "../state.ts";
import { type BrainSession, type ClientRequest, shortId } from "./session.ts";
import { endSession } from "./tombstone.ts";
import { forgetSession, isExpired, scheduleCheck, touch } from "./ttl.ts";

/** Has a request wait until its session is in memory, and starts reading the session if that is not under way. */
export function activateFor(state: BrainState, session: BrainSession, request: ClientRequest, ctx: StepContext): void {
  if (session.activation !== undefined) return void session.activation.requests.push(request);
  session.activation = { requests: [request] };
  foldLog(state.logs, session.log, {
    until: lastSeq(session.log),
    done: (result, later) => activationRead(state, session, result, later),
  }, ctx);
}

function activationRead(
  state: BrainState,
  session: BrainSession,
  result: FoldedLog | ReadFailure,
  ctx: StepContext,
): void {
  const requests = session.activation?.requests ?? [];
  session.activation = undefined;
  switch (result.is) {
    case "folded":
      activate(state, session, result, ctx);
      break;
    case "damaged": {
      const { seq, reason } = result.damage;
      session.log.contents = result;
      ctx.observe({ is: "session_damaged", session: shortId(session.id), seq, why: reason });
      break;
    }
    case "unreadable":
      for (const { reply, fields } of requests) {
        state.replies.fill(reply, errorFrame(storageFailed("the session could not be read"), fields), ctx);
      }
      return;
    default:
      return assertNever(result);
  }
  state.readyRequests.push(...requests);
}

function activate(state: BrainState, session: BrainSession, { head, base, tail }: FoldedLog, ctx: StepContext): void {
  const { log } = session;
  deleteLater(state.deletes, log.spareSegments.map(({ key }) => key), ctx);
  addStored(state.logs, log, -lengthOf(log.spareSegments));
  log.spareSegments = [];
  // Why: no event of the session was ever stored completely, so it was never created.
  if (head.seq < 0) return forgetSession(state, session);
  log.contents = loadedLog(base, [...tail], head);
  settleAccount(log);
  session.ttlMs = head.ttlMs;
  if (isExpired(state, session, ctx)) return endSession(state, session, { reason: "expired", replies: [] }, ctx);
  log.isUnverified = false;
  touch(state, session, ctx);
  scheduleCheck(state, session);
}
