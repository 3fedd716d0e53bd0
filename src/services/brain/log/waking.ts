/**
 * Sessions fall asleep when nobody uses them, and wake up when somebody does.
 *
 * A sleeping session is all in the store; in memory it is little more than its name. After a start every stored session sleeps.
 * Requests for a session that is being read wait, in order.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Brain } from "../brain.ts";
import { problemText, storageFailed } from "../problem.ts";
import { end } from "./ending.ts";
import { isOver, nextLook, touch } from "./lifetime.ts";
import { discard } from "./rubbish.ts";
import { type Found, scan } from "./scan.ts";
import { bodyAt, lastSeq, nameOf, type Session } from "../session.ts";

type Whole = Found & { readonly is: "head" };

/** Reads a sleeping session; its requests become ready when that is done. */
export function wake(brain: Brain, session: Session, ctx: StepContext): void {
  if (session.isWaking) return;
  session.isWaking = true;
  scan(brain, ctx, {
    session,
    from: 0,
    until: lastSeq(session),
    end: (found, later) => woken(brain, later, { session, found }),
  });
}

function woken(brain: Brain, ctx: StepContext, { session, found }: { session: Session; found: Found }): void {
  session.isWaking = false;
  const sleepers = session.sleepers.splice(0);
  switch (found.is) {
    case "head":
      arise(brain, ctx, { session, head: found });
      break;
    case "damage":
      session.damage = found.damage;
      ctx.observe({ is: "session_damaged", session: nameOf(session.id), ...found.damage });
      break;
    default:
      for (const { slot, fields } of sleepers) {
        brain.lanes.fill(slot, problemText(storageFailed("the session could not be read"), fields), ctx);
      }
      return;
  }
  brain.ready.push(...sleepers);
}

function arise(
  brain: Brain,
  ctx: StepContext,
  { session, head: { head, base, tail } }: { session: Session; head: Whole },
): void {
  discard(brain, ctx, session.spares.map(({ key }) => key));
  session.spares = [];
  if (head.seq < 0) return void brain.sessions.delete(session.id); // Why: nothing of it was ever stored whole.
  session.body = bodyAt(base, [...tail], head);
  session.ttlMs = head.ttlMs;
  if (isOver(brain, session, ctx)) return end(brain, ctx, { session, why: "expired" });
  session.isUnread = false;
  touch(brain, ctx, session);
  brain.deadlines.set(session.id, nextLook(brain, session));
}
