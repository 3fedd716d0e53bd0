/**
 * Whether the store works, and how long the writes of which no peer is notified are suspended when it keeps failing.
 *
 * A suspension ends with a trial: one write is made, and the others follow if it succeeds.
 */
import type { StepContext } from "../../core/context.ts";
import type { Millis } from "../../core/ids.ts";

export type WriteHealth =
  /** `failures`: in a row. */
  | { readonly is: "working"; readonly failures: number }
  | { readonly is: "suspended"; readonly until: Millis; readonly ms: Millis }
  /** One write is under way. */
  | { readonly is: "trying"; readonly until: Millis; readonly ms: Millis };

/** After this many failures in a row the writes are suspended. */
const FAILURES_MAX = 3;
/** Delay before a failed write is repeated. Each further failure doubles it, and so does each failed trial. */
const RETRY_MIN_MS: Millis = 5_000;
const RETRY_MAX_MS: Millis = 60_000;
/** A trial that has not ended by then is repeated. */
const TRIAL_MS: Millis = 60_000;

export const WORKING: WriteHealth = { is: "working", failures: 0 };

/** The state after a write was stored. */
export function afterSuccess(health: WriteHealth, ctx: StepContext): WriteHealth {
  if (health.is !== "working") ctx.observe({ is: "writes_resumed", service: "neuro" });
  return WORKING;
}

/** The state after a write failed. */
export function afterFailure(health: WriteHealth, ctx: StepContext): WriteHealth {
  if (health.is === "suspended") return health; // Why: it was under way already.
  if (health.is === "trying") return suspendedFor(Math.min(2 * health.ms, RETRY_MAX_MS), ctx.now);
  if (health.failures + 1 < FAILURES_MAX) return { is: "working", failures: health.failures + 1 };
  ctx.observe({ is: "writes_suspended", service: "neuro" });
  return suspendedFor(RETRY_MIN_MS * 2 ** (FAILURES_MAX - 1), ctx.now);
}

/** How long a failed write waits until it is repeated. */
export const retryMs = (health: WriteHealth): Millis =>
  health.is === "working" ? RETRY_MIN_MS * 2 ** Math.max(0, health.failures - 1) : health.ms;

/** Until when a write has to wait; undefined if it can be made now. */
export const suspendedUntil = (health: WriteHealth, now: Millis): Millis | undefined =>
  health.is === "working" || health.until <= now ? undefined : health.until;

/** The state after a write was made. */
export const afterWrite = (health: WriteHealth, now: Millis): WriteHealth =>
  health.is === "working" ? health : { is: "trying", until: now + TRIAL_MS, ms: health.ms };

const suspendedFor = (ms: Millis, now: Millis): WriteHealth => ({ is: "suspended", until: now + ms, ms });
