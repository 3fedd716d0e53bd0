/** The alert rules and the configuration for Prometheus, as its own tool reads them. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "#runner";
import { createMetrics } from "../../src/observability/mod.ts";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";

const FOLDER = join(ROOT, "deploy/monitoring");

test("OB60 promtool accepts the rules and the configuration", () => {
  for (const words of [["check", "rules", "alerts.yaml"], ["check", "config", "--syntax-only", "prometheus.yaml"]]) {
    const { status, stdout, stderr } = spawnSync("promtool", words, { cwd: FOLDER, encoding: "utf8" });
    check.equal(status, 0, stdout + stderr);
  }
});

test("OB60 promtool accepts the metrics, and finds nothing to improve in their names and texts", () => {
  const metrics = createMetrics();
  metrics.latency.observe(0.3);
  metrics.resultTimes.record("Chess", 0.3);
  metrics.resultTimes.fill(metrics.integrationDuration, 1, (name) => name);
  metrics.forces.labels("completed").add();
  metrics.storeDuration.labels("put").observe(0.001);
  const input = metrics.registry.text();
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
  check.equal([status, stdout, stderr], [0, "", ""]);
});
