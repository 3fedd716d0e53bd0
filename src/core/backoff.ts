import type { Millis } from "./ids.ts";

/** Delay between attempts: `baseMs`, doubled each time up to `capMs`. */
export interface Backoff {
  readonly baseMs: Millis;
  readonly capMs: Millis;
}

/** Full jitter: a random delay up to the bound of this attempt, so that many peers of one server do not reconnect together. */
export function backoffMs(backoff: Backoff, attempt: number, random: number): Millis {
  return Math.floor(random * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt, 30)));
}
