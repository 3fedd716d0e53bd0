/** The built clients of the Intermediary and of the Neuro API work on Node, Deno, Workers and in a browser. */
import { test } from "#runner";
import { Miniflare } from "miniflare";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { find, NODE_VERSIONS, nodePath, ROOT, RUNNERS } from "../../harness/machine.ts";
import { CLIENTS } from "../../harness/npm-package.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";
import { TOKEN } from "./intermediary-fixture.ts";

const NAMES = ["integration", "watcher", "game"];

/** All three clients talk with each other. `options`: of the clients. */
const PLAY = `
  const { IntegrationClient } = await import(folder + "/integration.js");
  const { WatcherClient } = await import(folder + "/watcher.js");
  const { GameClient } = await import(folder + "/game.js");
  const said = [];
  const watcher = new WatcherClient(url, { ...options, name: "overlay", token, events: ["add_context", "action_result"] });
  const jukebox = new IntegrationClient(url, { ...options, name: "jukebox", token, command: ({ cmd }) => said.push(cmd) });
  const schema = { type: "object", properties: { title: { type: "string" } }, required: ["title"] };
  jukebox.action("play_song", { description: "Play.", schema, handler: ({ title }) => title.toUpperCase() });
  const game = new GameClient(gameUrl, { ...options, game: "Chess" });
  await Promise.all([watcher.ready(), jukebox.ready(), game.ready()]);
  const events = watcher.events();
  game.context("A game begins.");
  said.push((await events.next()).value.message);
  said.push((await watcher.command("jukebox", "skip")).status);
  await watcher.choose("play_song", { title: "daisy" });
  said.push((await events.next()).value.message);
  for (const client of [watcher, jukebox, game]) client.close();
  say(said.sort().join(" | "));`;
const EXPECTED = "A game begins. | DAISY | sent | skip";

interface Setting {
  /** Where the built clients are. */
  readonly folder: string;
  /** The constants of the program, given the address of its modules. */
  constants(folder: string): string;
}

const withClients = (run: (setting: Setting) => Promise<void>): Promise<void> =>
  inFolder(async (own) => {
    const folder = await mkdtemp(join(tmpdir(), "clients-"));
    const origins = JSON.stringify(["null"]);
    const tokens = [`intermediary.auth_token=${TOKEN}`, `nakurity-backend.token=${TOKEN}`];
    const relay = await RelayProcess.start(own, [...tokens, "queue.backend=memory", `security.allowed_origins=${origins}`]);
    try {
      const entrypoints = NAMES.map((name) => join(ROOT, CLIENTS.find((path) => path.endsWith(`/${name}.ts`)) ?? ""));
      const { success } = await Bun.build({ entrypoints, outdir: folder, target: "browser", minify: true });
      check.that(success);
      const { intermediary, neuro } = relay.urls;
      const constants = (at: string) =>
        `const [folder, url, gameUrl, token] = ${JSON.stringify([at, intermediary, `${neuro}/t/${TOKEN}`, TOKEN])};`;
      await run({ folder, constants });
    } finally {
      await relay.stop();
      await rm(folder, { recursive: true });
    }
  });

async function printed([command = "", ...words]: readonly string[]): Promise<string> {
  const child = spawn(command, words);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
  await new Promise((resolve) => child.on("close", resolve));
  return text.trim();
}

/** Why ws: Node 20 has no global WebSocket. */
const nodes = NODE_VERSIONS.map((version) => {
  const program = nodePath(version);
  const options = version.startsWith("20.") ? "{ openSocket: (at) => new ws.WebSocket(at) }" : "{}";
  return [`Node ${version}`, program === undefined ? undefined : [program], options] as const;
});

for (
  const [name, runner, options] of [
    ...nodes,
    ["Deno", RUNNERS["Deno"], "{}"],
    ["Bun", RUNNERS["Bun"], "{}"],
  ] as const
) {
  test(
    `CL22 the built clients work on ${name}`,
    () =>
      runner === undefined ? undefined : withClients(async ({ folder, constants }) => {
        const ws = options.includes("ws.")
          ? `import ws from ${JSON.stringify(join(ROOT, "tests/node_modules/ws/index.js"))};`
          : "";
        const program = `${ws} ${constants(folder)} const options = ${options}; const say = console.log; ${PLAY}`;
        const file = join(folder, "main.mjs");
        await Bun.write(file, program);
        check.equal(await printed([...runner, file]), EXPECTED);
      }),
    { timeoutMs: 30_000 },
  );
}

test("CL22 the built clients work in a Worker", () =>
  withClients(async ({ folder, constants }) => {
    const worker = `${constants(".")} const options = {};
      export default { async fetch() { let answer = ""; const say = (text) => answer = text; ${PLAY} return new Response(answer); } };`;
    const files = await Promise.all(NAMES.map(async (name) => {
      const contents = await Bun.file(join(folder, `${name}.js`)).text();
      return { type: "ESModule", path: `${name}.js`, contents } as const;
    }));
    const miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "main.js", contents: worker }, ...files],
      compatibilityDate: "2026-04-01",
      host: "127.0.0.1",
    });
    try {
      check.equal(await (await miniflare.dispatchFetch("http://worker.test/")).text(), EXPECTED);
    } finally {
      await miniflare.dispose();
    }
  }), { timeoutMs: 60_000 });

test("CL22 the built clients work in a browser", () => {
  const chromium = find("chromium");
  if (chromium === undefined) return; // Why: a machine without a browser has nothing to show here.
  return withClients(async ({ folder, constants }) => {
    const { promise: answer, resolve } = Promise.withResolvers<string>();
    const say = `const say = (body) => fetch("/said", { method: "POST", body });`;
    const page = `<script type="module">${constants("")} const options = {}; ${say} ${PLAY}</script>`;
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname.endsWith(".js")) return new Response(Bun.file(join(folder, pathname)));
        if (pathname === "/said") resolve(await request.text());
        return new Response(page, { headers: { "content-type": "text/html" } });
      },
    });
    const words = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`];
    const browser = spawn(chromium, [...words, server.url.href]);
    const closed = new Promise<string>((end) => browser.on("close", () => end("the browser was closed")));
    try {
      check.equal(await Promise.race([answer, closed]), EXPECTED);
    } finally {
      browser.kill("SIGKILL");
      await closed;
      await server.stop(true);
    }
  });
}, { timeoutMs: 60_000 });
