/**
 * Compiles the sources to one self-contained program with their bytecode: the binary of `bun run build`, and what a start from the sources
 * runs. For a start that takes about 1 s, at the first one after a change. Its folder is named by a hash of everything it was compiled from.
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
import { CACHE, PROGRAM, ROOT, type SourceStamp, STAMP } from "./compiled-program.ts";

/**
 * The options of `bun build`. Code that only a few starts need is split off, and the bytecode that a start uses comes first, so that the
 * rest of it is never in memory. `bun run order` writes the order; an outdated one costs memory only.
 */
const OPTIONS = [
  "--compile",
  "--minify",
  "--bytecode",
  "--bytecode-order=src/cli/bytecode.order",
  "--format=esm",
  "--splitting",
  "--compile-jit-policy=50", // Why: see `postponeJit`.
];

interface CompileOptions {
  readonly entry?: string;
  /** Further options of `bun build`. */
  readonly more?: readonly string[];
}

/** Compiles the sources. Returns what the compiler prints if it fails. */
export function compile(
  outfile: string,
  { entry = "src/cli/program.ts", more = [] }: CompileOptions = {},
): { readonly errors: string } | undefined {
  const words = ["build", ...OPTIONS, ...more, entry, "--outfile", outfile];
  const { status, stderr } = spawnSync(execPath, words, { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? undefined : { errors: stderr };
}

/** The path of the program with these contents; undefined if it cannot be compiled. */
export function findOrCompile(stamp: SourceStamp): string | undefined {
  const hash = contentHash(stamp.paths);
  const folder = join(CACHE, hash);
  const file = join(folder, PROGRAM);
  if (!existsSync(file)) compileTo(hash, stamp.paths);
  if (!existsSync(file)) return undefined;
  if (stamp.isSettled) writeWhole(join(folder, STAMP), stamp.text);
  return file;
}

function contentHash(paths: readonly string[]): string {
  const parts = paths.map((path) => `${path} ${hashBytes(readFileSync(join(ROOT, path)))}`);
  return hashText([versions["bun"], ...parts].join("\n")).slice(0, 32);
}

/** Why in a temporary folder: a process that starts meanwhile must not find half a program. */
function compileTo(hash: string, paths: readonly string[]): void {
  mkdirSync(CACHE, { recursive: true });
  const outdated = readdirSync(CACHE).filter((name) => name !== hash); // Why: another process may just have compiled this one.
  const draft = join(CACHE, `${hash}.${pid}`);
  mkdirSync(draft);
  const failure = compile(join(draft, PROGRAM), { more: ["--sourcemap=inline"] });
  // Why hashed again: a source file may have been saved meanwhile.
  if (failure === undefined && contentHash(paths) === hash && !existsSync(join(CACHE, hash))) {
    sync(join(draft, PROGRAM));
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
