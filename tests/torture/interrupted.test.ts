/** A series of kills that is interrupted ends its relays, also those that it has paused. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { until } from "../cluster/fixture.ts";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`torture that gets ${signal} leaves no process`, async () => {
    const program = spawn(process.execPath, [new URL("interrupted-process.ts", import.meta.url).pathname], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [output] = await once(program.stdout, "data");
    const pid = Number(String(output));
    check.that(isRunning(pid));
    program.kill(signal);
    await once(program, "exit");
    await until(() => !isRunning(pid), "the end of the relay");
  }, { timeoutMs: 60_000 });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
