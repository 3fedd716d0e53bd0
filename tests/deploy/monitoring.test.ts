/** The alert rules and the configuration for Prometheus, as its own tool reads them. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";

const FOLDER = join(ROOT, "deploy/monitoring");

test("OB60 promtool accepts the rules and the configuration", () => {
  for (const words of [["check", "rules", "alerts.yaml"], ["check", "config", "--syntax-only", "prometheus.yaml"]]) {
    const { status, stdout, stderr } = spawnSync("promtool", words, { cwd: FOLDER, encoding: "utf8" });
    check.equal(status, 0, stdout + stderr);
  }
});
