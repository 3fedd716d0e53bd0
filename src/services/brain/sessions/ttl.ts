/**
 * How long a session lives and stays awake after it was last used, be it only read.
 *
 * Events are on record with their times, reading is not: only once in a quarter of a session's time is it written down that it was
 * used. So reading costs next to nothing, and what a restart does not know is at most that quarter, by which it lets a session
 * live longer.
 *
 * Invariants: Y1 a session that is used does not end, over restarts too; Y2 one that is not used ends after its time, or up to a
 * quarter later if there was a restart.
 */
import type { Key, Millis } from "../../../core/ids.ts";
import { key, segmentAt, sequence } from "../../../core/key.ts";
import { SESSION_EVICT_AFTER_MS } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { BrainState } from "../state.ts";
import { type BrainSession, isStored } from "./session.ts";
import { deleteLater } from "../log/deferred-delete.ts";

/** When a session was used, and where that is stored. */
export interface LastUse {
  readonly at: Millis;
  readonly key: Key;
}

const LAST_USE = "seen";
/** However short a session's time is, its use is written down no more often. */
const LAST_USE_INTERVAL_MIN_MS = 1_000;

/** The session is used. */
export function touch(brain: BrainState, ctx: StepContext, session: BrainSession): void {
  session.touchedAt = ctx.now;
  if (!brain.settings.persist || session.lastUseWrite !== undefined) return;
  // Why without a stretch never: then its first event is being written, with its time.
  const knownAt = Math.max(session.segments.at(-1)?.at ?? Infinity, session.lastUse?.at ?? 0);
  if (ctx.now - knownAt < Math.max(LAST_USE_INTERVAL_MIN_MS, quarter(brain, session))) return;
  const at = key("brain", LAST_USE, session.id, `${sequence(ctx.now)}-${ctx.id()}`);
  session.lastUseWrite = { at: ctx.now, key: at };
  brain.writes.set(at, session);
  ctx.emit({ do: "put", key: at, value: { v: 1, at: ctx.now } });
}

/** It was written down, or not, that a session was used. */
export function lastUseStored(
  brain: BrainState,
  ctx: StepContext,
  { session, isStored }: { session: BrainSession; isStored: boolean },
): void {
  const { lastUse, lastUseWrite } = session;
  session.lastUseWrite = undefined;
  if (!isStored) return;
  if (lastUse !== undefined) deleteLater(brain, ctx, [lastUse.key]);
  session.lastUse = lastUseWrite;
}

/** The use of a session that a key tells of, with the session; undefined for a key of another kind. */
export function lastUseOf(at: Key): { readonly session: string; readonly seen: LastUse } | undefined {
  if (segmentAt(at, 1) !== LAST_USE) return undefined;
  return { session: segmentAt(at, 2), seen: { at: Number(segmentAt(at, 3).split("-")[0]), key: at } };
}

/** When a session has to be looked at next: to let it sleep, or to end it. */
export function nextCheck(brain: BrainState, session: BrainSession): Millis {
  const at = expiresAt(brain, session);
  const { log, touchedAt } = session;
  return log !== undefined && brain.settings.persist ? Math.min(at, touchedAt + SESSION_EVICT_AFTER_MS) : at;
}

/** True once nobody has used the session for as long as it may live without. */
export const isExpired = (brain: BrainState, session: BrainSession, { now }: Pick<StepContext, "now">): boolean =>
  now >= expiresAt(brain, session);

function expiresAt(brain: BrainState, session: BrainSession): Millis {
  return session.touchedAt + ttlOf(brain, session) + (session.isUnread ? quarter(brain, session) : 0);
}

const quarter = (brain: BrainState, session: BrainSession): Millis => Math.floor(ttlOf(brain, session) / 4);

const ttlOf = ({ settings }: BrainState, { ttlMs = settings.ttl }: BrainSession): Millis => Math.min(settings.ttl, ttlMs);

/** Lets a session sleep that has not been used for a while: what is in the store as well is forgotten. */
export function evict({ settings }: BrainState, session: BrainSession, ctx: StepContext): void {
  if (!settings.persist || !isStored(session) || ctx.now < session.touchedAt + SESSION_EVICT_AFTER_MS) return;
  session.log = undefined;
}
