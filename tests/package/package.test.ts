/** The npm package as its users get it: packed, installed into empty projects, and imported by each runtime and tool. */
import { afterAll } from "bun:test";
import { test } from "#runner";
import { Miniflare } from "miniflare";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { env, execPath } from "node:process";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { check } from "../harness/check.ts";
import { denoPath, NODE_VERSIONS, nodePath, ROOT, toolPath } from "../harness/machine.ts";
import { buildLibrary, CLIENTS } from "../harness/npm-package.ts";
import { freePort } from "../unit/storage/backends.ts";

const NAME = "@nakurity/neuro-relay";
const ENTRIES = ["", "/api", "/brain", "/game", "/integration", "/nallely", "/testing", "/watcher"].map((entry) =>
  NAME + entry
);
const INSTALLED_MB_MAX = 40;
const CLIENT_KB_MAX = 20;

const folder = mkdtempSync(join(tmpdir(), "neuro relay ü-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One line with each entry; prints `ok`. */
const USE = `
import { DEFAULTS, FAULTS, Relay, serve, services } from "${NAME}";
import { ApiClient } from "${NAME}/api";
import { BrainClient } from "${NAME}/brain";
import { GameClient } from "${NAME}/game";
import { IntegrationClient } from "${NAME}/integration";
import { Neuron } from "${NAME}/nallely";
import { SimulatedRelay } from "${NAME}/testing";
import { WatcherClient } from "${NAME}/watcher";
const lines = [
  new Relay(services(DEFAULTS), DEFAULTS).services.length > 0,
  FAULTS.tooBig.close === 1009,
  typeof serve === "function",
  typeof new ApiClient({ url: "http://127.0.0.1:1", token: "none" }).request === "function",
  typeof BrainClient === "function",
  typeof GameClient === "function",
  typeof IntegrationClient === "function",
  typeof Neuron.open === "function",
  typeof SimulatedRelay === "function",
  typeof WatcherClient === "function",
];
console.log(lines.every(Boolean) ? "ok" : JSON.stringify(lines));
`;

interface Tarball {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

interface Output {
  readonly status: number | null;
  readonly text: string;
}

function run(command: string, words: readonly string[], options: { cwd?: string; path?: string } = {}): Output {
  const { cwd = project, path = "" } = options;
  const variables = { ...env, NO_COLOR: "1", PATH: path === "" ? env.PATH : `${path}${delimiter}${env.PATH}` };
  const { status, stdout, stderr, error } = spawnSync(command, words, { cwd, env: variables, encoding: "utf8" });
  return { status, text: `${stdout}${stderr}${error ?? ""}` };
}

const sizeOf = (path: string): number =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .reduce((sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0), 0);

await buildLibrary();
const packed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], { cwd: ROOT });
const [{ filename, files }]: [Tarball] = JSON.parse(packed.text.slice(packed.text.indexOf("[")));

const project = join(folder, "project");
mkdirSync(project);
writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
const installed = run("npm", ["install", "--no-audit", "--no-fund", join(folder, filename)]);
writeFileSync(join(project, "use.ts"), USE);
writeFileSync(join(project, "use.mjs"), USE);

test("PK1 the package has the built library and documents, and installs no tool of the tests", () => {
  check.equal(installed.status, 0, installed.text);
  const folders = new Set(files.map(({ path }) => path.split("/")[0]));
  check.equal([...folders].sort(), [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "config",
    "dist",
    "package.json",
  ]);
  const packages = readdirSync(join(project, "node_modules"));
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "tests/package.json"), "utf8"));
  check.equal(Object.keys(dependencies).filter((tool) => packages.includes(tool)), []);
  const megabytes = sizeOf(join(project, "node_modules")) / 1_048_576;
  check.that(megabytes < INSTALLED_MB_MAX, `${megabytes} MB`);
});

test("PK2 Node, Bun and Deno import every entry of the installed package", () => {
  for (const version of NODE_VERSIONS) {
    check.equal(run(nodePath(version) ?? "node", ["use.mjs"]).text.trim(), "ok", version);
  }
  check.equal(run(execPath, ["use.ts"]).text.trim(), "ok");
  check.equal(run(denoPath(), ["run", "--allow-all", "--node-modules-dir=manual", "use.mjs"]).text.trim(), "ok");
});

test("PK3 a strict TypeScript project finds the types of every entry, with both kinds of resolution", () => {
  for (const [module, resolution] of [["nodenext", "nodenext"], ["esnext", "bundler"]] as const) {
    const options = ["--noEmit", "--strict", "--target", "esnext", "--lib", "esnext,dom", "--ignoreConfig"];
    const { status, text } = run(toolPath("tsc"), [
      ...options,
      "--module",
      module,
      "--moduleResolution",
      resolution,
      "use.ts",
    ]);
    check.equal(status, 0, text);
  }
});

test("PK4 Vite builds a page with the clients", async () => {
  writeFileSync(join(project, "index.html"), `<script type="module" src="/page.js"></script>`);
  const clients = ENTRIES.filter((entry) => /api|brain|game|integration|nallely|watcher/.test(entry));
  writeFileSync(
    join(project, "page.js"),
    clients.map((entry, at) => `import * as m${at} from "${entry}"; console.log(m${at});`).join("\n"),
  );
  await build({ root: project, logLevel: "silent", build: { outDir: "page" } });
  check.equal(readdirSync(join(project, "page/assets")).length, 1);
});

test("PK8 each client is one module of at most 20 kB, compressed, without imports", () => {
  for (const client of CLIENTS) {
    const text = readFileSync(join(project, "node_modules", NAME, "dist/lib", client.replace(/ts$/, "js")), "utf8");
    const kilobytes = gzipSync(text).length / 1_000;
    check.that(kilobytes <= CLIENT_KB_MAX, `${client}: ${kilobytes} kB`);
    check.that(!/(^|[;}])(import|export [*{][^;]* from)[ {*"]/m.test(text), client);
  }
});

test("PK5 `serve` starts a relay inside a program, on Bun and on Deno", async () => {
  const program = (port: number): string => `
import { serve } from "${NAME}";
const settings = { "nakurity-backend": { port: ${port} }, queue: { backend: "memory" } };
const off = Object.fromEntries(["intermediary", "web", "brain"].map((name) => [name, { enabled: false }]));
const relay = await serve({ ...settings, ...off }, { print() {}, log() {} });
const game = new WebSocket(relay.urls.neuro);
await new Promise((resolve) => game.addEventListener("open", resolve));
console.log(relay.urls.neuro);
await relay.drain();
process.exit(0);
`;
  for (
    const [name, command] of [["bun", [execPath]], ["deno", [
      denoPath(),
      "run",
      "--allow-all",
      "--node-modules-dir=manual",
    ]]] as const
  ) {
    const port = await freePort();
    writeFileSync(join(project, `${name}.mjs`), program(port));
    const [runtime = "", ...words] = command;
    check.equal(run(runtime, [...words, `${name}.mjs`]).text.trim(), `ws://127.0.0.1:${port}`, name);
  }
  writeFileSync(
    join(project, "node.mjs"),
    `import { serve } from "${NAME}"; await serve().catch(({ message }) => console.log(message));`,
  );
  for (const version of NODE_VERSIONS) {
    check.match(run(nodePath(version) ?? "node", ["node.mjs"]).text, /runs on Bun, Deno and Cloudflare Workers/);
  }
});

test("PK5b the program in the README starts a relay, on other ports", async () => {
  const [, program = ""] = /```ts\n([^]*?serve[^]*?)```/.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];
  const port = await freePort();
  const ports = `"nakurity-backend": { port: ${port} }, intermediary: { port: 0 }, web: { port: 0 }, brain: { port: 0 }, `;
  writeFileSync(join(project, "readme.ts"), program.replace("serve({ ", `serve({ ${ports}`));
  const { status, text } = run(execPath, ["readme.ts"]);
  check.equal([status, text.split("\n").includes(`ws://127.0.0.1:${port}`)], [0, true], text);
});

test("PK6 the command of the package runs the relay on Bun, or says that it needs it", () => {
  const command = join(project, "node_modules/.bin/neuro-relay");
  check.match(run(command, ["--version"], { path: dirname(execPath) }).text, /bun \d/);
  check.match(run(command, ["--version"], { path: dirname(denoPath()) }).text, /bun \d|deno \d/);
});

const TOKENS = Object.fromEntries(
  ["INTERMEDIARY__AUTH_TOKEN", "NAKURITY_BACKEND__TOKEN", "BRAIN__TOKEN"].map((
    name,
  ) => [`NEURO_RELAY_${name}`, "a token of its own"]),
);

test("PK7 a Worker of three lines runs the relay of the package", async () => {
  writeFileSync(join(project, "worker.js"), `export { default, RelayObject } from "${NAME}/workers";`);
  const { outputs } = await Bun.build({
    entrypoints: [join(project, "worker.js")],
    target: "browser",
    conditions: ["workerd"],
    external: ["cloudflare:*"],
  });
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: await outputs[0]?.text() ?? "" }],
    compatibilityDate: "2026-04-20",
    durableObjects: { RELAY: { className: "RelayObject", useSQLite: true } },
    bindings: { RELAY_NAMES: "default", ...TOKENS },
  });
  try {
    const response = await worker.dispatchFetch("http://127.0.0.1/health");
    check.equal(response.status, 200, await response.text());
  } finally {
    await worker.dispose();
  }
});
