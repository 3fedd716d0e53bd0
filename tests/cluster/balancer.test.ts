/** `deploy/nginx-cluster.conf` in front of three nodes, with the addresses of this machine. */
import { test } from "#runner";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../harness/check.ts";
import { find, ROOT } from "../harness/machine.ts";
import { inFolder } from "../harness/relay.ts";
import { freePort } from "../unit/storage/backends.ts";
import { TestCluster, TestGame, until, WEB_TOKEN } from "./fixture.ts";

const GAME_TOKEN = "the-token-of-games";

const nginx = find("nginx");
if (nginx === undefined) console.log("skipped: the balancer of a cluster, for there is no nginx here");
else {
  test(
    "CN33 behind nginx, games and requests reach the relay through any node, also right after one was killed",
    () =>
      inFolder(async (folder) => {
        const cluster = await TestCluster.start(folder, ["Bun", "Deno", "Bun"], {
          sets: [`nakurity-backend.token=${GAME_TOKEN}`],
        });
        const port = await freePort();
        const servers = cluster.nodes.map(({ web }) => `server ${new URL(web).host} max_fails=1 fail_timeout=2s;`);
        const server = readFileSync(join(ROOT, "deploy/nginx-cluster.conf"), "utf8")
          .replace(/(?:\s*server [abc]:8766 [^\n]*)+/, `\n${servers.join("\n")}`)
          .replace("listen 8080", `listen 127.0.0.1:${port}`);
        const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
          `${kind}_temp_path ${folder}/${kind};`
        );
        const configuration = join(folder, "nginx.conf");
        const http = `http { ${temporary.join(" ")}\n${server} }`;
        writeFileSync(
          configuration,
          `pid ${folder}/nginx.pid; error_log ${folder}/error.log; daemon off; events {} ${http}`,
        );
        const proxy = spawn(nginx, ["-c", configuration, "-p", folder, "-e", `${folder}/error.log`]);
        try {
          await cluster.isWhole();
          const origin = `http://127.0.0.1:${port}`;
          const headers = { authorization: `Bearer ${WEB_TOKEN}` };
          const status = async () =>
            (await fetch(`${origin}/api/integrations`, { headers }).catch(() => ({ status: 0 }))).status;
          await until(async () => await status() === 200, "nginx");
          const names = ["one", "two", "three"];
          const games = await Promise.all(
            names.map((name) => TestGame.connect(name, `ws://127.0.0.1:${port}/neuro/t/${GAME_TOKEN}`)),
          );
          await until(
            () => names.every((name) => cluster.neuro.current?.names.has(`play_${name}`)),
            "the actions of all games",
          );
          const owner = await cluster.owner();
          await owner.process.stop("SIGKILL");
          await until(async () => await status() === 200, "the API after the loss of the owner");
          const next = await TestGame.connect("next", `ws://127.0.0.1:${port}/neuro/t/${GAME_TOKEN}`);
          await until(() => cluster.neuro.current?.names.has("play_next") === true, "a game that connects then");
          for (const game of [...games, next]) game.close();
          check.equal(cluster.neuro.violations, []);
        } finally {
          proxy.kill();
          await cluster.stop();
        }
      }),
    { timeoutMs: 60_000 },
  );
}
