/** The alert rules and the dashboard of `deploy/monitoring` are about metrics that exist. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "#runner";
import { parse } from "../../../src/config/yaml.ts";
import { createMetrics } from "../../../src/observability/mod.ts";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";

const FOLDER = join(ROOT, "deploy/monitoring");
const textOf = (file: string): Promise<string> => readFile(join(FOLDER, file), "utf8");

interface Described {
  readonly kind: string;
  readonly labels: ReadonlySet<string>;
}

const METRICS: ReadonlyMap<string, Described> = new Map(
  createMetrics().registry.describe().flatMap(({ name, kind, labelNames }): [string, Described][] =>
    kind === "histogram"
      ? ["_bucket", "_sum", "_count"].map((end) => [name + end, { kind, labels: new Set([...labelNames, "le"]) }])
      : [[name, { kind, labels: new Set(labelNames) }]]
  ),
);
/** Labels that Prometheus adds. */
const ADDED = new Set(["instance", "job"]);

/** What is wrong with an expression: unknown metrics, labels that they do not have, and gauges whose rate is taken. */
function problemsOf(expression: string): readonly string[] {
  const problems: string[] = [];
  const used = [...expression.matchAll(/\b((?:neuro_relay|process)_\w+)(?:\{([^}]*)\})?(\[)?/g)];
  const labels = new Set(used.flatMap(([, name = ""]) => [...METRICS.get(name)?.labels ?? []]));
  for (const [, name = "", selector = "", range] of used) {
    const metric = METRICS.get(name);
    if (metric === undefined) problems.push(`${name} does not exist`);
    else if (range !== undefined && metric.kind === "gauge") problems.push(`${name} is a gauge`);
    for (const [, label = ""] of selector.matchAll(/(\w+)\s*=?[=~!]/g)) {
      if (!ADDED.has(label) && metric?.labels.has(label) !== true) problems.push(`${name} has no label ${label}`);
    }
  }
  for (const [, list = ""] of expression.matchAll(/\bby \(([^)]*)\)/g)) {
    const unknown = list.split(",").map((label) => label.trim()).filter((label) => !ADDED.has(label) && !labels.has(label));
    problems.push(...unknown.map((label) => `nothing has the label ${label}`));
  }
  return problems;
}

test("OB60 every metric and label of the alert rules exists, and every alert says what happens", async () => {
  const { groups } = parse(await textOf("alerts.yaml")) as {
    readonly groups: readonly {
      readonly rules: readonly { alert: string; expr: string; annotations: { summary: string } }[];
    }[];
  };
  const rules = groups.flatMap(({ rules }) => rules);
  check.that(rules.length >= 10);
  check.equal(rules.flatMap(({ alert, expr }) => problemsOf(expr).map((problem) => `${alert}: ${problem}`)), []);
  check.that(rules.every(({ annotations: { summary } }) => /\.$|`\.$/.test(summary)));
  check.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
});

test("OB60 every metric and label of the dashboard exists", async () => {
  const { panels } = JSON.parse(await textOf("grafana-dashboard.json")) as {
    readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  };
  const problems = panels.flatMap(({ title, targets }) =>
    targets.flatMap(({ expr }) => problemsOf(expr).map((problem) => `${title}: ${problem}`))
  );
  check.equal([panels.length > 15, problems], [true, []]);
});

test("OB60 the check finds a wrong name, a wrong label and the rate of a gauge", () => {
  check.equal(problemsOf("rate(neuro_relay_no_such[5m])"), ["neuro_relay_no_such does not exist"]);
  check.equal(problemsOf('neuro_relay_upstream_up{game="x"}'), ["neuro_relay_upstream_up has no label game"]);
  check.equal(problemsOf("rate(neuro_relay_forces_open[5m])"), ["neuro_relay_forces_open is a gauge"]);
  check.equal(problemsOf("sum by (game) (neuro_relay_stopped)"), ["nothing has the label game"]);
});
