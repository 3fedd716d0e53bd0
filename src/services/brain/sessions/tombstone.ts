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
import { TOMBSTONES_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState, Tombstone } from "../state.ts";
import { type BrainSession, lastSeq, shortId } from "./session.ts";
import { deleteLater } from "../log/deferred-delete.ts";
import { evict, isExpired, nextCheck } from "./ttl.ts";

/** Where the ends of sessions are kept. */
export const TOMBSTONES: Key = key("brain", "ended");
/** When the end of a session could not be stored: until it is tried again. */
const RETRY_MS = 10_000;

/** Ends a session; replies that wait for it leave once that is stored. */
export function endSession(
  brain: BrainState,
  ctx: StepContext,
  { session, why }: { session: BrainSession; why: Tombstone["why"] },
): void {
  if (!brain.settings.persist) return removeSession(brain, ctx, { session, why, at: undefined });
  const at = key(TOMBSTONES, session.id, ctx.id());
  session.tombstone = { at, why };
  brain.writes.set(at, session);
  ctx.emit({ do: "put", key: at, value: { v: 1, why, at: ctx.now, seq: lastSeq(session) } });
}

/** The end of a session was stored, or not. */
export function tombstoneStored(
  brain: BrainState,
  ctx: StepContext,
  { session, isStored }: { session: BrainSession; isStored: boolean },
): void {
  const { tombstone } = session;
  if (tombstone === undefined) return;
  brain.writes.delete(tombstone.at);
  if (isStored) return removeSession(brain, ctx, { session, ...tombstone });
  session.tombstone = undefined;
  const failed = session.waitingReplies.filter(({ seq }) => seq === Infinity);
  session.waitingReplies.splice(
    0,
    session.waitingReplies.length,
    ...session.waitingReplies.filter(({ seq }) => seq !== Infinity),
  );
  for (const { reply } of failed) brain.replies.settleWrite(reply, false, ctx);
  brain.deadlines.set(session.id, ctx.now + RETRY_MS);
}

function removeSession(
  brain: BrainState,
  ctx: StepContext,
  { session, why, at }: { readonly session: BrainSession; readonly why: Tombstone["why"]; readonly at: Key | undefined },
): void {
  const { id, segments, spareSegments, lastUse, writing, compaction, lastUseWrite, waitingReplies, followers } = session;
  brain.sessions.delete(id);
  brain.deadlines.clear(id);
  for (const peer of followers) {
    brain.peers.get(peer)?.follows.delete(id);
    brain.peers.get(peer)?.missed.delete(id);
  }
  const unfinished = [writing?.segment.key, compaction?.segment.key, lastUseWrite?.key].filter((each) =>
    each !== undefined
  );
  for (const each of unfinished) brain.writes.delete(each);
  const finished = [...segments, ...spareSegments, ...(lastUse === undefined ? [] : [lastUse])].map((stored) => stored.key);
  deleteLater(brain, ctx, [...finished, ...unfinished]);
  for (const { reply } of waitingReplies.splice(0)) brain.replies.settleWrite(reply, true, ctx);
  addTombstone(brain, ctx, { id, ended: { why, key: at } });
  ctx.observe({ is: "session_ended", session: shortId(id), why });
}

function addTombstone(
  brain: BrainState,
  ctx: StepContext,
  { id, ended }: { readonly id: string; readonly ended: Tombstone },
): void {
  brain.tombstones.set(id, ended);
  if (brain.tombstones.size <= TOMBSTONES_MAX) return;
  for (const [oldest, { key: at }] of brain.tombstones) {
    brain.tombstones.delete(oldest);
    if (at !== undefined) deleteLater(brain, ctx, [at]);
    return;
  }
}

/** The end that a stored entry tells of. */
export function tombstoneOf({ key: at, value }: Entry): { readonly id: string; readonly ended: Tombstone } | undefined {
  if (!isObject(value)) return undefined;
  return { id: segmentAt(at, 2), ended: { why: value["why"] === "expired" ? "expired" : "closed", key: at } };
}

/** Looks at the sessions whose time may have come: they sleep, end, or are looked at later. */
export function expireAndEvict(brain: BrainState, ctx: StepContext): void {
  for (const id of brain.deadlines.due(ctx.now)) {
    const session = brain.sessions.get(id);
    if (session === undefined || session.tombstone !== undefined) continue;
    if (isExpired(brain, session, ctx) && !session.isActivating) {
      endSession(brain, ctx, { session, why: "expired" });
      continue;
    }
    evict(brain, session, ctx);
    brain.deadlines.set(id, Math.max(nextCheck(brain, session), ctx.now + 1_000));
  }
}
