/** The log and the metrics: both are derived from observations by one table. */
export { type ClusterMetrics, createClusterMetrics } from "./cluster-metrics.ts";
export { EventLoopLag } from "./event-loop-lag.ts";
export { LineBuffer } from "./line-buffer.ts";
export { type Log, type LogLine, openLog } from "./logger.ts";
export { oneLine, quoted } from "./log-text.ts";
export { namedLog } from "./named-log.ts";
export { createMetrics, type RelayMetrics } from "./metric-definitions.ts";
export type { Counter, Gauge } from "./metric-registry.ts";
export { formatFor, METRIC_TYPES, OPENMETRICS_END } from "./metric-format.ts";
export { createObserver, type Observer } from "./observer.ts";
export { predictionLine } from "./prediction-line.ts";
export { type ProcessStats, scrape } from "./scrape.ts";
