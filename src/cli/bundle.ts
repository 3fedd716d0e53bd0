/**
 * Bundles the sources into one file with bytecode, for Bun: finding and parsing hundreds of files would take longer than the rest of
 * the start.
 *
 * The bundle is built when the sources are started for the first time after a change, in about 0.5 s. Its folder is named by a hash of
 * everything it was built from, so an outdated bundle is never used.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { execPath, pid, versions } from "node:process";
import { hashBytes, hashText } from "../core/hash.ts";

const root = join(import.meta.dirname, "../..");
const entry = join(root, "src/cli/program.ts");
const packages = join(root, "node_modules");
const cache = join(packages, ".cache/neuro-relay");

/** The path of the bundle; undefined if it cannot be built. */
export async function bundledProgram(): Promise<string | undefined> {
  try {
    if (!existsSync(packages)) return undefined; // Why: without this folder Bun installs packages by itself.
    const hash = contentHash();
    const file = join(cache, hash, "main.js");
    if (!existsSync(file)) await build(hash);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined; // Why: a read-only folder must not prevent the start.
  }
}

/** The hash of all sources. Packages are represented by the lock file: `bun run start` installs what it says. */
function contentHash(): string {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.includes(".")
  );
  const paths = ["package.json", "bun.lock", ...sources.map((source) => `src/${source}`).sort()];
  const parts = paths.map((path) => `${path} ${hashBytes(readFileSync(join(root, path)))}`);
  return hashText([versions["bun"], ...parts].join("\n")).slice(0, 32);
}

/** Why in a temporary folder: a process that starts meanwhile must not find half a bundle. */
async function build(hash: string): Promise<void> {
  const { spawnSync } = await import("node:child_process");
  mkdirSync(cache, { recursive: true });
  const outdated = readdirSync(cache).filter((name) => name !== hash); // Why: another process may just have built this one.
  const draft = join(cache, `${hash}.${pid}`);
  const options = ["--target=bun", "--format=cjs", "--bytecode", "--sourcemap=linked", "--entry-naming=main.js"];
  const { status } = spawnSync(execPath, ["build", entry, ...options, "--outdir", draft], { cwd: root, stdio: "ignore" });
  // Why hashed again: a source file may have been saved during the build.
  if (status === 0 && contentHash() === hash && !existsSync(join(cache, hash))) {
    for (const name of ["main.js", "main.js.jsc"]) sync(join(draft, name));
    renameSync(draft, join(cache, hash));
  }
  for (const name of [...outdated, `${hash}.${pid}`]) rmSync(join(cache, name), { recursive: true, force: true });
}

/** Why: after a power failure a file can have its name but not its content, and an empty program would start from then on. */
function sync(file: string): void {
  const descriptor = openSync(file, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
