/**
 * Sessions fall asleep when nobody uses them, and wake up when somebody does.
 *
 * A sleeping session is all in the store; in memory it is little more than its name. After a start every stored session sleeps.
 * Requests for a session that is being read wait, in order.
 */
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import { errorText, storageFailed } from "../codec/request-error.ts";
import { endSession } from "./tombstone.ts";
import { isExpired, nextCheck, touch } from "./ttl.ts";
import { deleteLater } from "../log/deferred-delete.ts";
import { readFromLog, type ReadResult } from "../log/reader.ts";
import { type BrainSession, lastSeq, loadedLog, shortId } from "./session.ts";

type FoldedLog = ReadResult & { readonly is: "head" };

/** Reads a sleeping session; its requests become ready when that is done. */
export function activate(brain: BrainState, session: BrainSession, ctx: StepContext): void {
  if (session.isActivating) return;
  session.isActivating = true;
  readFromLog(brain, ctx, {
    session,
    from: 0,
    until: lastSeq(session),
    end: (found, later) => activationRead(brain, later, { session, found }),
  });
}

function activationRead(
  brain: BrainState,
  ctx: StepContext,
  { session, found }: { session: BrainSession; found: ReadResult },
): void {
  session.isActivating = false;
  const sleepers = session.waitingRequests.splice(0);
  switch (found.is) {
    case "head":
      becomeActive(brain, ctx, { session, head: found });
      break;
    case "damage":
      session.damage = found.damage;
      ctx.observe({ is: "session_damaged", session: shortId(session.id), ...found.damage });
      break;
    default:
      for (const { reply, fields } of sleepers) {
        brain.replies.fill(reply, errorText(storageFailed("the session could not be read"), fields), ctx);
      }
      return;
  }
  brain.readyRequests.push(...sleepers);
}

function becomeActive(
  brain: BrainState,
  ctx: StepContext,
  { session, head: { head, base, tail } }: { session: BrainSession; head: FoldedLog },
): void {
  deleteLater(brain, ctx, session.spareSegments.map(({ key }) => key));
  session.spareSegments = [];
  if (head.seq < 0) return void brain.sessions.delete(session.id); // Why: nothing of it was ever stored whole.
  session.log = loadedLog(base, [...tail], head);
  session.ttlMs = head.ttlMs;
  if (isExpired(brain, session, ctx)) return endSession(brain, ctx, { session, why: "expired" });
  session.isUnread = false;
  touch(brain, ctx, session);
  brain.deadlines.set(session.id, nextCheck(brain, session));
}
