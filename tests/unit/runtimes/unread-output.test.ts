/** Standard error is a pipe that nobody reads. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import { check } from "../../harness/check.ts";
import { ROOT, RUNNERS } from "../../harness/machine.ts";
import { inFolder } from "../../harness/relay.ts";
import { JsonClient } from "../../harness/json-client.ts";

/** Messages of one integration: with `log.level: debug` each causes a line of more than 200 characters. */
const MESSAGES = 3_000;

for (const [name, runner] of Object.entries(RUNNERS)) {
  test(`OB32 a relay whose standard error nobody reads continues to serve (${name})`, () =>
    inFolder(async (folder) => {
      const pipe = join(folder, "stderr");
      check.equal(spawnSync("mkfifo", [pipe]).status, 0);
      const sets = ["log.level=debug", "limits.messages_per_second=0", "intermediary.port=0", "web.enabled=false"];
      const off = ["nakurity-backend.enabled=false", "brain.enabled=false", "queue.backend=memory"];
      const words = [...sets, ...off].flatMap((set) => ["--set", set]);
      // Why opened for reading as well: else opening it would wait for a reader.
      const script = ["-c", 'pipe=$1; shift; exec "$@" 2<>"$pipe"', "sh", pipe];
      const relay = spawn("sh", [...script, ...runner, join(ROOT, "src/cli/main.ts"), "serve", ...words], {
        cwd: folder,
        stdio: ["ignore", "pipe", "ignore"],
      });
      try {
        const url = await new Promise<string>((resolve) => {
          let text = "";
          relay.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
            if (text.includes("is ready")) resolve(/\[Intermediary\] listening on (\S+)/.exec(text)?.[1] ?? "");
          });
        });
        const client = await JsonClient.open(url);
        client.send({ type: "integration", name: "loud", auth_token: PUBLISHED_TOKEN });
        for (let at = 0; at < MESSAGES; at++) client.send({ at, text: "x".repeat(300) });
        client.send({ query: "get_registered_actions" });
        await client.next(({ actions }) => actions !== undefined);
        relay.kill("SIGTERM");
        check.equal(await new Promise((resolve) => relay.on("exit", resolve)), 0);
      } finally {
        relay.kill("SIGKILL");
      }
    }), { timeoutMs: 30_000 });
}
