/** The clock, the chance and the one timer of a process. */
import type { Millis } from "../core/ids.ts";
import type { Clock } from "../engine/mod.ts";

/** Longer waits are looked at again: a timer does not hear of a clock that is set forward, or of a machine that slept. */
const LOOK_MS = 60_000;

/** A clock whose timer calls `tick`. */
export function createClock(tick: () => void): Clock {
  const now = steady(() => Date.now());
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wake = (at: Millis | undefined): void => {
    clearTimeout(timer);
    if (at === undefined) return;
    const waitMs = Math.max(0, at - now());
    timer = waitMs <= LOOK_MS ? setTimeout(tick, waitMs) : setTimeout(() => wake(at), LOOK_MS);
  };
  return { now, random: () => Math.random(), secret: () => crypto.randomUUID(), wake };
}

/**
 * The same clock, but for what is set back: then time goes on from where it was, as fast as ever, so that every deadline comes in
 * its time. What is set forward is believed, for it may be that the machine slept.
 */
export function steady(read: () => Millis): () => Millis {
  let ahead = 0;
  let last = -Infinity;
  return () => {
    const now = read() + ahead;
    if (now >= last) return last = now;
    ahead += last - now;
    return last;
  };
}
