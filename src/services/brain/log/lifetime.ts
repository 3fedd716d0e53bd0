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
import { SESSION_AWAKE_MS } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Brain } from "../brain.ts";
import { isSettled, type Session } from "../session.ts";
import { discard } from "./rubbish.ts";

/** When a session was used, and where that is stored. */
export interface Seen {
  readonly at: Millis;
  readonly key: Key;
}

const SEEN = "seen";
/** However short a session's time is, its use is written down no more often. */
const SEEN_MIN_MS = 1_000;

/** The session is used. */
export function touch(brain: Brain, ctx: StepContext, session: Session): void {
  session.touchedAt = ctx.now;
  if (!brain.settings.persist || session.seeing !== undefined) return;
  // Why without a stretch never: then its first event is being written, with its time.
  const knownAt = Math.max(session.stretches.at(-1)?.at ?? Infinity, session.seen?.at ?? 0);
  if (ctx.now - knownAt < Math.max(SEEN_MIN_MS, quarter(brain, session))) return;
  const at = key("brain", SEEN, session.id, `${sequence(ctx.now)}-${ctx.id()}`);
  session.seeing = { at: ctx.now, key: at };
  brain.writes.set(at, session);
  ctx.emit({ do: "put", key: at, value: { v: 1, at: ctx.now } });
}

/** It was written down, or not, that a session was used. */
export function seenStored(
  brain: Brain,
  ctx: StepContext,
  { session, isStored }: { session: Session; isStored: boolean },
): void {
  const { seen, seeing } = session;
  session.seeing = undefined;
  if (!isStored) return;
  if (seen !== undefined) discard(brain, ctx, [seen.key]);
  session.seen = seeing;
}

/** The use of a session that a key tells of, with the session; undefined for a key of another kind. */
export function seenOf(at: Key): { readonly session: string; readonly seen: Seen } | undefined {
  if (segmentAt(at, 1) !== SEEN) return undefined;
  return { session: segmentAt(at, 2), seen: { at: Number(segmentAt(at, 3).split("-")[0]), key: at } };
}

/** When a session has to be looked at next: to let it sleep, or to end it. */
export function nextLook(brain: Brain, session: Session): Millis {
  const at = endsAt(brain, session);
  const { body, touchedAt } = session;
  return body !== undefined && brain.settings.persist ? Math.min(at, touchedAt + SESSION_AWAKE_MS) : at;
}

/** True once nobody has used the session for as long as it may live without. */
export const isOver = (brain: Brain, session: Session, { now }: Pick<StepContext, "now">): boolean =>
  now >= endsAt(brain, session);

function endsAt(brain: Brain, session: Session): Millis {
  return session.touchedAt + ttlOf(brain, session) + (session.isUnread ? quarter(brain, session) : 0);
}

const quarter = (brain: Brain, session: Session): Millis => Math.floor(ttlOf(brain, session) / 4);

const ttlOf = ({ settings }: Brain, { ttlMs = settings.ttl }: Session): Millis => Math.min(settings.ttl, ttlMs);

/** Lets a session sleep that has not been used for a while: what is in the store as well is forgotten. */
export function doze({ settings }: Brain, session: Session, ctx: StepContext): void {
  if (!settings.persist || !isSettled(session) || ctx.now < session.touchedAt + SESSION_AWAKE_MS) return;
  session.body = undefined;
}
