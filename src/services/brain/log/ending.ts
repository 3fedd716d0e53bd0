/**
 * How sessions end: first that they ended is stored, then their log is deleted, a little at a time.
 *
 * Invariants: E1 a session that was said to be closed does not come back, whatever is left of its log after a crash; E2 of ended
 * sessions only the name, the time and the reason are kept, of the latest only.
 */
import type { Entry } from "../../../core/event.ts";
import type { Key } from "../../../core/ids.ts";
import { isObject } from "../../../core/json.ts";
import { key, segmentAt } from "../../../core/key.ts";
import { ENDED_SESSIONS_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Brain, Ended } from "../brain.ts";
import { lastSeq, nameOf, type Session } from "../session.ts";
import { discard } from "./rubbish.ts";
import { doze, isOver, nextLook } from "./lifetime.ts";

/** Where the ends of sessions are kept. */
export const ENDED: Key = key("brain", "ended");
/** When the end of a session could not be stored: until it is tried again. */
const AGAIN_MS = 10_000;

/** Ends a session; replies that wait for it leave once that is stored. */
export function end(brain: Brain, ctx: StepContext, { session, why }: { session: Session; why: Ended["why"] }): void {
  if (!brain.settings.persist) return finish(brain, ctx, { session, why, at: undefined });
  const at = key(ENDED, session.id, ctx.id());
  session.ending = { at, why };
  brain.writes.set(at, session);
  ctx.emit({ do: "put", key: at, value: { v: 1, why, at: ctx.now, seq: lastSeq(session) } });
}

/** The end of a session was stored, or not. */
export function endStored(
  brain: Brain,
  ctx: StepContext,
  { session, isStored }: { session: Session; isStored: boolean },
): void {
  const { ending } = session;
  if (ending === undefined) return;
  brain.writes.delete(ending.at);
  if (isStored) return finish(brain, ctx, { session, ...ending });
  session.ending = undefined;
  const failed = session.waiting.filter(({ seq }) => seq === Infinity);
  session.waiting.splice(0, session.waiting.length, ...session.waiting.filter(({ seq }) => seq !== Infinity));
  for (const { slot } of failed) brain.lanes.release(slot, false, ctx);
  brain.deadlines.set(session.id, ctx.now + AGAIN_MS);
}

function finish(
  brain: Brain,
  ctx: StepContext,
  { session, why, at }: { readonly session: Session; readonly why: Ended["why"]; readonly at: Key | undefined },
): void {
  const { id, stretches, spares, seen, writing, paging, seeing, waiting, followers } = session;
  brain.sessions.delete(id);
  brain.deadlines.clear(id);
  for (const peer of followers) {
    brain.peers.get(peer)?.follows.delete(id);
    brain.peers.get(peer)?.gaps.delete(id);
  }
  const unfinished = [writing?.stretch.key, paging?.stretch.key, seeing?.key].filter((each) => each !== undefined);
  for (const each of unfinished) brain.writes.delete(each);
  const finished = [...stretches, ...spares, ...(seen === undefined ? [] : [seen])].map((stored) => stored.key);
  discard(brain, ctx, [...finished, ...unfinished]);
  for (const { slot } of waiting.splice(0)) brain.lanes.release(slot, true, ctx);
  remember(brain, ctx, { id, ended: { why, key: at } });
  ctx.observe({ is: "session_ended", session: nameOf(id), why });
}

function remember(brain: Brain, ctx: StepContext, { id, ended }: { readonly id: string; readonly ended: Ended }): void {
  brain.ended.set(id, ended);
  if (brain.ended.size <= ENDED_SESSIONS_MAX) return;
  for (const [oldest, { key: at }] of brain.ended) {
    brain.ended.delete(oldest);
    if (at !== undefined) discard(brain, ctx, [at]);
    return;
  }
}

/** The end that a stored entry tells of. */
export function endedOf({ key: at, value }: Entry): { readonly id: string; readonly ended: Ended } | undefined {
  if (!isObject(value)) return undefined;
  return { id: segmentAt(at, 2), ended: { why: value["why"] === "expired" ? "expired" : "closed", key: at } };
}

/** Looks at the sessions whose time may have come: they sleep, end, or are looked at later. */
export function lookAtSessions(brain: Brain, ctx: StepContext): void {
  for (const id of brain.deadlines.due(ctx.now)) {
    const session = brain.sessions.get(id);
    if (session === undefined || session.ending !== undefined) continue;
    if (isOver(brain, session, ctx) && !session.isWaking) {
      end(brain, ctx, { session, why: "expired" });
      continue;
    }
    doze(brain, session, ctx);
    brain.deadlines.set(id, Math.max(nextLook(brain, session), ctx.now + 1_000));
  }
}
