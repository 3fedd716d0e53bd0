/** A node's connection to Redis while its master is killed, with a replica and a sentinel as processes. */
import { test } from "#runner";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Redis } from "ioredis";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import { key } from "../../../../src/core/key.ts";
import { recordText } from "../../../../src/cluster/directory.ts";
import { openClusterStorage } from "../../../../src/runtimes/cluster/cluster-storage.ts";
import { until } from "../../../cluster/fixture.ts";
import { check } from "../../../harness/check.ts";
import { find } from "../../../harness/machine.ts";
import { inFolder } from "../../../harness/relay.ts";
import { freePort } from "../../storage/backends.ts";

const program = find("redis-server");
if (program === undefined) console.log("skipped: Redis Sentinel, for there is no redis-server here");
else {
  test(
    "CN40 a node finds the master by its sentinels, and beats and writes at the new one after a failover",
    () =>
      inFolder(async (folder) => {
        const children: { kill(signal: "SIGKILL"): void }[] = [];
        const run = (...words: readonly string[]) => {
          const child = spawn(program, words, { cwd: folder, stdio: "ignore" });
          process.on("exit", () => child.kill("SIGKILL"));
          children.push(child);
          return child;
        };
        const [first, second, third] = [await freePort(), await freePort(), await freePort()];
        const server = (port: number, ...words: readonly string[]) =>
          run("--port", String(port), "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0", ...words);
        const master = server(first);
        server(second, "--replicaof", "127.0.0.1", String(first));
        const file = join(folder, "sentinel.conf");
        writeFileSync(
          file,
          [
            `port ${third}`,
            "bind 127.0.0.1",
            `sentinel monitor relays 127.0.0.1 ${first} 1`,
            "sentinel down-after-milliseconds relays 500",
            "sentinel failover-timeout relays 3000",
            "",
          ].join("\n"),
        );
        const settings = { ...DEFAULTS.cluster, sentinels: [`127.0.0.1:${third}`], sentinel_master: "relays" };
        try {
          const open = () => openClusterStorage(settings, () => {});
          const replica = new Redis(second, "127.0.0.1");
          replica.on("error", () => {});
          // Why first: a sentinel asks a master for its replicas when it starts, and then every 10 s.
          await until(
            async () => /master_link_status:up/.test(await replica.info("replication").catch(() => "")),
            "the replica",
          );
          run(file, "--sentinel");
          let storage: Awaited<ReturnType<typeof open>> | undefined;
          await until(async () => (storage = await open().catch(() => undefined)) !== undefined, "the master", 30_000);
          if (storage === undefined) return;
          const { directory } = storage;
          const beat = (count: number) => directory.beat({ session: "a.1", count, place: "here:1" });
          await beat(1);
          const claimed = await directory.claim("r", "a.1", "");
          const record = recordText(claimed?.record ?? { session: "", epoch: 0 });
          const hooks = { onQuarantine() {}, onFenced() {} };
          const store = await storage.openStore("r", record, hooks);
          await store.put(key("meta", "first"), { v: 1 });
          await until(async () => await replica.hexists("neuro-relay:e:r", "meta:first") === 1, "the entry at the replica");
          replica.disconnect();
          master.kill("SIGKILL");
          await until(() => beat(2).then(({ is }) => is === "alive", () => false), "a beat at the new master", 30_000);
          await store.put(key("meta", "second"), { v: 2 });
          const again = await storage.openStore("r", record, hooks);
          check.equal(await again.keys(key("meta")), [key("meta", "first"), key("meta", "second")]);
          await storage.close();
        } finally {
          for (const child of children) child.kill("SIGKILL");
        }
      }),
    { timeoutMs: 90_000 },
  );
}
