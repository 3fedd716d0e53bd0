/**
 * The sources as one file with its bytecode, for Bun: to find and parse three hundred files takes longer than all else in a start.
 *
 * It is made when the sources are first run as they are now, which takes half a second. Its folder is named by the content of all
 * that it was made of, so one that is no longer right is never taken.
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

/** The program as one file; undefined where it cannot be made. */
export async function bundledProgram(): Promise<string | undefined> {
  try {
    if (!existsSync(packages)) return undefined; // Why: where this folder is missing Bun fetches packages by itself.
    const hash = contentHash();
    const file = join(cache, hash, "main.js");
    if (!existsSync(file)) await build(hash);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined; // Why: a folder that cannot be written to must not keep the relay from starting.
  }
}

/** What it is made of. Packages count by the lock file, which `bun run start` makes sure of. */
function contentHash(): string {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.includes(".")
  );
  const paths = ["package.json", "bun.lock", ...sources.map((source) => `src/${source}`).sort()];
  const parts = paths.map((path) => `${path} ${hashBytes(readFileSync(join(root, path)))}`);
  return hashText([versions["bun"], ...parts].join("\n")).slice(0, 32);
}

/** Why by way of another folder: a start in the meantime must not find half of it. */
async function build(hash: string): Promise<void> {
  const { spawnSync } = await import("node:child_process");
  mkdirSync(cache, { recursive: true });
  const outdated = readdirSync(cache).filter((name) => name !== hash); // Why: somebody else may just have made it.
  const draft = join(cache, `${hash}.${pid}`);
  const how = ["--target=bun", "--format=cjs", "--bytecode", "--sourcemap=linked", "--entry-naming=main.js"];
  const { status } = spawnSync(execPath, ["build", entry, ...how, "--outdir", draft], { cwd: root, stdio: "ignore" });
  // Why asked again: somebody may have saved a file while it was made.
  if (status === 0 && contentHash() === hash && !existsSync(join(cache, hash))) {
    for (const name of ["main.js", "main.js.jsc"]) sync(join(draft, name));
    renameSync(draft, join(cache, hash));
  }
  for (const name of [...outdated, `${hash}.${pid}`]) rmSync(join(cache, name), { recursive: true, force: true });
}

/** Why: where the power fails, a name may be on the disk before what it stands for, and an empty program would start from then on. */
function sync(file: string): void {
  const descriptor = openSync(file, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
