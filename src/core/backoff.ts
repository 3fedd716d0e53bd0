import type { Millis } from "./ids.ts";

/** How long to wait between attempts: `baseMs` doubles up to `capMs`. */
export interface Backoff {
  readonly baseMs: Millis;
  readonly capMs: Millis;
}

/** Full jitter: any time up to the bound of this attempt, so that many peers who lost one server do not return together. */
export function backoffMs(backoff: Backoff, attempt: number, random: number): Millis {
  return Math.floor(random * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt, 30)));
}
