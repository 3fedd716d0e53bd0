/**
 * How long a session lives and stays in memory after it was last used. Reading a session counts as using it.
 *
 * Events are stored with their times, reading is not. If a session is only read, its last use is stored once in a quarter of its TTL.
 * So reading costs almost nothing, and after a restart a session lives longer by at most that quarter.
 *
 * Invariants: Y1 a session that is used does not expire, even across restarts; Y2 a session that is not used expires after its TTL,
 * or up to a quarter of it later if the relay was restarted.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Key, Millis } from "../../../core/ids.ts";
import { segmentAt, sequence } from "../../../core/key.ts";
import { BRAIN_PART, SESSION_EVICT_AFTER_MS } from "../../../core/limits.ts";
import { brainKey, sessionOfKey } from "../keys.ts";
import { deleteLater } from "../log/deferred-delete.ts";
import { loadedOf, settleAccount } from "../log/session-log.ts";
import type { BrainState } from "../state.ts";
import { type BrainSession, isEvictable, type LastUse } from "./session.ts";

/** The last use is stored no more often than this, however short the TTL of a session is. */
const LAST_USE_INTERVAL_MIN_MS = 1_000;
/** A session that could not be evicted or ended is checked again after this time, at the earliest. */
const RECHECK_MS = 1_000;

/** Records that a session is used. */
export function touch(state: BrainState, session: BrainSession, ctx: StepContext): void {
  session.usedAt = ctx.now;
  state.activeSessions.delete(session); // Why: a session that is added again is the last.
  state.activeSessions.add(session);
  if (!state.settings.persist || session.lastUseWrite !== undefined) return;
  // Why Infinity without a segment: the first event is being written, and its time with it.
  const storedAt = Math.max(session.log.segments.at(-1)?.at ?? Infinity, session.lastUse?.at ?? 0);
  if (ctx.now - storedAt < Math.max(LAST_USE_INTERVAL_MIN_MS, quarterOfTtl(state, session))) return;
  const key = brainKey("last_use", session.id, `${sequence(ctx.now)}-${ctx.id()}`);
  session.lastUseWrite = { at: ctx.now, key };
  state.sessionWrites.add(key);
  ctx.emit({ do: "put", key, value: { v: 1, at: ctx.now } });
}

/** The last use of a session was stored, or could not be. */
export function lastUseSettled(state: BrainState, key: Key, isStored: boolean, ctx: StepContext): void {
  const session = state.sessions.get(sessionOfKey(key));
  if (!state.sessionWrites.delete(key) || session?.lastUseWrite?.key !== key) return;
  const { lastUse, lastUseWrite } = session;
  session.lastUseWrite = undefined;
  if (!isStored) return;
  if (lastUse !== undefined) deleteLater(state.deletes, [lastUse.key], ctx);
  session.lastUse = lastUseWrite;
}

/** The last use that a key of kind `last_use` records. */
export const lastUseOfKey = (key: Key): LastUse => ({ at: Number(segmentAt(key, 3).split("-")[0]), key });

/** Schedules the next check of a session, for eviction or expiry. */
export function scheduleCheck(state: BrainState, session: BrainSession): void {
  state.timers.set({ is: "session", session: session.id }, nextCheck(state, session));
}

/** Schedules the next check of a session that has just been checked. */
export function scheduleNextCheck(state: BrainState, session: BrainSession, { now }: StepContext): void {
  state.timers.set({ is: "session", session: session.id }, Math.max(nextCheck(state, session), now + RECHECK_MS));
}

function nextCheck(state: BrainState, session: BrainSession): Millis {
  const expiry = expiresAt(state, session);
  const mayBeEvicted = loadedOf(session.log) !== undefined && state.settings.persist;
  return mayBeEvicted ? Math.min(expiry, session.usedAt + SESSION_EVICT_AFTER_MS) : expiry;
}

/** True once a session has been unused for its TTL. */
export const isExpired = (state: BrainState, session: BrainSession, { now }: Pick<StepContext, "now">): boolean =>
  now >= expiresAt(state, session);

function expiresAt(state: BrainState, session: BrainSession): Millis {
  return session.usedAt + ttlOf(state, session) + (session.log.isUnverified ? quarterOfTtl(state, session) : 0);
}

const quarterOfTtl = (state: BrainState, session: BrainSession): Millis => Math.floor(ttlOf(state, session) / 4);

const ttlOf = ({ settings }: BrainState, { ttlMs = settings.ttl }: BrainSession): Millis => Math.min(settings.ttl, ttlMs);

/** Removes a session from memory that has been unused for `SESSION_EVICT_AFTER_MS` and is completely stored. */
export function evictIfUnused(state: BrainState, session: BrainSession, ctx: StepContext): void {
  if (ctx.now >= session.usedAt + SESSION_EVICT_AFTER_MS) evict(state, session);
}

/** What the Brain may keep in memory of all sessions. */
export const sessionBytesMax = ({ limits }: BrainState): number => limits.total_bytes * BRAIN_PART;

/** Removes the least recently used sessions from memory until the others are within the Brain's part of it. */
export function evictLeastUsed(state: BrainState): void {
  if (!state.settings.persist || state.logs.retained.bytes <= sessionBytesMax(state)) return;
  const { activeSessions } = state;
  let kept = 0;
  for (const session of activeSessions) {
    evict(state, session);
    if (state.logs.retained.bytes <= sessionBytesMax(state)) return;
    if (!activeSessions.delete(session)) continue;
    activeSessions.add(session); // Why: it is being written, so it is tried again after the others.
    if (++kept === KEPT_PER_STEP_MAX) return;
  }
}

/** Sessions that cannot leave the memory now and are looked at in one step. */
const KEPT_PER_STEP_MAX = 8;

/** Removes a session from memory if it is completely stored. */
function evict({ settings, activeSessions }: BrainState, session: BrainSession): void {
  if (!settings.persist || !isEvictable(session)) return;
  session.log.contents = { is: "stored" };
  activeSessions.delete(session);
  settleAccount(session.log);
}

/** Removes a session from memory, with its timer. */
export function forgetSession(state: BrainState, session: BrainSession): void {
  const { sessions, timers, activeSessions, unusedSessions } = state;
  const { id, log } = session;
  sessions.delete(id);
  activeSessions.delete(session);
  unusedSessions.delete(session);
  log.retained.close();
  timers.clear({ is: "session", session: id });
}
