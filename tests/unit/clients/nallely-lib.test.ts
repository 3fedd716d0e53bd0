/** What `bun run build:lib` makes is loaded by Node, by Workers and by a browser, and plays in a session. */
import { test } from "#runner";
import { Miniflare } from "miniflare";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { find, ROOT } from "../../harness/machine.ts";
import { check } from "../../harness/check.ts";
import { openSession } from "../../harness/nallely-server.ts";

/** Sends one value to itself. Its output is passed to `say`. */
const PLAY = `
  const { Neuron, Trevor, proxyOf } = await import(lib);
  const trevor = Trevor.open({ url: trevorUrl });
  const neuron = Neuron.open({ name: "built", url, parameters: { out: { direction: "out" }, back: { direction: "in" } } });
  await neuron.ready({ timeoutMs: 5000 });
  await trevor.waitFor((state) => proxyOf(state, "built"));
  await trevor.connect(await trevor.pathOf("built", "out"), await trevor.pathOf("built", "back"), false);
  const values = neuron.values("back");
  neuron.send("out", 4.5);
  const { value } = await values.next();
  say("came back: " + value + ", gone: " + await neuron.unregister(trevor));
  await trevor.close();`;
const EXPECTED = "came back: 4.5, gone: true";

async function withLibrary(run: (lib: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "nallely-"));
  try {
    const built = await Bun.build({
      entrypoints: [join(ROOT, "src/clients/nallely.ts")],
      outdir: folder,
      target: "browser",
    });
    check.that(built.success);
    await run(join(folder, "nallely.js"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function printed(program: string, words: readonly string[]): Promise<string> {
  const child = spawn(program, words);
  let text = "";
  child.stdout.on("data", (part) => (text += part));
  await new Promise((resolve) => child.on("close", resolve));
  return text;
}

test("NL35 the built library works in a session from Node", async () => {
  const node = Bun.which("node");
  if (node === null) return; // Why: a machine without Node has nothing to show here.
  await using session = openSession();
  await withLibrary(async (lib) => {
    const program = `const [lib, url, trevorUrl] = process.argv.slice(1); const say = console.log; ${PLAY}`;
    const words = ["--no-warnings", "--experimental-websocket", "--input-type=module", "-e", program];
    check.equal((await printed(node, [...words, lib, session.busUrl, session.trevorUrl])).trim(), EXPECTED);
  });
});

test("NL35 the built library works in a session from Workers", async () => {
  await using session = openSession();
  await withLibrary(async (path) => {
    const worker = `const [lib, url, trevorUrl] = ${JSON.stringify(["./lib.js", session.busUrl, session.trevorUrl])};
      export default { async fetch() { let said = ""; const say = (text) => said = text; ${PLAY} return new Response(said); } };`;
    const miniflare = new Miniflare({
      modules: [
        { type: "ESModule", path: "main.js", contents: worker },
        { type: "ESModule", path: "lib.js", contents: await Bun.file(path).text() },
      ],
      compatibilityDate: "2026-04-01",
      host: "127.0.0.1",
    });
    try {
      check.equal(await (await miniflare.dispatchFetch("http://worker.test/")).text(), EXPECTED);
    } finally {
      await miniflare.dispose();
    }
  });
}, { timeoutMs: 60_000 });

test("NL35 the built library works in a session from a browser", async () => {
  const chromium = find("chromium");
  if (chromium === undefined) return; // Why: nor has one without a browser.
  await using session = openSession();
  await withLibrary(async (path) => {
    const { promise: said, resolve: say } = Promise.withResolvers<string>();
    const set = `const [lib, url, trevorUrl] = ${JSON.stringify(["/lib.js", session.busUrl, session.trevorUrl])};`;
    const page =
      `<script type="module">${set} const say = (body) => fetch("/said", { method: "POST", body }); ${PLAY}</script>`;
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/lib.js") return new Response(Bun.file(path));
        if (pathname === "/said") say(await request.text());
        return new Response(page, { headers: { "content-type": "text/html" } });
      },
    });
    const profile = join(path, "..", "profile");
    const words = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
    const browser = spawn(chromium, [...words, `http://127.0.0.1:${server.port}/`]);
    const closed = new Promise((resolve) => browser.on("close", resolve));
    try {
      check.equal(await Promise.race([said, closed]), EXPECTED);
    } finally {
      browser.kill("SIGKILL");
      await closed;
      await server.stop(true);
    }
  });
}, { timeoutMs: 60_000 });
