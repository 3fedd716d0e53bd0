/** What this relay measures. Names and labels are an interface: dashboards are built on them. */
import type { Cell, Family, Histogram } from "./metrics.ts";
import { Metrics } from "./metrics.ts";

/** Seconds; Neuro gives an action up after twenty. */
const LATENCY_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

export interface Meters {
  readonly all: Metrics;
  /** Every kind of fact, by its name. */
  readonly notes: Family<Cell>;
  readonly peers: Family<Cell>;
  readonly frames: Family<Cell>;
  readonly bytes: Family<Cell>;
  readonly integrations: Family<Cell>;
  readonly results: Family<Cell>;
  readonly latency: Histogram;
  readonly forces: Family<Cell>;
  readonly forceOpen: Cell;
  readonly upstream: Family<Cell>;
  readonly refusals: Family<Cell>;
  readonly operatorActs: Family<Cell>;
  readonly uptime: Cell;
  readonly lag: Cell;
  /** Numbers that rooms report about themselves, by path. */
  readonly status: Family<Cell>;
}

export function createMeters(): Meters {
  const all = new Metrics();
  const named = (name: string, help: string, ...labels: string[]) => ({ name: `neuro_relay_${name}`, help, labels });
  return {
    all,
    uptime: all.gauge(named("uptime_seconds", "Time since the relay started.")).of(),
    lag: all.gauge(named("event_loop_lag_seconds", "How late the event loop was when this was read.")).of(),
    peers: all.gauge(named("peers", "Open connections.", "door")),
    frames: all.counter(named("frames_total", "WebSocket frames.", "door", "direction")),
    bytes: all.counter(named("frame_chars_total", "Length of those frames.", "door", "direction")),
    integrations: all.gauge(
      named("integration_since_seconds", "When this integration connected, in Unix time.", "integration"),
    ),
    results: all.counter(named("action_results_total", "Results given to Neuro, by who answered.", "origin", "success")),
    latency: all.histogram(named("action_seconds", "From an action to its result."), LATENCY_BOUNDS).of(),
    forces: all.counter(named("forces_total", "Action forces, by how they ended.", "end")),
    forceOpen: all.gauge(named("force_open", "1 while an action force is open.")).of(),
    upstream: all.gauge(named("upstream_up", "1 while the connection to Neuro is open.", "upstream")),
    refusals: all.counter(named("refusals_total", "Peers and messages that were refused.", "fault")),
    operatorActs: all.counter(named("operator_acts_total", "What people did to the relay.", "did", "outcome")),
    status: all.gauge(named("room_status", "Numbers that a room reports about itself.", "room", "name")),
    notes: all.counter(named("notes_total", "Facts, by kind.", "note")),
  };
}
