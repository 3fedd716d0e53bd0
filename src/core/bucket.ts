/**
 * A token bucket in whole numbers: `perSecond` tokens a second, and at most `burst` after a pause.
 *
 * Invariant: `level` counts thousandths, so that one millisecond at one per second is exactly one.
 */
import type { Millis } from "./ids.ts";

export interface Bucket {
  level: number;
  filledAt: Millis;
}

/** A full bucket. */
export const bucket = (burst: number, now: Millis): Bucket => ({ level: burst * 1_000, filledAt: now });

/** Takes `amount` and returns 0, or takes nothing and returns the milliseconds after which to retry. */
export function take(from: Bucket, rate: Rate, amount: number): Millis {
  const { perSecond, burst, now } = rate;
  if (perSecond === 0) return 0;
  const passed = Math.max(0, now - from.filledAt);
  from.level = Math.min(burst * 1_000, from.level + passed * perSecond);
  from.filledAt = now;
  // Why the minimum: an amount larger than the burst passes when the bucket is full, and leaves a debt.
  const needed = Math.min(amount, burst) * 1_000;
  if (from.level < needed) return Math.ceil((needed - from.level) / perSecond);
  from.level -= amount * 1_000;
  return 0;
}

/** Puts back tokens whose operation was not carried out. */
export function refund(to: Bucket, amount: number): void {
  to.level += amount * 1_000;
}

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
  readonly now: Millis;
}
