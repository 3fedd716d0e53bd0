/**
 * Ends sessions: first a tombstone is stored, then the log is deleted in small batches.
 *
 * Invariants: E1 a session whose end was confirmed does not come back, whatever a crash leaves of its log; E2 only the id, the time
 * and the reason of the last `TOMBSTONES_MAX` ended sessions are kept; E3 until the tombstone is stored, nothing is changed or
 * confirmed: if it cannot be stored, the session stays open.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Entry } from "../../../core/event.ts";
import type { Key } from "../../../core/ids.ts";
import { isObject } from "../../../core/json.ts";
import { TOMBSTONES_MAX } from "../../../core/limits.ts";
import { brainKey, sessionOfKey } from "../keys.ts";
import { deleteLater } from "../log/deferred-delete.ts";
import { addStored } from "../log/journal.ts";
import { lastSeq } from "../log/session-log.ts";
import type { QueuedReply } from "../replies/reply-queues.ts";
import type { BrainState, Tombstone } from "../state.ts";
import { type BrainSession, type EndReason, shortId } from "./session.ts";
import { evictIfUnused, forgetSession, isExpired, scheduleNextCheck } from "./ttl.ts";

/** A tombstone that could not be stored is tried again after this time, if the session has expired. */
const RETRY_MS = 10_000;

export interface EndOptions {
  readonly reason: EndReason;
  /** The replies to send once the tombstone is stored. */
  readonly replies: readonly QueuedReply[];
}

/** Ends a session. */
export function endSession(state: BrainState, session: BrainSession, options: EndOptions, ctx: StepContext): void {
  const { reason, replies } = options;
  if (!state.settings.persist) return removeSession(state, session, { ...options, key: undefined }, ctx);
  const key = brainKey("tombstone", session.id, ctx.id());
  session.ending = { key, reason, replies };
  state.sessionWrites.add(key);
  ctx.emit({ do: "put", key, value: { v: 1, why: reason, at: ctx.now, seq: lastSeq(session.log) } });
}

/** The tombstone of a session was stored, or could not be. */
export function tombstoneSettled(state: BrainState, key: Key, isStored: boolean, ctx: StepContext): void {
  const session = state.sessions.get(sessionOfKey(key));
  if (!state.sessionWrites.delete(key) || session?.ending?.key !== key) return;
  const { ending } = session;
  if (isStored) return removeSession(state, session, ending, ctx);
  session.ending = undefined;
  for (const reply of ending.replies) state.replies.settleWrite(reply, false, ctx);
  // Why: its first event was given up while the tombstone was being written.
  if (lastSeq(session.log) < 0) return forgetSession(state, session);
  state.timers.set({ is: "session", session: session.id }, ctx.now + RETRY_MS);
}

interface Removal extends EndOptions {
  readonly key: Key | undefined;
}

function removeSession(state: BrainState, session: BrainSession, removal: Removal, ctx: StepContext): void {
  const { id, log, waitingReplies, followers } = session;
  const { reason, replies, key } = removal;
  forgetSession(state, session);
  for (const peer of followers) {
    state.peers.get(peer)?.follows.delete(id);
    state.peers.get(peer)?.missed.delete(id);
  }
  deleteEntries(state, session, ctx);
  // Why as stored: the session's end is stored, and the changes applied to it before have ended with it.
  for (const { reply } of waitingReplies.splice(0)) state.replies.settleWrite(reply, true, ctx);
  for (const reply of replies) state.replies.settleWrite(reply, true, ctx);
  addTombstone(state, log.id, { reason, key }, ctx);
  ctx.observe({ is: "session_ended", session: shortId(id), why: reason });
}

/** Deletes the stored entries of a session, and those that are being written. */
function deleteEntries(state: BrainState, { log, lastUse, lastUseWrite }: BrainSession, ctx: StepContext): void {
  const logWrites = [log.write?.segment.key, log.compaction?.segment.key].filter((key) => key !== undefined);
  for (const key of logWrites) state.logs.writes.delete(key);
  if (lastUseWrite !== undefined) state.sessionWrites.delete(lastUseWrite.key);
  addStored(state.logs, log, -log.storedLength);
  const stored = [...log.segments, ...log.spareSegments].map(({ key }) => key);
  const uses = [lastUse?.key, lastUseWrite?.key].filter((key) => key !== undefined);
  deleteLater(state.deletes, [...stored, ...logWrites, ...uses], ctx);
}

function addTombstone({ tombstones, deletes }: BrainState, id: string, tombstone: Tombstone, ctx: StepContext): void {
  tombstones.set(id, tombstone);
  const [oldest] = tombstones;
  if (tombstones.size <= TOMBSTONES_MAX || oldest === undefined) return;
  tombstones.delete(oldest[0]);
  if (oldest[1].key !== undefined) deleteLater(deletes, [oldest[1].key], ctx);
}

/** The tombstone in a stored entry, or undefined if a crash tore it; then no client was told that the session had ended. */
export function tombstoneFrom({ key, value }: Entry): Tombstone | undefined {
  if (!isObject(value)) return undefined;
  return { reason: value["why"] === "expired" ? "expired" : "closed", key };
}

/** The timer of a session is due: the session expires, is evicted, or is checked again later. */
export function checkSession(state: BrainState, id: string, ctx: StepContext): void {
  const session = state.sessions.get(id);
  if (session === undefined || session.ending !== undefined) return;
  if (isExpired(state, session, ctx) && session.activation === undefined) {
    return endSession(state, session, { reason: "expired", replies: [] }, ctx);
  }
  evictIfUnused(state, session, ctx);
  scheduleNextCheck(state, session, ctx);
}
