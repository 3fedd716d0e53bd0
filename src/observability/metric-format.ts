/** The text formats of metrics. */

/** `prometheus`: the text format 0.0.4; `openmetrics`: OpenMetrics 1.0. */
export type MetricFormat = "prometheus" | "openmetrics";

/** The content type of each format. */
export const METRIC_TYPES: Readonly<Record<MetricFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The last line of OpenMetrics. */
export const OPENMETRICS_END = "# EOF\n";

/** The format that an `Accept` header asks for. */
export const formatFor = (accept: string | undefined): MetricFormat =>
  /\bapplication\/openmetrics-text\b/i.test(accept ?? "") ? "openmetrics" : "prometheus";
