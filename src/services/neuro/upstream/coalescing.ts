/**
 * Contexts that replace each other: those with the same key, which the policy of their game finds in the text. The newest one replaces
 * the one that waits, and one key is sent at most once in `coalesce_interval`.
 *
 * Invariant: CO1 a game has at most `CONTEXT_KEYS_MAX` remembered keys, charged to it. A context with one more key is sent like any other.
 */
import type { Millis } from "../../../core/ids.ts";
import { CONTEXT_KEY_LENGTH_MAX, CONTEXT_KEYS_MAX } from "../../../core/limits.ts";
import { wildcardsIn } from "../../../core/text.ts";
import type { ContextSource, Game } from "../state.ts";

/** A key of a context, and its entry in the table. */
const KEY_BYTES = 256;

/** The key of a context; undefined if its source has no policy, no pattern matches, or the text for `{key}` is too long. */
export function contextKey({ policy }: ContextSource, message: string): string | undefined {
  if (policy === undefined || policy.coalesce.length === 0) return undefined;
  let at = -1;
  for (const { parts, keyAt } of policy.coalesce) {
    at++;
    const wildcards = wildcardsIn(parts, message);
    if (wildcards === undefined) continue;
    const key = wildcards[keyAt] ?? "";
    return key.length > CONTEXT_KEY_LENGTH_MAX ? undefined : `${at} ${key}`;
  }
  return undefined;
}

/** When the next context with this key may be sent. */
export const nextAt = ({ contextKeys }: ContextSource, key: string | undefined): Millis =>
  key === undefined ? 0 : contextKeys?.get(key) ?? 0;

/** A context with this key is sent now. */
export function rememberKey(source: ContextSource, key: string, now: Millis): void {
  const { policy, retained } = source;
  const interval = policy?.coalesce_interval ?? 0;
  if (interval === 0) return;
  const keys = source.contextKeys ??= new Map();
  const [oldest] = keys;
  const isKnown = keys.delete(key);
  if (!isKnown && oldest !== undefined && oldest[1] <= now) keys.delete(oldest[0]);
  else if (!isKnown && keys.size >= CONTEXT_KEYS_MAX) return;
  else if (!isKnown) retained.charge(KEY_BYTES);
  keys.set(key, now + interval); // Why deleted before: the first key of the map is the one that expires first.
}

/** Forgets when contexts were sent, because the game is forgotten or its policy has changed. */
export function forgetKeys(game: Game): void {
  game.retained.release(KEY_BYTES * (game.contextKeys?.size ?? 0));
  game.contextKeys = undefined;
}
