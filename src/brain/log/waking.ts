/**
 * Sessions fall asleep when nobody uses them, and wake up when somebody does.
 *
 * A sleeping session is all in the store; in memory it is little more than its name. After a start every stored session sleeps.
 * Requests for a session that is being read wait, in order.
 */
import { SESSION_AWAKE_MS } from "../../core/limits.ts";
import type { Turn } from "../../core/turn.ts";
import type { Brain } from "../brain.ts";
import { problemText, storageFailed } from "../problem.ts";
import { discard } from "./rubbish.ts";
import { type Found, scan } from "./scan.ts";
import { bodyAt, isSettled, lastSeq, nameOf, type Session } from "../session.ts";

/** Reads a sleeping session; its requests become ready when that is done. */
export function wake(brain: Brain, session: Session, turn: Turn): void {
  if (session.isWaking) return;
  session.isWaking = true;
  scan(brain, turn, {
    session,
    from: 0,
    until: lastSeq(session),
    end: (found, later) => woken(brain, later, { session, found }),
  });
}

function woken(brain: Brain, turn: Turn, { session, found }: { session: Session; found: Found }): void {
  session.isWaking = false;
  const sleepers = session.sleepers.splice(0);
  switch (found.is) {
    case "head":
      discard(brain, turn, session.spares.map(({ key }) => key));
      session.spares = [];
      session.isUnread = false;
      if (found.head.seq < 0) brain.sessions.delete(session.id); // Why: nothing of it was ever stored whole.
      else session.body = bodyAt(found.base, [...found.tail], found.head);
      break;
    case "damage":
      session.damage = found.damage;
      turn.note({ is: "session_damaged", session: nameOf(session.id), ...found.damage });
      break;
    default:
      for (const { slot, fields } of sleepers) {
        brain.lanes.fill(slot, problemText(storageFailed("the session could not be read"), fields), turn);
      }
      return;
  }
  brain.ready.push(...sleepers);
}

/** When a session has to be looked at next: to let it sleep, or to end it. */
export function nextLook({ settings }: Brain, { body, touchedAt }: Session): number {
  const endsAt = touchedAt + ttlOf(settings.ttl, body?.head.ttlMs);
  return body !== undefined && settings.persist ? Math.min(endsAt, touchedAt + SESSION_AWAKE_MS) : endsAt;
}

/** True once nobody has used the session for as long as it may live without. */
export function isOver({ settings }: Brain, { body, touchedAt }: Session, turn: Turn): boolean {
  return turn.now >= touchedAt + ttlOf(settings.ttl, body?.head.ttlMs);
}

const ttlOf = (
  mostMs: number,
  ownMs: number | undefined,
): number => (ownMs === undefined ? mostMs : Math.min(mostMs, ownMs));

/** Forgets what is in the store as well. */
export function doze({ settings }: Brain, session: Session, turn: Turn): void {
  if (!settings.persist || !isSettled(session) || turn.now < session.touchedAt + SESSION_AWAKE_MS) return;
  session.body = undefined;
}
