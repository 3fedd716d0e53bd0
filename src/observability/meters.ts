/**
 * What this relay measures: every metric there is, with its name, its labels and its meaning.
 *
 * Names and labels are an interface: dashboards are built on them. `config/METRICS.md` is written from here.
 */
import type { Cell, Family, Histogram } from "./metrics.ts";
import { Metrics } from "./metrics.ts";
import { Presence } from "./presence.ts";

/** Seconds; Neuro gives an action up after twenty. */
const LATENCY_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** What can be counted at any time. What is only known when somebody asks is in `scrape.ts`. */
export interface Meters {
  readonly all: Metrics;
  readonly build: Family<Cell>;
  readonly uptime: Cell;
  readonly lag: Cell;
  readonly connections: Family<Cell>;
  readonly frames: Family<Cell>;
  readonly messages: Family<Cell>;
  readonly presence: Presence;
  readonly integrations: Family<Cell>;
  readonly integrationUptime: Family<Cell>;
  readonly watchers: Cell;
  readonly newcomers: Cell;
  readonly results: Family<Cell>;
  readonly latency: Histogram;
  readonly pending: Family<Cell>;
  readonly forces: Family<Cell>;
  readonly forcesOpen: Family<Cell>;
  readonly forcesWaiting: Family<Cell>;
  readonly contextsHeld: Family<Cell>;
  readonly upstreamUp: Family<Cell>;
  readonly upstreamConnections: Family<Cell>;
  readonly queueEntries: Cell;
  readonly queueBytes: Cell;
  readonly queueOldest: Cell;
  readonly deadLetters: Cell;
  readonly queued: Family<Cell>;
  readonly uploadFiles: Cell;
  readonly uploadBytes: Cell;
  readonly sessions: Cell;
  readonly refusals: Family<Cell>;
  readonly operatorActs: Family<Cell>;
  readonly notes: Family<Cell>;
}

/** All counters of one relay, at zero. */
export function createMeters(): Meters {
  const all = new Metrics();
  const spec = (name: string, help: string, labels: readonly string[]) => ({ name: `neuro_relay_${name}`, help, labels });
  const gauges = (name: string, help: string, ...labels: string[]) => all.gauge(spec(name, help, labels));
  const gauge = (name: string, help: string) => gauges(name, help).of();
  const counters = (name: string, help: string, ...labels: string[]) => all.counter(spec(name, help, labels));
  const histogram = (name: string, help: string, bounds: readonly number[]) =>
    all.histogram(spec(name, help, []), bounds).of();
  return {
    all,
    presence: new Presence(),
    build: gauges("build_info", "1, with the version of the relay.", "version"),
    uptime: gauge("uptime_seconds", "Time since the relay started."),
    lag: gauge("event_loop_lag_seconds", "How late the event loop was at most since the last scrape."),
    connections: gauges("connections", "Open connections.", "listener"),
    frames: counters("frames_total", "WebSocket frames of accepted connections.", "listener", "direction"),
    messages: counters("messages_total", "Messages, by what they are.", "room", "peer", "direction", "kind"),
    integrations: gauges("integrations", "Integrations that are connected, games among them.", "listener"),
    integrationUptime: gauges(
      "integration_uptime_seconds",
      "Time since this integration connected; gone when it leaves. Beyond `limits.metric_integrations`, the longest of the others.",
      "listener",
      "integration",
    ),
    watchers: gauge("watchers", "Watchers that are connected."),
    newcomers: gauge("newcomers", "Connections to the Intermediary that have not greeted yet."),
    results: counters("action_results_total", "Results given to Neuro, by who answered.", "origin", "success"),
    latency: histogram("action_duration_seconds", "From an action to its result.", LATENCY_BOUNDS),
    pending: gauges("actions_pending", "Actions that have no result yet.", "upstream"),
    forces: counters("forces_total", "Action forces, by how they ended.", "end"),
    forcesOpen: gauges("forces_open", "1 while an action force is open.", "upstream"),
    forcesWaiting: gauges("forces_waiting", "Action forces that wait for their turn.", "upstream"),
    contextsHeld: gauges("contexts_held", "Contexts that wait for Neuro.", "upstream"),
    upstreamUp: gauges("upstream_up", "1 while the connection to Neuro is open.", "upstream"),
    upstreamConnections: counters("upstream_connections_total", "Times that Neuro was reached.", "upstream"),
    queueEntries: gauge("queue_entries", "Messages that wait in the queue."),
    queueBytes: gauge("queue_bytes", "Size of those messages."),
    queueOldest: gauge("queue_oldest_seconds", "Age of the oldest of them; 0 while there is none."),
    deadLetters: gauge("queue_dead_letters", "Messages that were given up and are kept for somebody to look at."),
    queued: counters("queue_messages_total", "What became of messages of the queue.", "outcome"),
    uploadFiles: gauge("upload_files", "Files of integrations that are kept."),
    uploadBytes: gauge("upload_bytes", "Size of those files."),
    sessions: gauge("brain_sessions", "Sessions of the Brain."),
    refusals: counters("refusals_total", "Peers and messages that were refused.", "fault"),
    operatorActs: counters("operator_acts_total", "What people did to the relay.", "did", "outcome"),
    notes: counters("notes_total", "Facts, by kind.", "note"),
  };
}
