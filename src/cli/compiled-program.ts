/**
 * Finds the program that is compiled of the sources, for Bun: finding and parsing hundreds of files would take longer than the rest of the
 * start, and the program's bytecode is mapped instead of read.
 *
 * A program is used if the stamp in its folder names the size and the times of every source file as they are now. Otherwise
 * `compile-program.ts` compares the contents, and compiles it if they changed.
 */
import { existsSync, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { versions } from "node:process";
import { CACHE_FOLDER } from "./version.ts";

export const ROOT: string = join(import.meta.dirname, "../..");
const packages = join(ROOT, "node_modules");
/** Has a folder for each program, named by the hash of its sources. */
export const CACHE: string = join(ROOT, CACHE_FOLDER);
/** The files of a program's folder. */
export const PROGRAM = "neuro-relay";
export const STAMP = "stamp";
/** Why: file systems round times. */
const SETTLED_MS = 3_000;

/**
 * The environment of the program, for what is read only when a process begins. A variable of the user's own environment has priority.
 *
 * `thresholdForFTLOptimizeAfterWarmUp`: JavaScriptCore compiles a function in its last and most expensive step after 27,000 calls instead of some
 * 4,000. The messages of 10,000 games that register come just that far: compiling took a third of the CPU time, and they were over before it
 * paid.
 *
 * `largeHeapSize`: up to about this size the heap grows by half and more before it is collected, instead of up to 8 MiB. The traces of 100
 * games survive each collection, and with collections half as often a trip takes a fifth less without sockets. At 100,000 trips a second the
 * relay then takes 50 MB more; at rest, and with 10,000 idle games, no more.
 *
 * `useWarmUpMarkedBlocks`, `MIMALLOC_PURGE_DELAY`: no thread of Bun prepares memory, and the allocator returns memory after one second instead of
 * at once. Both threads took 3 % of a trip.
 */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "400000",
  BUN_JSC_largeHeapSize: String(64 * 1_048_576),
  BUN_JSC_useWarmUpMarkedBlocks: "0",
  MIMALLOC_PURGE_DELAY: "1000",
};

/** The path of the program; undefined if it cannot be compiled. `findOrCompile` is called if a source file may have changed. */
export async function findProgram(
  findOrCompile: (stamp: SourceStamp) => Promise<string | undefined>,
): Promise<string | undefined> {
  try {
    if (!existsSync(packages)) return undefined; // Why: without this folder Bun installs packages by itself.
    const stamp = stampSources();
    return findStamped(stamp.text) ?? await findOrCompile(stamp);
  } catch {
    return undefined; // Why: a read-only folder must not prevent the start.
  }
}

/** The state of the source files without their contents. */
export interface SourceStamp {
  readonly text: string;
  readonly paths: readonly string[];
  /** False if a file changed so recently that it could change again without a different time. */
  readonly isSettled: boolean;
}

/** Why the time of the last change of status, too: no program can set it back. Packages are represented by the lock file. */
function stampSources(): SourceStamp {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.includes(".")
  );
  const paths = ["package.json", "bun.lock", ...sources.map((source) => `src/${source}`).sort()];
  let changedAt = 0;
  const line = (path: string): string => {
    const { size, mtimeMs, ctimeMs }: Stats = statSync(join(ROOT, path));
    changedAt = Math.max(changedAt, mtimeMs, ctimeMs);
    return `${path} ${size} ${mtimeMs} ${ctimeMs}`;
  };
  const text = [versions["bun"], ...paths.map(line)].join("\n");
  return { text, paths, isSettled: Date.now() - changedAt > SETTLED_MS };
}

function findStamped(text: string): string | undefined {
  const folders = existsSync(CACHE) ? readdirSync(CACHE) : [];
  const folder = folders.find((name) => {
    const [stamp, program] = [join(CACHE, name, STAMP), join(CACHE, name, PROGRAM)];
    return existsSync(stamp) && readFileSync(stamp, "utf8") === text && existsSync(program);
  });
  return folder === undefined ? undefined : join(CACHE, folder, PROGRAM);
}
