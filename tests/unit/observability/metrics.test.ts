/** The metrics and their text format. */
import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Observation } from "../../../src/core/observation.ts";
import type { IntegrationView } from "../../../src/core/view.ts";
import { MessageCounter } from "../../../src/core/message-counter.ts";
import { metricsReference } from "../../../src/observability/metrics-reference.ts";
import { createMetrics, createObserver, type Observer, openLog, scrape } from "../../../src/observability/mod.ts";
import { MetricRegistry, SERIES_MAX } from "../../../src/observability/metric-registry.ts";
import { check } from "../../harness/check.ts";
import { ParsedScrape } from "./parsed-scrape.ts";

const LOOK = {
  now: 5_000,
  version: "1.2.3",
  uptimeMs: 1_500,
  lagSeconds: 0.25,
  statuses: new Map(),
  messages: [],
  integrations: [],
  integrationsMax: 3,
  hide: (text: string) => text.replace("CANARY", "***"),
};

/** The scrape after these observations, which are 0.1 s apart. */
async function scrapeOf(
  observations: readonly Observation[],
  look: Partial<Parameters<typeof scrape>[1]> = {},
  results: readonly Readonly<Parameters<Observer["countResult"]>>[] = [],
): Promise<ParsedScrape> {
  const metrics = createMetrics();
  const log = await openLog(DEFAULTS.log, () => {});
  let now = 0;
  const { observe, countResult } = createObserver(log, metrics, { now: () => now, after: () => {} });
  for (const observation of observations) {
    now += 100;
    observe(observation);
  }
  for (const result of results) countResult(...result);
  await log.close();
  return new ParsedScrape(scrape(metrics, { ...LOOK, ...look }));
}

test("OB8 counters and gauges are lines of name, labels and value", () => {
  const metrics = new MetricRegistry();
  const family = metrics.counter({ name: "a_total", help: "A.", labels: ["x", "y"] });
  family.labels("1", "2").add();
  family.labels("1", "2").add(2);
  family.labels("1", "3").add();
  metrics.gauge({ name: "b", help: "B." }).labels().set(0.5);
  check.equal(
    metrics.text(),
    "# HELP a_total A.\n# TYPE a_total counter\n" + 'a_total{x="1",y="2"} 3\na_total{x="1",y="3"} 1\n' +
      "# HELP b B.\n# TYPE b gauge\nb 0.5\n",
  );
});

test("OB8 a histogram has cumulative buckets, a sum and a count", () => {
  const metrics = new MetricRegistry();
  const histogram = metrics.histogram({ name: "h", help: "H.", labels: ["d"] }, [1, 5]).labels("x");
  for (const value of [0.5, 1, 3, 50]) histogram.observe(value);
  check.equal(
    metrics.text().split("\n").slice(2, -1),
    [
      'h_bucket{d="x",le="1"} 2',
      'h_bucket{d="x",le="5"} 3',
      'h_bucket{d="x",le="+Inf"} 4',
      'h_sum{d="x"} 54.5',
      'h_count{d="x"} 4',
    ],
  );
});

test("OB8 names state kind and unit, and an independent parser reads every line", async () => {
  const scraped = await scrapeOf([{ is: "integration_connected", name: 'q"\\\n' }, {
    is: "greeting_refused",
    fault: "badToken",
    address: "",
    reason: "",
  }]);
  const described = createMetrics().registry.describe();
  check.equal(scraped.families.map(({ name, type, help }) => [name, type.toLowerCase(), help]), [
    ...described.map(({ name, kind, help }) => [name, kind, help]),
  ]);
  for (const { name, kind } of described) {
    check.equal(name.endsWith("_total"), kind === "counter", name);
    check.match(name, /^(neuro_relay|process)(_[a-z]+)+$/);
    check.that(!/_(?:ms|milliseconds|kb|chars)(?:_|$)/.test(name), name);
  }
  const lines = scraped.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const read = scraped.families.flatMap(({ metrics }) =>
    metrics.map(({ buckets }) => (buckets === undefined ? 1 : Object.keys(buckets).length + 2))
  );
  check.equal(read.reduce((sum, count) => sum + count, 0), lines.length);
  check.equal(scraped.value("integration_uptime_seconds", { integration: 'q"\\\n' }), 4.9);
});

test("OB9 a label's value stays within its quotes", () => {
  const metrics = new MetricRegistry();
  metrics.counter({ name: "a", help: "A.", labels: ["x"] }).labels('q"\\\n').add();
  check.equal(metrics.text().split("\n")[2], 'a{x="q\\"\\\\\\n"} 1');
});

test("OB9 whatever the names of peers, a family has a limited number of series; the rest is counted as other", () => {
  const metrics = new MetricRegistry();
  const family = metrics.counter({ name: "a", help: "A.", labels: ["x"] });
  for (let at = 0; at < SERIES_MAX + 50; at++) family.labels(`name ${at}`).add();
  const lines = metrics.text().split("\n").slice(2, -1);
  check.equal(lines.length, SERIES_MAX + 1);
  check.equal(lines.at(-1), 'a{x="other"} 50');
});

test("OB10 every observation is counted by name; results, latency, forces and refusals have metrics of their own", async () => {
  const observations: Observation[] = [
    { is: "force_ended", id: "1", integration: "a", slug: "a", end: "completed", ms: 5 },
    { is: "greeting_refused", fault: "badToken", address: "", reason: "" },
    { is: "peer_closed_by_relay", from: "a", fault: "tooBig" },
  ];
  const scraped = await scrapeOf(observations, {}, [["Chess", "game", true, 3], ["Chess", "game", false, 30_000]]);
  for (
    const line of [
      'neuro_relay_observations_total{observation="force_ended"} 1',
      'neuro_relay_action_results_total{origin="game",success="true"} 1',
      'neuro_relay_action_results_total{origin="game",success="false"} 1',
      'neuro_relay_action_duration_seconds_bucket{le="0.005"} 1',
      'neuro_relay_action_duration_seconds_bucket{le="+Inf"} 2',
      "neuro_relay_action_duration_seconds_count 2",
      'neuro_relay_forces_total{end="completed"} 1',
      'neuro_relay_refusals_total{fault="badToken"} 1',
      'neuro_relay_refusals_total{fault="tooBig"} 1',
      'neuro_relay_build_info{version="1.2.3"} 1',
      "neuro_relay_uptime_seconds 1.5",
      "neuro_relay_event_loop_lag_seconds 0.25",
    ]
  ) check.that(scraped.text.split("\n").includes(line), line);
});

test("OB25 each integration has an uptime until it disconnects; those beyond the limit share one, the longest", async () => {
  const names = ["a", "b", "CANARY", "d", "e"];
  const observations: Observation[] = [
    ...names.map((name): Observation => ({ is: "integration_connected", name })),
    { is: "integration_connected_via_backend", name: "a" },
  ];
  const uptimes = (scraped: ParsedScrape) =>
    scraped.families.find(({ name }) => name === "neuro_relay_integration_uptime_seconds")?.metrics.map((one) => [
      one.labels?.listener,
      one.labels?.integration,
      Number(one.value),
    ]);
  const all = await scrapeOf(observations);
  check.equal(uptimes(all), [
    ["intermediary", "a", 4.9],
    ["intermediary", "b", 4.8],
    ["intermediary", "***", 4.7],
    ["intermediary", "other", 4.6],
    ["neuro", "other", 4.4],
  ]);
  check.equal([all.value("integrations", { listener: "intermediary" }), all.value("integrations", { listener: "neuro" })], [
    5,
    1,
  ]);
  const fewer = await scrapeOf([
    ...observations,
    ...["a", "b", "d"].map((name): Observation => ({ is: "integration_disconnected", name })),
  ]);
  check.equal(uptimes(fewer)?.map(([listener, name]) => `${listener} ${name}`), [
    "intermediary ***",
    "intermediary e",
    "neuro a",
  ]);
});

test("OB25 an unexpected or incomplete status causes no wrong number", async () => {
  const odd = new Map<"intermediary" | "neuro" | "brain", never>([
    ["intermediary", { queue: { entries: "many", oldest: null }, uploads: 5 } as never],
    ["neuro", { upstreams: [{ id: 5 }, { id: "neuro", url: null, force: {}, waiting: "x" }, null] } as never],
    ["brain", [] as never],
  ]);
  const scraped = await scrapeOf([], { statuses: odd });
  check.equal(scraped.value("queue_entries"), 0);
  check.equal(scraped.value("queue_oldest_seconds"), 0);
  check.equal([scraped.value("forces_open"), scraped.value("forces_waiting"), scraped.value("upstream_up")], [
    1,
    undefined,
    undefined,
  ]);
});

test("OB26 messages are counted by service, counterpart, direction and kind", async () => {
  const tally = new MessageCounter();
  for (const kind of ["startup", "context", "context"]) {
    tally.add("neuro", "game", "in", kind);
  }
  const scraped = await scrapeOf([], { messages: tally.all() });
  check.equal(scraped.value("messages_total", { service: "neuro", peer: "game", direction: "in", kind: "context" }), 2);
  check.equal(scraped.value("messages_total"), 3);
});

test("OB27 the metrics reference is up to date; run `bun run docs` when this fails", async () => {
  const text = await readFile(new URL("../../../config/METRICS.md", import.meta.url), "utf8");
  check.that(text === metricsReference(), "config/METRICS.md is stale: run `bun run docs`");
  const names = createMetrics().registry.describe().map(({ name }) => name);
  for (const name of names) check.that(text.includes(`| \`${name}\` |`), name);
});

test("OB61 as OpenMetrics a counter is named without `_total` where it is described, and the text ends with `# EOF`", () => {
  const metrics = new MetricRegistry();
  metrics.counter({ name: "a_total", help: "A." }).labels().add(3);
  metrics.gauge({ name: "b", help: "B." }).labels().set(1);
  metrics.histogram({ name: "h", help: "H." }, [1]).labels().observe(0.5);
  check.equal(metrics.text("openmetrics").split("\n"), [
    "# HELP a A.",
    "# TYPE a counter",
    "a_total 3",
    "# HELP b B.",
    "# TYPE b gauge",
    "b 1",
    "# HELP h H.",
    "# TYPE h histogram",
    'h_bucket{le="1"} 1',
    'h_bucket{le="+Inf"} 1',
    "h_sum 0.5",
    "h_count 1",
    "# EOF",
    "",
  ]);
});

test("OB62 the counts of each integration are metrics; beyond `limits.metric_integrations` they are added up", async () => {
  const integration = (name: string, connected: boolean, actions: number): IntegrationView => ({
    id: name,
    name,
    listener: "neuro",
    upstream: "neuro",
    connected,
    since: 0,
    visible: true,
    admission: "known",
    off_air: false,
    actions: 0,
    pending: 0,
    counts: { actions, failures: 1, contexts: 2, forces: 3, result_ms: 4_500 },
    paused: actions === 5,
    muted: false,
    solo: false,
    approval: false,
    behaviour: null,
  });
  const integrations = [integration("away", false, 1), integration("CANARY", true, 5), integration("go", true, 7)];
  const scraped = await scrapeOf([], { integrations, integrationsMax: 2 });
  const value = (name: string, integration: string) => scraped.value(name, { listener: "neuro", integration });
  check.equal(["***", "go", "other"].map((name) => value("integration_actions_total", name)), [5, 7, 1]);
  const others = ["failures_total", "contexts_total", "forces_total", "action_seconds_total"];
  check.equal(others.map((name) => value(`integration_${name}`, "go")), [1, 2, 3, 4.5]);
  check.equal(scraped.value("integrations_paused", {}), 1);
});

test("OB62b the times to the results of each integration are a histogram, of at most 501 in all, and no series loses a value", async () => {
  const result = (from: string, ms: number) => [from, "game", true, ms] as const;
  const results = [
    ...[30, 700, 30_000].map((ms) => result("chess", ms)),
    result("CANARY", 100),
    ...Array.from({ length: 600 }, (_, at) => result(`game ${at}`, 100)),
    result("chess", 40),
  ];
  // Why the text: the parser does not know histograms with labels.
  const { text } = await scrapeOf([], { integrationsMax: 2 }, results);
  const valuesOf = (kind: string, integration: string) =>
    text.split("\n").filter((line) =>
      line.includes(`integration_action_duration_seconds_${kind}{integration="${integration}"`)
    )
      .map((line) => Number(line.split(" ").at(-1)));
  check.equal(["chess", "***", "game 0", "other"].flatMap((one) => valuesOf("count", one)), [4, 1, 600]);
  check.equal(valuesOf("bucket", "chess"), [2, 2, 3, 3, 3, 3, 3, 4]);
});
