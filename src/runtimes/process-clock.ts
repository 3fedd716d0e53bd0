/** The clock, the randomness and the single timer of a process. */
import type { Millis } from "../core/ids.ts";
import type { Clock } from "../engine/mod.ts";

/** Longer waits are checked this often, because a timer does not notice that the clock was set forward or the machine slept. */
const CHECK_MS = 60_000;

/** A clock whose timer calls `tick`. */
export function createClock(tick: () => void): Clock {
  const now = monotonic(() => Date.now());
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wake = (at: Millis | undefined): void => {
    clearTimeout(timer);
    if (at === undefined) return;
    const waitMs = Math.max(0, at - now());
    timer = waitMs <= CHECK_MS ? setTimeout(tick, waitMs) : setTimeout(() => wake(at), CHECK_MS);
  };
  return { now, random: () => Math.random(), secret: () => crypto.randomUUID(), wake };
}

/** Milliseconds since 1970, by a clock that is not set while the process runs. */
export const unixTime = (): Millis => Math.round(performance.timeOrigin + performance.now());

/**
 * The same clock without steps backwards: when the machine's clock is set back, time continues from the last value at the same speed,
 * so that deadlines stay on time. A step forward is accepted, because the machine may have slept.
 */
export function monotonic(read: () => Millis): () => Millis {
  let ahead = 0;
  let last = -Infinity;
  return () => {
    const now = read() + ahead;
    if (now >= last) return last = now;
    ahead += last - now;
    return last;
  };
}
