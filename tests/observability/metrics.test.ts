/** What is counted, and how it reads in Prometheus' format. */
import { test } from "#runner";
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { Note } from "../../src/core/note.ts";
import { createMeters, observer, openLog } from "../../src/observability/mod.ts";
import { CELLS_MAX, Metrics } from "../../src/observability/metrics.ts";
import { check } from "../harness/check.ts";

/** The scrape after these notes. */
async function scrapeOf(notes: readonly Note[]): Promise<string> {
  const meters = createMeters();
  const log = await openLog(DEFAULTS.log, () => {});
  const observe = observer(log, meters, () => 5_000);
  for (const note of notes) observe(note);
  await log.close();
  return meters.all.text();
}

test("OB8 counters and gauges are lines of name, labels and value", () => {
  const metrics = new Metrics();
  const family = metrics.counter({ name: "a_total", help: "A.", labels: ["x", "y"] });
  family.of("1", "2").add();
  family.of("1", "2").add(2);
  family.of("1", "3").add();
  metrics.gauge({ name: "b", help: "B." }).of().set(0.5);
  check.equal(
    metrics.text(),
    "# HELP a_total A.\n# TYPE a_total counter\n" + 'a_total{x="1",y="2"} 3\na_total{x="1",y="3"} 1\n' +
      "# HELP b B.\n# TYPE b gauge\nb 0.5\n",
  );
});

test("OB8 a histogram has cumulative buckets, a sum and a count", () => {
  const metrics = new Metrics();
  const histogram = metrics.histogram({ name: "h", help: "H.", labels: ["d"] }, [1, 5]).of("x");
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

test("OB9 a label's value stays within its quotes", () => {
  const metrics = new Metrics();
  metrics.counter({ name: "a", help: "A.", labels: ["x"] }).of('q"\\\n').add();
  check.equal(metrics.text().split("\n")[2], 'a{x="q\\"\\\\\\n"} 1');
});

test("OB9 whatever peers call themselves, a family is bounded, and what is over is counted together", () => {
  const metrics = new Metrics();
  const family = metrics.counter({ name: "a", help: "A.", labels: ["x"] });
  for (let at = 0; at < CELLS_MAX + 50; at++) family.of(`name ${at}`).add();
  const lines = metrics.text().split("\n").slice(2, -1);
  check.equal(lines.length, CELLS_MAX + 1);
  check.equal(lines.at(-1), 'a{x="other"} 50');
  family.drop("name 0");
  check.equal(metrics.text().split("\n").slice(2, -1).length, CELLS_MAX);
});

test("OB10 every fact is counted by its name; results, latency, forces, refusals and presence have their own", async () => {
  const result = (success: boolean, ms: number): Note => ({
    is: "action_result",
    id: "1",
    name: "jump",
    from: "Chess",
    success,
    message: undefined,
    ms,
    origin: "game",
  });
  const scrape = await scrapeOf([
    { is: "integration_connected", name: "Spotify" },
    { is: "integration_connected_via_backend", name: "Chess" },
    { is: "integration_disconnected_via_backend", name: "Chess" },
    result(true, 3),
    result(false, 30_000),
    { is: "force_opened", id: "f1", integration: "a", slug: "a", query: "", names: [], priority: "low", waited: 0 },
    { is: "force_ended", id: "f1", integration: "a", slug: "a", end: "completed", ms: 5 },
    { is: "upstream_connected", upstream: "neuro", url: "ws://x" },
    { is: "greeting_refused", fault: "badToken", address: "", reason: "" },
    { is: "peer_closed_by_relay", from: "a", fault: "tooBig" },
  ]);
  for (
    const line of [
      'neuro_relay_notes_total{note="action_result"} 2',
      'neuro_relay_integration_since_seconds{integration="Spotify"} 5',
      'neuro_relay_action_results_total{origin="game",success="true"} 1',
      'neuro_relay_action_results_total{origin="game",success="false"} 1',
      'neuro_relay_action_seconds_bucket{le="0.005"} 1',
      'neuro_relay_action_seconds_bucket{le="+Inf"} 2',
      "neuro_relay_action_seconds_count 2",
      'neuro_relay_forces_total{end="completed"} 1',
      "neuro_relay_force_open 0",
      'neuro_relay_upstream_up{upstream="neuro"} 1',
      'neuro_relay_refusals_total{fault="badToken"} 1',
      'neuro_relay_refusals_total{fault="tooBig"} 1',
    ]
  ) check.that(scrape.split("\n").includes(line), line);
  check.that(!scrape.includes("Chess"), "who is gone is not shown");
});
