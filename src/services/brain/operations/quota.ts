/**
 * Quotas for the data written to the store: for each session, for each client, and in total.
 *
 * Without a store, sessions are in memory only, so what they occupy there is limited instead.
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
import { sessionBytesMax } from "../sessions/ttl.ts";
import type { BrainState } from "../state.ts";

/** What a session without a store occupies in memory for each character that is written. */
const BYTES_PER_UNIT = 8;

export interface PlannedWrite {
  /** The log to be written; undefined for a new one. */
  readonly log: SessionLog | undefined;
  readonly length: number;
}

/** Charges a client for a write, or returns the quota that the write would exceed. */
export function chargeWrite(
  state: BrainState,
  { reply }: ClientRequest,
  { log, length }: PlannedWrite,
  ctx: StepContext,
): RequestError | undefined {
  const { settings, logs, peers } = state;
  if (!settings.persist) {
    const isWithinLimit = logs.retained.bytes + BYTES_PER_UNIT * length <= sessionBytesMax(state);
    return isWithinLimit ? undefined : limitExceeded("total_bytes", state.limits.total_bytes);
  }
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
