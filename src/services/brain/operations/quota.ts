/**
 * Quotas for the data written to the store: for each session, for each client, and in total.
 *
 * A session and the total have a size (`brain.log_bytes`, `brain.store_bytes`), a client has a rate (`WRITE_PER_SECOND_MAX`). Sizes
 * count characters of stored text, which for ASCII are bytes.
 */
import { take } from "../../../core/bucket.ts";
import type { StepContext } from "../../../core/context.ts";
import { WRITE_BURST_MAX, WRITE_PER_SECOND_MAX } from "../../../core/limits.ts";
import { limitExceeded, type RequestError } from "../codec/request-error.ts";
import type { SessionLog } from "../log/session-log.ts";
import type { ClientRequest } from "../sessions/session.ts";
import type { BrainState } from "../state.ts";

export interface PlannedWrite {
  /** The log to be written; undefined for a new one. */
  readonly log: SessionLog | undefined;
  readonly length: number;
}

/** Charges a client for a write, or returns the quota that the write would exceed. */
export function chargeWrite(
  { settings, logs, peers }: BrainState,
  { reply }: ClientRequest,
  { log, length }: PlannedWrite,
  ctx: StepContext,
): RequestError | undefined {
  if (!settings.persist) return undefined;
  if (logs.storedLength + length > settings.store_bytes) return limitExceeded("store_bytes", settings.store_bytes);
  const logLength = (log?.storedLength ?? 0) + (log?.unwrittenLength ?? 0) + length;
  if (logLength > settings.log_bytes) return limitExceeded("log_bytes", settings.log_bytes);
  const writeRate = peers.get(reply.peer)?.writeRate;
  if (writeRate === undefined) return undefined;
  const rate = { perSecond: WRITE_PER_SECOND_MAX, burst: WRITE_BURST_MAX, now: ctx.now };
  const retryMs = take(writeRate, rate, length);
  if (retryMs === 0) return undefined;
  return { message: "rate limit: too much written", code: "RateLimited", details: { retry_after_ms: retryMs } };
}
