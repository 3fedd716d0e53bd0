/** The probe of a listener on Deno: a busy process does not end its listeners, and one that accepts nothing is ended. */
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { RUNNERS } from "../../harness/machine.ts";
import { untilEnded } from "../../../src/runtimes/deno/accept-probe.ts";

const BUSY = join(import.meta.dirname, "busy-listener.ts");
const PROBE_MS = 100;

test("RT1f a process that is busy nearly all the time keeps its listeners (Deno)", () => {
  const [program = "", ...words] = RUNNERS["Deno"] ?? [];
  check.equal(execFileSync(program, [...words, BUSY], { encoding: "utf8" }).trim(), "ended: no");
}, { timeoutMs: 30_000 });

test("RT1f a listener that accepts nothing is ended", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.emit = () => false; // Why: as if Deno had stopped accepting.
  check.equal(await untilEnded(server, PROBE_MS), "it accepts no connections");
});
