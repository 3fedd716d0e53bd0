/** The duties of the relay that the floor has, each of which can be left out. */
import { UPSTREAM_DEFAULTS } from "../../../src/core/defaults.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";

export const DUTIES = ["checks", "ids", "deadlines", "limits", "metrics", "records", "isolation"] as const;
export type Duty = (typeof DUTIES)[number];

/** `patterns`: messages in their usual form are read by a pattern and joined from parts, without parsing and stringifying. */
export type Technique = "patterns";

export interface FloorOptions {
  readonly with: ReadonlySet<Duty | Technique>;
  /** The deadline of an action: the timeout of Neuro less a tenth. */
  readonly deadlineMs: number;
  readonly limits: {
    readonly message_bytes: number;
    readonly peer_bytes: number;
    readonly total_bytes: number;
    readonly backlog_soft_bytes: number;
    readonly backlog_hard_bytes: number;
    readonly messages_per_second: number;
    readonly burst: number;
    readonly bytes_per_second: number;
  };
  readonly frameBytesMax: number;
  readonly traces: { readonly count: number; readonly bytes: number; readonly transcriptBytes: number };
}

const { limits, traces } = DEFAULTS;
/** As for the relay in a benchmark: the rates of its peers are counted, and too high to be reached. */
const UNREACHED = 1_000_000_000;

export const FLOOR_DEFAULTS: FloorOptions = {
  with: new Set(DUTIES),
  deadlineMs: 18_000,
  limits: { ...limits, messages_per_second: UNREACHED, burst: UNREACHED, bytes_per_second: UNREACHED },
  frameBytesMax: UPSTREAM_DEFAULTS.frame_bytes,
  traces: {
    count: traces.per_integration,
    bytes: traces.bytes_per_integration,
    transcriptBytes: traces.transcript_bytes,
  },
};
