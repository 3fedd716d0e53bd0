/**
 * Token buckets in whole numbers: `perSecond` tokens a second, and at most `burst` after a pause; and what they limit of a peer or an
 * address.
 *
 * Invariant: `level` counts thousandths, so that one millisecond at one per second is exactly one.
 */
import type { Millis } from "./ids.ts";
import { CONTROL_FRAMES_BURST_MAX, CONTROL_FRAMES_PER_SECOND_MAX } from "./limits.ts";
import type { LimitSettings } from "./settings.ts";

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

/** What a peer or an address may send: events and bytes, charged before they are handled, whatever comes of them. */
export interface WorkBudget {
  readonly events: Bucket;
  readonly bytes: Bucket;
  readonly controlFrames: Bucket;
}

/** The rates of a budget: those of a peer, or a multiple of them. */
export type WorkRates = Pick<LimitSettings, "messages_per_second" | "burst" | "bytes_per_second" | "message_bytes">;

export interface WorkTerms {
  readonly limits: WorkRates;
  readonly now: Millis;
}

/** The rates of this number of peers. */
export const multipliedRates = (rates: WorkRates, peers: number): WorkRates => ({
  messages_per_second: Math.ceil(rates.messages_per_second * peers),
  burst: Math.ceil(rates.burst * peers),
  bytes_per_second: Math.ceil(rates.bytes_per_second * peers),
  message_bytes: rates.message_bytes,
});

/** The bytes that can be sent at once after a pause: a message of the largest size must fit. */
export const bytesBurst = ({ bytes_per_second, message_bytes }: WorkRates): number =>
  Math.max(bytes_per_second, message_bytes);

/** `peers`: how many times the control frames of one peer. */
export const workBudget = (rates: WorkRates, now: Millis, peers = 1): WorkBudget => ({
  events: bucket(rates.burst, now),
  bytes: bucket(bytesBurst(rates), now),
  controlFrames: bucket(CONTROL_FRAMES_BURST_MAX * peers, now),
});

/** Charges one event with its bytes, and returns 0; or charges nothing, and returns the time in ms after which to retry. */
export function takeWork({ events, bytes }: WorkBudget, length: number, { limits, now }: WorkTerms): Millis {
  const waitMs = take(events, { perSecond: limits.messages_per_second, burst: limits.burst, now }, 1);
  if (waitMs > 0) return waitMs;
  const bytesWaitMs = take(bytes, { perSecond: limits.bytes_per_second, burst: bytesBurst(limits), now }, length);
  if (bytesWaitMs > 0) refund(events, 1);
  return bytesWaitMs;
}

/** Charges one event with its bytes. False if the budget is exhausted. */
export function charge({ events, bytes }: WorkBudget, length: number, { limits, now }: WorkTerms): boolean {
  if (take(events, { perSecond: limits.messages_per_second, burst: limits.burst, now }, 1) > 0) return false;
  return take(bytes, { perSecond: limits.bytes_per_second, burst: bytesBurst(limits), now }, length) === 0;
}

/** Charges a ping, or a pong that answers no ping, to the budget of this number of peers. False if it is exhausted. */
export function chargeControlFrame({ controlFrames }: WorkBudget, now: Millis, peers = 1): boolean {
  const perSecond = CONTROL_FRAMES_PER_SECOND_MAX * peers;
  return take(controlFrames, { perSecond, burst: CONTROL_FRAMES_BURST_MAX * peers, now }, 1) === 0;
}
