/**
 * Every metric of the relay with its name, labels and meaning.
 *
 * Names and labels are a public interface: dashboards are built on them. `config/METRICS.md` is generated from this file.
 */
import { ConnectedIntegrations } from "./connected-integrations.ts";
import { RESULT_BOUNDS, ResultTimes } from "./result-times.ts";
import { type Counter, type Gauge, type Histogram, type MetricFamily, MetricRegistry } from "./metric-registry.ts";

/** Seconds. Neuro gives up on an action after 20 s. */
const LATENCY_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** Seconds. A slow store delays replies, at most by `queue.write_timeout`. */
const STORE_BOUNDS = [0.000_1, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5];
/** Seconds. A person may answer a force. */
const FORCE_BOUNDS = [0.1, 0.5, 1, 2.5, 5, 10, 20, 60, 120];
/** Seconds. */
const DELAY_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Metrics that observations update, and metrics that a scrape fills (`scrape.ts`). */
export interface RelayMetrics {
  readonly registry: MetricRegistry;
  /** Source of `integrations` and `integration_uptime_seconds`. */
  readonly connected: ConnectedIntegrations;
  /** Source of `integration_action_duration_seconds`. */
  readonly resultTimes: ResultTimes;
  readonly build: MetricFamily<Gauge>;
  readonly uptime: Gauge;
  readonly lag: Gauge;
  readonly loopDelay: Histogram;
  readonly residentBytes: Gauge;
  readonly heapBytes: Gauge;
  readonly cpuSeconds: Counter;
  readonly processStart: Gauge;
  readonly connections: MetricFamily<Gauge>;
  readonly frames: MetricFamily<Counter>;
  readonly messages: MetricFamily<Counter>;
  readonly integrations: MetricFamily<Gauge>;
  readonly integrationUptime: MetricFamily<Gauge>;
  readonly integrationActions: MetricFamily<Counter>;
  readonly integrationFailures: MetricFamily<Counter>;
  readonly integrationSeconds: MetricFamily<Counter>;
  readonly integrationDuration: MetricFamily<Histogram>;
  readonly integrationContexts: MetricFamily<Counter>;
  readonly integrationForces: MetricFamily<Counter>;
  readonly integrationsPaused: Gauge;
  readonly stopped: Gauge;
  readonly approvalsPending: Gauge;
  readonly watchers: Gauge;
  readonly unauthenticated: Gauge;
  readonly results: MetricFamily<Counter>;
  readonly latency: Histogram;
  readonly pending: MetricFamily<Gauge>;
  readonly forces: MetricFamily<Counter>;
  readonly forceWait: Histogram;
  readonly forceDuration: Histogram;
  readonly forcesOpen: MetricFamily<Gauge>;
  readonly forcesWaiting: MetricFamily<Gauge>;
  readonly contextsQueued: MetricFamily<Gauge>;
  readonly writesSuspended: MetricFamily<Gauge>;
  readonly storeDuration: MetricFamily<Histogram>;
  readonly storeErrors: MetricFamily<Counter>;
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
  const histograms = (name: string, help: string, bounds: readonly number[], ...labels: string[]) =>
    registry.histogram(options(name, help, labels), bounds);
  const histogram = (name: string, help: string, bounds: readonly number[]) => histograms(name, help, bounds).labels();
  /** By the relay's count since it has known the integration. Beyond `limits.metric_integrations` all others are added up. */
  const ofIntegrations = (name: string, help: string) => counters(name, help, "listener", "integration");
  return {
    registry,
    connected: new ConnectedIntegrations(),
    resultTimes: new ResultTimes(),
    build: gauges("build_info", "Always 1; the label is the version of the relay.", "version"),
    uptime: gauge("uptime_seconds", "Time since the relay started."),
    lag: gauge("event_loop_lag_seconds", "Longest delay of the event loop since the last scrape."),
    loopDelay: histogram(
      "event_loop_delay_seconds",
      "Delays of a timer that is due every 0.1 s, since the first scrape.",
      DELAY_BOUNDS,
    ),
    residentBytes: registry.gauge({ name: "process_resident_memory_bytes", help: "Memory of the process." }).labels(),
    heapBytes: registry.gauge({ name: "process_heap_bytes", help: "Used memory of the JavaScript heap." }).labels(),
    cpuSeconds: registry.counter({ name: "process_cpu_seconds_total", help: "CPU time of the process." }).labels(),
    processStart: registry.gauge({ name: "process_start_time_seconds", help: "When the process started, in Unix time." })
      .labels(),
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
    integrationActions: ofIntegrations("integration_actions_total", "Actions of Neuro to this integration."),
    integrationFailures: ofIntegrations("integration_failures_total", "Actions that this integration did not carry out."),
    integrationSeconds: ofIntegrations(
      "integration_action_seconds_total",
      "Total time to the results of this integration; divided by its actions it is the mean.",
    ),
    integrationDuration: histograms(
      "integration_action_duration_seconds",
      "Time from an action to its result, by integration.",
      RESULT_BOUNDS,
      "integration",
    ),
    integrationContexts: ofIntegrations("integration_contexts_total", "Contexts of this integration."),
    integrationForces: ofIntegrations("integration_forces_total", "Forces of this integration."),
    integrationsPaused: gauge("integrations_paused", "Integrations that an operator has paused."),
    stopped: gauge("stopped", "1 while everything is stopped by the kill switch, else 0."),
    approvalsPending: gauge("approvals_pending", "Actions that wait for an operator's approval."),
    watchers: gauge("watchers", "Connected watchers."),
    unauthenticated: gauge("unauthenticated_connections", "Connections to the Intermediary that have not greeted yet."),
    results: counters("action_results_total", "Action results sent to Neuro, by who answered.", "origin", "success"),
    latency: histogram("action_duration_seconds", "Time from an action to its result.", LATENCY_BOUNDS),
    pending: gauges("actions_pending", "Actions without a result.", "upstream"),
    forces: counters("forces_total", "Action forces, by how they ended.", "end"),
    forceWait: histogram("force_wait_seconds", "Time from a force to its request to Neuro.", FORCE_BOUNDS),
    forceDuration: histogram(
      "force_duration_seconds",
      "Time from the request to Neuro to the end of a force.",
      FORCE_BOUNDS,
    ),
    forcesOpen: gauges("forces_open", "1 while an action force is open, else 0.", "upstream"),
    forcesWaiting: gauges("forces_waiting", "Action forces in the queue.", "upstream"),
    contextsQueued: gauges("contexts_queued", "Contexts that are not sent to Neuro yet.", "upstream"),
    writesSuspended: gauges(
      "writes_suspended",
      "1 while the store keeps failing and best-effort writes are suspended, else 0.",
      "service",
    ),
    storeDuration: histograms("store_duration_seconds", "Duration of operations of the store.", STORE_BOUNDS, "operation"),
    storeErrors: counters("store_errors_total", "Failed operations of the store.", "operation"),
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
