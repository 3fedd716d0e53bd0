/** The same seed causes the same trace on Bun, on Deno and in workerd. */
import { join } from "node:path";
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { denoPath, ROOT } from "../harness/machine.ts";
import { askWorkerd } from "../harness/workerd.ts";
import { traceOf } from "./trace.ts";

const SEEDS = [1, 2, 3];
const TRACE = JSON.stringify(join(ROOT, "tests/conformance/trace.ts"));

test(
  "RT54 the same seed causes the same trace on Bun, on Deno and in workerd, and another seed another trace",
  async () => {
    const here = await Promise.all(SEEDS.map(traceOf));
    check.equal(new Set(here).size, SEEDS.length);
    const source = `import { traceOf } from ${TRACE};
    export default { fetch: async () => Response.json(await Promise.all(${JSON.stringify(SEEDS)}.map(traceOf))) };`;
    check.equal(JSON.parse(await askWorkerd(source)), here, "workerd");
    const script = `const { traceOf } = await import(${TRACE});
    console.log(JSON.stringify(await Promise.all(${JSON.stringify(SEEDS)}.map(traceOf))));`;
    const command = [denoPath(), "eval", "--node-modules-dir=manual", script];
    const { stdout, stderr, exitCode } = Bun.spawnSync(command, { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
    check.equal(exitCode, 0, String(stderr));
    check.equal(JSON.parse(String(stdout)), here, "Deno");
  },
  { timeoutMs: 60_000 },
);
