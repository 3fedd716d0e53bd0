/** The clock, the chance and the one timer of a process. */
import type { Millis } from "../core/ids.ts";
import type { Clock } from "../engine/mod.ts";

/** The longest that `setTimeout` can wait. */
const TIMEOUT_MAX = 2 ** 31 - 1;

/** A clock whose timer calls `tick`. */
export function createClock(tick: () => void): Clock {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    secret: () => crypto.randomUUID(),
    wake(at: Millis | undefined): void {
      clearTimeout(timer);
      timer = at === undefined ? undefined : setTimeout(tick, Math.min(Math.max(0, at - Date.now()), TIMEOUT_MAX));
    },
  };
}
