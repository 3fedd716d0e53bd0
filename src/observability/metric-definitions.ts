/**
 * Every metric of the relay with its name, labels and meaning.
 *
 * Names and labels are a public interface: dashboards are built on them. `config/METRICS.md` is generated from this file.
 */
import { ConnectedIntegrations } from "./connected-integrations.ts";
import { type Counter, type Gauge, type Histogram, type MetricFamily, MetricRegistry } from "./metric-registry.ts";

/** Seconds. Neuro gives up on an action after 20 s. */
const LATENCY_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** Metrics that observations update, and metrics that a scrape fills (`scrape.ts`). */
export interface RelayMetrics {
  readonly registry: MetricRegistry;
  /** Source of `integrations` and `integration_uptime_seconds`. */
  readonly connected: ConnectedIntegrations;
  readonly build: MetricFamily<Gauge>;
  readonly uptime: Gauge;
  readonly lag: Gauge;
  readonly connections: MetricFamily<Gauge>;
  readonly frames: MetricFamily<Counter>;
  readonly messages: MetricFamily<Counter>;
  readonly integrations: MetricFamily<Gauge>;
  readonly integrationUptime: MetricFamily<Gauge>;
  readonly watchers: Gauge;
  readonly unauthenticated: Gauge;
  readonly results: MetricFamily<Counter>;
  readonly latency: Histogram;
  readonly pending: MetricFamily<Gauge>;
  readonly forces: MetricFamily<Counter>;
  readonly forcesOpen: MetricFamily<Gauge>;
  readonly forcesWaiting: MetricFamily<Gauge>;
  readonly contextsQueued: MetricFamily<Gauge>;
  readonly writesSuspended: MetricFamily<Gauge>;
  readonly upstreamUp: MetricFamily<Gauge>;
  readonly upstreamConnections: MetricFamily<Counter>;
  readonly linkUp: MetricFamily<Gauge>;
  readonly queueEntries: Gauge;
  readonly queueBytes: Gauge;
  readonly queueOldest: Gauge;
  readonly deadLetters: Gauge;
  readonly queued: MetricFamily<Counter>;
  readonly uploadFiles: Gauge;
  readonly uploadBytes: Gauge;
  readonly sessions: Gauge;
  readonly refusals: MetricFamily<Counter>;
  readonly operatorCommands: MetricFamily<Counter>;
  readonly observations: MetricFamily<Counter>;
}

/** All metrics of one relay, at zero. */
export function createMetrics(): RelayMetrics {
  const registry = new MetricRegistry();
  const options = (name: string, help: string, labels: readonly string[]) => ({
    name: `neuro_relay_${name}`,
    help,
    labels,
  });
  const gauges = (name: string, help: string, ...labels: string[]) => registry.gauge(options(name, help, labels));
  const gauge = (name: string, help: string) => gauges(name, help).labels();
  const counters = (name: string, help: string, ...labels: string[]) => registry.counter(options(name, help, labels));
  const histogram = (name: string, help: string, bounds: readonly number[]) =>
    registry.histogram(options(name, help, []), bounds).labels();
  return {
    registry,
    connected: new ConnectedIntegrations(),
    build: gauges("build_info", "Always 1; the label is the version of the relay.", "version"),
    uptime: gauge("uptime_seconds", "Time since the relay started."),
    lag: gauge("event_loop_lag_seconds", "Longest delay of the event loop since the last scrape."),
    connections: gauges("connections", "Open connections from peers.", "listener"),
    frames: counters("frames_total", "WebSocket frames on connections from peers.", "listener", "direction"),
    messages: counters("messages_total", "Messages by kind.", "service", "peer", "direction", "kind"),
    integrations: gauges("integrations", "Connected integrations, including games.", "listener"),
    integrationUptime: gauges(
      "integration_uptime_seconds",
      "Time since this integration connected; removed when it disconnects. Integrations beyond `limits.metric_integrations` share the label `other`, which has the longest of their times.",
      "listener",
      "integration",
    ),
    watchers: gauge("watchers", "Connected watchers."),
    unauthenticated: gauge("unauthenticated_connections", "Connections to the Intermediary that have not greeted yet."),
    results: counters("action_results_total", "Action results sent to Neuro, by who answered.", "origin", "success"),
    latency: histogram("action_duration_seconds", "Time from an action to its result.", LATENCY_BOUNDS),
    pending: gauges("actions_pending", "Actions without a result.", "upstream"),
    forces: counters("forces_total", "Action forces, by how they ended.", "end"),
    forcesOpen: gauges("forces_open", "1 while an action force is open, else 0.", "upstream"),
    forcesWaiting: gauges("forces_waiting", "Action forces in the queue.", "upstream"),
    contextsQueued: gauges("contexts_queued", "Contexts that are not sent to Neuro yet.", "upstream"),
    writesSuspended: gauges(
      "writes_suspended",
      "1 while the store keeps failing and best-effort writes are suspended, else 0.",
      "service",
    ),
    upstreamUp: gauges("upstream_up", "1 while the connection to Neuro is open, else 0.", "upstream"),
    upstreamConnections: counters("upstream_connections_total", "Established connections to Neuro.", "upstream"),
    linkUp: gauges("link_up", "1 while `neuro-relay link` is connected under this name, else 0.", "link"),
    queueEntries: gauge("queue_entries", "Messages in the queue."),
    queueBytes: gauge("queue_bytes", "Size of the messages in the queue."),
    queueOldest: gauge("queue_oldest_seconds", "Age of the oldest message in the queue; 0 when the queue is empty."),
    deadLetters: gauge("queue_dead_letters", "Dead letters kept for inspection."),
    queued: counters("queue_messages_total", "Queue operations by outcome.", "outcome"),
    uploadFiles: gauge("upload_files", "Stored files of integrations."),
    uploadBytes: gauge("upload_bytes", "Size of the stored files."),
    sessions: gauge("brain_sessions", "Brain sessions."),
    refusals: counters("refusals_total", "Refused connections and messages.", "fault"),
    operatorCommands: counters("operator_commands_total", "Commands of operators.", "command", "outcome"),
    observations: counters("observations_total", "Observations by name.", "observation"),
  };
}
