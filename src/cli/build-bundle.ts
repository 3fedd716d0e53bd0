/**
 * Builds the bundle of the sources: one file with bytecode. That takes about 0.5 s, at the first start after a change. Its folder is
 * named by a hash of everything it was built from.
 */
import { spawnSync } from "node:child_process";
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
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execPath, pid, versions } from "node:process";
import { hashBytes, hashText } from "../core/hash.ts";
import { CACHE, MAIN, ROOT, type SourceStamp, STAMP } from "./bundle.ts";

/** Packages that few relays load. Why not in the bundle: all of it is in memory. */
const LATE_PACKAGES = ["ioredis", "@logtape/file"];

/** The path of the bundle with these contents; undefined if it cannot be built. */
export function findOrBuild(stamp: SourceStamp): string | undefined {
  const hash = contentHash(stamp.paths);
  const folder = join(CACHE, hash);
  const file = join(folder, MAIN);
  if (!existsSync(file)) build(hash, stamp.paths);
  if (!existsSync(file)) return undefined;
  if (stamp.isSettled) writeWhole(join(folder, STAMP), stamp.text);
  return file;
}

function contentHash(paths: readonly string[]): string {
  const parts = paths.map((path) => `${path} ${hashBytes(readFileSync(join(ROOT, path)))}`);
  return hashText([versions["bun"], ...parts].join("\n")).slice(0, 32);
}

/** Why in a temporary folder: a process that starts meanwhile must not find half a bundle. */
function build(hash: string, paths: readonly string[]): void {
  mkdirSync(CACHE, { recursive: true });
  const outdated = readdirSync(CACHE).filter((name) => name !== hash); // Why: another process may just have built this one.
  const draft = join(CACHE, `${hash}.${pid}`);
  const options = [
    "--target=bun",
    "--format=cjs",
    "--bytecode",
    "--minify",
    ...LATE_PACKAGES.map((name) => `--external=${name}`),
    "--sourcemap=linked",
    `--entry-naming=${MAIN}`,
  ];
  const { status } = spawnSync(execPath, ["build", join(ROOT, "src/cli/program.ts"), ...options, "--outdir", draft], {
    cwd: ROOT,
    stdio: "ignore",
  });
  // Why hashed again: a source file may have been saved during the build.
  if (status === 0 && contentHash(paths) === hash && !existsSync(join(CACHE, hash))) {
    for (const name of [MAIN, `${MAIN}.jsc`]) sync(join(draft, name));
    renameSync(draft, join(CACHE, hash));
  }
  for (const name of [...outdated, `${hash}.${pid}`]) rmSync(join(CACHE, name), { recursive: true, force: true });
}

/** Why: a process that starts meanwhile must not read half a file. */
function writeWhole(file: string, text: string): void {
  const draft = `${file}.${pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}

/** Why: after a power failure a file can have its name but not its content, and an empty program would start from then on. */
function sync(file: string): void {
  const descriptor = openSync(file, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
