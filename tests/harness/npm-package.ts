/**
 * `bun run build:lib`: builds the JavaScript and the type declarations of the npm package into `dist/lib`.
 *
 * Each client is one module without imports, for browsers as well. The modules of the relay share their code; the packages that it depends
 * on stay imports. Declarations lie beside them, under the paths of the sources.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exit } from "node:process";
import { ROOT, toolPath } from "./machine.ts";

const OUT = join(ROOT, "dist/lib");

const RELAY = [
  "mod.ts",
  "src/testing/mod.ts",
  "src/cli/launcher.ts",
  "src/cli/program.ts",
  "src/runtimes/bun/serve.ts",
  "src/runtimes/deno/serve.ts",
  "src/runtimes/no-server.ts",
  "src/runtimes/workers/worker.ts",
  "src/runtimes/hashing/bun.ts",
  "src/runtimes/hashing/node.ts",
  "src/runtimes/hashing/portable.ts",
];
/** Each is one module for users of one protocol. */
export const CLIENTS = ["api", "brain", "game", "integration", "nallely", "watcher"].map((name) =>
  `src/clients/${name}.ts`
);

type Imports = Readonly<Record<string, Readonly<Record<string, string>>>>;

const readJson = (path: string): { readonly imports: Imports } => JSON.parse(readFileSync(join(ROOT, path), "utf8"));
const built = (path: string): string => path.replace(/\.ts$/, ".js");

/** Why a manifest of its own: the one of the repository maps `#sha256` and `#serve` to sources. */
function writeManifest(): void {
  const imports: Record<string, Record<string, string>> = {};
  for (const [name, conditions] of Object.entries(readJson("package.json").imports)) {
    imports[name] = Object.fromEntries(Object.entries(conditions).map(([condition, path]) => [condition, built(path)]));
  }
  writeFileSync(join(OUT, "package.json"), `${JSON.stringify({ type: "module", imports }, null, 2)}\n`);
}

async function build(sources: readonly string[], options: Partial<Bun.BuildConfig>): Promise<void> {
  const { logs, success } = await Bun.build({
    entrypoints: sources.map((source) => join(ROOT, source)),
    root: ROOT,
    outdir: OUT,
    format: "esm",
    naming: { entry: "[dir]/[name].[ext]", chunk: "chunks/[hash].[ext]" },
    ...options,
  });
  if (!success) throw new Error(logs.join("\n"));
}

/** The declarations of every module that the entries import. The sources are checked elsewhere. */
function declare(sources: readonly string[]): void {
  const config = join(OUT, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: ".",
    rootDir: ROOT,
    types: [],
  };
  const files = sources.map((source) => join(ROOT, source));
  writeFileSync(config, JSON.stringify({ extends: join(ROOT, "src/tsconfig.json"), compilerOptions, include: [], files }));
  const { exitCode, stdout } = Bun.spawnSync([toolPath("tsc"), "-p", config], { cwd: ROOT, stdout: "pipe" });
  rmSync(config);
  if (exitCode !== 0) throw new Error(stdout.toString());
  for (const path of globSync("**/*.d.ts", { cwd: OUT })) {
    const file = join(OUT, path);
    // Why: a compiler that resolves as Node does finds a declaration by the name of its module.
    writeFileSync(file, readFileSync(file, "utf8").replace(/((?:from|import)\s*\(?"\.[^"]*)\.tsx?"/g, '$1.js"'));
  }
}

/** Builds everything; throws with the output of the bundler or the compiler. */
export async function buildLibrary(): Promise<void> {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  writeManifest();
  const external = ["#sha256", "#serve", "cloudflare:workers"];
  await build(RELAY, { target: "node", splitting: true, packages: "external", external });
  await build(CLIENTS, { target: "browser", minify: true });
  declare([...RELAY, ...CLIENTS]);
}

if (import.meta.main) {
  await buildLibrary().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    exit(1);
  });
}
