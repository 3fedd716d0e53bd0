/** The token of the web port, over two runs. */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { webToken } from "../../../src/runtimes/web-token.ts";
import { check } from "../../harness/check.ts";

const settingsWith = (queue: Partial<Settings["queue"]>, token = ""): Settings => ({
  ...DEFAULTS,
  queue: { ...DEFAULTS.queue, ...queue },
  web: { ...DEFAULTS.web, token },
});

test("RT23 the token of the web port is generated once, stored beside the queue, and readable by its owner only", async () => {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-token-"));
  const settings = settingsWith({ path: `${join(folder, "queue")}/` });
  const file = join(folder, "queue.web-token");
  const made = await webToken(settings);
  check.match(made, /^[0-9a-f]{64}$/);
  check.equal(await webToken(settings), made);
  check.equal(await readFile(file, "utf8"), `${made}\n`);
  check.equal((await stat(file)).mode & 0o777, 0o600);
  await writeFile(file, "short", { mode: 0o644 });
  const again = await webToken(settings);
  check.that(again !== made && again.length === 64);
  check.equal((await stat(file)).mode & 0o777, 0o600);
  await rm(folder, { recursive: true });
});

test("RT23 a configured token is used; without a durable queue, or a writable folder, a token is generated for this run", async () => {
  check.equal(await webToken(settingsWith({}, "mine")), "mine");
  check.match(await webToken(settingsWith({ backend: "memory", path: "/dev/null/x" })), /^[0-9a-f]{64}$/);
  check.match(await webToken(settingsWith({ path: "/dev/null/x/queue" })), /^[0-9a-f]{64}$/);
});
