/**
 * Receives every observation: always counts it, and logs it when its level is enabled.
 *
 * Invariants: V1 an observation whose line is not written costs one addition, or a few; V2 observations that peers can cause write a
 * bounded number of lines.
 */
import type { Millis } from "../core/ids.ts";
import type { Observation, ObservationName, ResultOrigin } from "../core/observation.ts";
import type { LogLevel } from "../core/settings.ts";
import { type LogMessage, logMessageOf } from "./log-messages.ts";
import { type LogClock, LogRateLimiter, type RateLimit } from "./log-rate-limit.ts";
import { shown } from "./log-text.ts";
import type { Log } from "./logger.ts";
import type { RelayMetrics } from "./metric-definitions.ts";
import type { Counter } from "./metric-registry.ts";

/** Fields that become properties of a JSON line, because they hold names and numbers. Other fields may contain texts of peers. */
const LOGGED_FIELDS: ReadonlySet<string> = new Set([
  ...["id", "name", "from", "to", "integration", "upstream", "address", "service", "key", "file"],
  ...["what", "severity"],
  ...["fault", "why", "end", "origin", "success", "winner", "priority", "privileges", "kind", "depth", "attempt"],
  ...["ms", "waited", "retry_ms", "size", "confirmed", "forced"],
]);

export interface Observer {
  observe(observation: Observation): void;
  /** Whether the fields of observations of this name are read now, for a line or a metric. */
  reads(name: ObservationName): boolean;
  /** Counts the result of an action: the integration that it came from, who decided it, and how long it took. */
  countResult(from: string, origin: ResultOrigin, success: boolean, ms: Millis): void;
  /** Writes the summaries of suppressed lines. */
  close(): void;
}

/** What is looked up once for each name. */
interface Resolved {
  readonly counter: Counter;
  readonly message: LogMessage<Observation>;
}

interface ResultCounters {
  readonly succeeded: Counter;
  readonly failed: Counter;
}

/** Turns observations into log lines and metrics. */
export function createObserver(log: Log, metrics: RelayMetrics, clock: LogClock): Observer {
  const results = new Map<ResultOrigin, ResultCounters>();
  const resolved = new Map<ObservationName, Resolved>();
  const limiter = new LogRateLimiter(clock);
  const now = (): number => clock.now();
  const resolve = (name: ObservationName): Resolved => {
    const found = { counter: metrics.observations.labels(name), message: logMessageOf(name) };
    resolved.set(name, found);
    return found;
  };
  const resolveResults = (origin: ResultOrigin): ResultCounters => {
    const { results: family } = metrics;
    const counters = { succeeded: family.labels(origin, "true"), failed: family.labels(origin, "false") };
    results.set(origin, counters);
    return counters;
  };
  const write = (observation: Observation, text: string, properties: Record<string, unknown>): void => {
    const { source } = logMessageOf(observation.is);
    log.write({
      source,
      level: levelOf(observation),
      text,
      at: now(),
      properties: { observation: observation.is, ...properties },
    });
  };
  const summarize = (observation: Observation, { plural, windowMs }: RateLimit, suppressed: number): void => {
    const detail = detailOf(observation);
    const [[, value = ""] = []] = Object.entries(detail);
    const kind = value === "" ? plural : `${plural} (${value})`;
    write(observation, `${kind}: ${suppressed} more in the last ${windowMs / 1_000} s`, { ...detail, suppressed });
  };
  const isAllowed = (observation: Observation, limit: RateLimit): boolean =>
    limiter.allows(kindOf(observation), limit, (suppressed) => summarize(observation, limit, suppressed));
  return {
    observe(observation) {
      const { counter, message } = resolved.get(observation.is) ?? resolve(observation.is);
      counter.add();
      message.measure?.(observation, metrics, now);
      const { source, limit, level } = message;
      if (!log.isOn(source, message.levelOf?.(observation) ?? level) || message.isWritten?.(observation) === false) return;
      if (limit === undefined || isAllowed(observation, limit)) {
        write(observation, message.text(observation), propertiesOf(observation));
      }
    },
    reads(name) {
      const { source, level, measure } = logMessageOf(name);
      return measure !== undefined || log.isOn(source, level);
    },
    countResult(from, origin, success, ms) {
      const counters = results.get(origin) ?? resolveResults(origin);
      (success ? counters.succeeded : counters.failed).value++;
      metrics.latency.observe(ms / 1_000);
      metrics.resultTimes.record(from, ms / 1_000);
    },
    close: () => limiter.close(),
  };
}

function levelOf(observation: Observation): LogLevel {
  const { level, levelOf } = logMessageOf(observation.is);
  return levelOf === undefined ? level : levelOf(observation);
}

function kindOf(observation: Observation): string {
  const { fault, upstream } = detailOf(observation);
  return fault === undefined && upstream === undefined ? observation.is : `${observation.is} ${fault ?? upstream}`;
}

/**
 * The field by which lines are rate-limited separately, besides the name of the observation.
 * Why the fault: a stranger who floods the log with one fault must not hide another. Why the upstream: likewise.
 */
function detailOf(observation: Observation): { readonly fault?: string; readonly upstream?: string } {
  if ("fault" in observation) return { fault: observation.fault };
  return "upstream" in observation ? { upstream: observation.upstream } : {};
}

function propertiesOf(observation: Observation): Record<string, unknown> {
  const logged = Object.entries(observation).filter(([field]) => LOGGED_FIELDS.has(field));
  return Object.fromEntries(logged.map(([field, value]) => [field, shown(value)]));
}
