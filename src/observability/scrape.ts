/**
 * Fills the metrics that are computed only for a scrape: the status of the services and the uptime of integrations.
 *
 * The status of a service is read defensively: its fields may change, and a missing number must not become a wrong one.
 */
import type { Millis } from "../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { MessageCount } from "../core/message-counter.ts";
import type { IntegrationView } from "../core/view.ts";
import type { ServiceName } from "../core/service.ts";
import { type ConnectedIntegration, INTEGRATION_LISTENERS } from "./connected-integrations.ts";
import type { RelayMetrics } from "./metric-definitions.ts";
import type { MetricFormat } from "./metric-format.ts";
import type { Gauge, MetricFamily } from "./metric-registry.ts";
import { OTHER } from "./result-times.ts";

/** The input of a scrape, besides the metrics that observations update. */
export interface ScrapeInput {
  readonly now: Millis;
  readonly version: string;
  /** Since the start. */
  readonly uptimeMs: Millis;
  readonly lagSeconds: number;
  /** Undefined where the runtime hides it. */
  readonly process?: ProcessStats | undefined;
  /** All integrations that the relay knows. */
  readonly integrations: readonly IntegrationView[];
  /** The status of each service that answered. */
  readonly statuses: ReadonlyMap<ServiceName, Json>;
  readonly messages: Iterable<Readonly<MessageCount>>;
  /** Number of integrations with a series of their own. */
  readonly integrationsMax: number;
  /** Removes secrets from a name. */
  hide(text: string): string;
}

/** What a process uses. */
export interface ProcessStats {
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly cpuSeconds: number;
  /** Unix time. */
  readonly startedAtSeconds: number;
}

/** All metrics in a text format. */
export function scrape(metrics: RelayMetrics, input: ScrapeInput, format: MetricFormat = "prometheus"): string {
  metrics.build.labels(input.version).set(1);
  metrics.uptime.set(input.uptimeMs / 1_000);
  metrics.lag.set(input.lagSeconds);
  for (const { service, counterpart, direction, kind, value } of input.messages) {
    metrics.messages.labels(service, counterpart, direction, kind).value = value;
  }
  fillProcess(metrics, input.process);
  fillIntegrations(metrics, input);
  fillCounts(metrics, input);
  fillIntermediary(metrics, input.statuses.get("intermediary"), input.now);
  fillNeuro(metrics, input.statuses.get("neuro"));
  const brain = input.statuses.get("brain");
  if (isObject(brain)) setNumber(metrics.sessions, brain.sessions);
  return metrics.registry.text(format);
}

function fillIntegrations({ connected, integrations, integrationUptime }: RelayMetrics, input: ScrapeInput): void {
  for (const listener of INTEGRATION_LISTENERS) integrations.labels(listener).set(connected.count(listener));
  integrationUptime.clear();
  const seconds = ({ since }: ConnectedIntegration) => Math.max(0, input.now - since) / 1_000;
  let shown = 0;
  for (const integration of connected.all()) {
    if (shown++ < input.integrationsMax) {
      integrationUptime.labels(integration.listener, input.hide(integration.name)).set(seconds(integration));
      continue;
    }
    const others = integrationUptime.labels(integration.listener, OTHER);
    others.set(Math.max(others.value, seconds(integration)));
  }
}

function fillProcess(metrics: RelayMetrics, stats: ProcessStats | undefined): void {
  if (stats === undefined) return;
  metrics.residentBytes.set(stats.residentBytes);
  metrics.heapBytes.set(stats.heapBytes);
  metrics.cpuSeconds.value = stats.cpuSeconds;
  metrics.processStart.set(stats.startedAtSeconds);
}

/** The connected integrations first, because the others do not change. */
function fillCounts(metrics: RelayMetrics, { integrations, integrationsMax, hide }: ScrapeInput): void {
  const { integrationActions, integrationFailures, integrationSeconds, integrationContexts, integrationForces } = metrics;
  const families = [integrationActions, integrationFailures, integrationSeconds, integrationContexts, integrationForces];
  for (const family of families) family.clear();
  const connectedFirst = [...integrations].sort((one, other) => Number(other.connected) - Number(one.connected));
  for (const [at, { listener, name, counts }] of connectedFirst.entries()) {
    const labels = [listener, at < integrationsMax ? hide(name) : OTHER];
    integrationActions.labels(...labels).add(counts.actions);
    integrationFailures.labels(...labels).add(counts.failures);
    integrationSeconds.labels(...labels).add(counts.result_ms / 1_000);
    integrationContexts.labels(...labels).add(counts.contexts);
    integrationForces.labels(...labels).add(counts.forces);
  }
  metrics.resultTimes.fill(metrics.integrationDuration, integrationsMax, hide);
  metrics.integrationsPaused.set(integrations.filter(({ paused }) => paused).length);
}

function fillIntermediary(metrics: RelayMetrics, status: Json | undefined, now: Millis): void {
  if (!isObject(status)) return;
  const { queue, uploads } = status;
  setNumber(metrics.watchers, status.watchers);
  setNumber(metrics.unauthenticated, status.newcomers);
  if (isObject(queue)) {
    setNumber(metrics.queueEntries, queue.entries);
    setNumber(metrics.queueBytes, queue.bytes);
    setNumber(metrics.deadLetters, queue.dead);
    metrics.queueOldest.set(typeof queue.oldest === "number" ? Math.max(0, now - queue.oldest) / 1_000 : 0);
  }
  if (!isObject(uploads)) return;
  setNumber(metrics.uploadFiles, uploads.files);
  setNumber(metrics.uploadBytes, uploads.bytes);
}

function fillNeuro(metrics: RelayMetrics, status: Json | undefined): void {
  const upstreams = isObject(status) && Array.isArray(status.upstreams) ? status.upstreams.filter(isObject) : [];
  const controls = isObject(status) ? status.controls : undefined;
  if (isObject(controls)) metrics.stopped.set(controls.stopped === true ? 1 : 0);
  let approvals = 0;
  for (const { id, url, state, force, waiting, pending, contexts_held } of upstreams) {
    if (typeof id !== "string") continue;
    if (Array.isArray(pending)) {
      approvals += pending.filter((action) => isObject(action) && action.is === "approval").length;
    }
    metrics.forcesOpen.labels(id).set(isObject(force) ? 1 : 0);
    setLength(metrics.forcesWaiting, id, waiting);
    setLength(metrics.pending, id, pending);
    setNumber(metrics.contextsQueued.labels(id), contexts_held);
    // Why only with a URL: without one the relay acts as Neuro, and there is no connection that could be down.
    if (url !== null) metrics.upstreamUp.labels(id).set(state === "open" ? 1 : 0);
  }
  metrics.approvalsPending.set(approvals);
}

function setLength(family: MetricFamily<Gauge>, id: string, list: JsonObject[string]): void {
  if (Array.isArray(list)) family.labels(id).set(list.length);
}

function setNumber(gauge: Gauge, value: JsonObject[string]): void {
  if (typeof value === "number") gauge.set(value);
}
