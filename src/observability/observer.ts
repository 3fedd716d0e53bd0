/**
 * Receives every observation: always counts it, and logs it when its level is enabled.
 *
 * Invariants: V1 an observation whose line is not written costs one addition, or a few; V2 observations that peers can cause write a
 * bounded number of lines.
 */
import type { Observation, ObservationName } from "../core/observation.ts";
import type { LogLevel } from "../core/settings.ts";
import { logMessageOf } from "./log-messages.ts";
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
  /** Writes the summaries of suppressed lines. */
  close(): void;
}

/** Turns observations into log lines and metrics. */
export function createObserver(log: Log, metrics: RelayMetrics, clock: LogClock): Observer {
  const counts = new Map<ObservationName, Counter>();
  const limiter = new LogRateLimiter(clock);
  const now = (): number => clock.now();
  const countOf = (name: ObservationName): Counter => {
    const counter = metrics.observations.labels(name);
    counts.set(name, counter);
    return counter;
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
  return {
    observe(observation) {
      const { source, limit, text, isWritten, measure } = logMessageOf(observation.is);
      (counts.get(observation.is) ?? countOf(observation.is)).add();
      measure?.(observation, metrics, now);
      if (!log.isOn(source, levelOf(observation)) || isWritten?.(observation) === false) return;
      const isAllowed = limit === undefined ||
        limiter.allows(kindOf(observation), limit, (suppressed) => summarize(observation, limit, suppressed));
      if (isAllowed) write(observation, text(observation), propertiesOf(observation));
    },
    reads(name) {
      const { source, level, measure } = logMessageOf(name);
      return measure !== undefined || log.isOn(source, level);
    },
    close: () => limiter.close(),
  };
}

function levelOf(observation: Observation): LogLevel {
  const { level, levelOf } = logMessageOf(observation.is);
  return levelOf === undefined ? level : levelOf(observation);
}

const kindOf = (observation: Observation): string => [observation.is, ...Object.values(detailOf(observation))].join(" ");

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
