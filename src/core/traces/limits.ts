/** What the rings of traces and transcripts may occupy, by the settings. */
import { TRACES_PART } from "../limits.ts";
import type { RingLimits } from "./record-ring.ts";
import type { Settings } from "../settings.ts";

/** The limits of all rings of traces, and of all transcripts. */
export const traceLimits = ({ traces, limits }: Settings): RingLimits => ({
  count: traces.per_integration,
  ringBytes: traces.bytes_per_integration,
  totalBytes: limits.total_bytes * TRACES_PART,
});
export const transcriptLimits = ({ traces, limits }: Settings): RingLimits => ({
  count: traces.transcript_bytes > 0 ? Infinity : 0,
  ringBytes: traces.transcript_bytes,
  totalBytes: limits.total_bytes * TRACES_PART,
});
