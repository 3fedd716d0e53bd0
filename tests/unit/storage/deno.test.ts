import { test } from "#runner";
import { spawn } from "node:child_process";
import { check } from "../../harness/check.ts";
import { denoPath, ROOT } from "../../harness/machine.ts";

test(
  "ST1 ST2 ST3 ST4 ST5 ST6 ST7 ST8 ST9 ST10 ST11 ST12 ST13 the contract holds under Deno (fs, sqlite, deno-kv)",
  async () => {
    const words = ["run", "-A", "--unstable-kv", "--node-modules-dir=manual", "tests/unit/storage/deno-contract.ts"];
    const child = spawn(denoPath(), words, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) said += chunk;
    const lines = said.trimEnd().split("\n");
    check.equal(lines.filter((line) => !line.startsWith("ok ")), ["done"]);
    check.that(lines.length > 30, "too few cases ran");
  },
  { timeoutMs: 170_000 },
);
