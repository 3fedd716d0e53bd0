/** The program's version and the runtime that executes it. */
import { join } from "node:path";
import { arch, execPath, platform, versions } from "node:process";
import manifest from "../../package.json" with { type: "json" };

/** Where the program that is compiled of the sources is, below their folder. */
export const CACHE_FOLDER: string = join("node_modules", ".cache", "neuro-relay");

/** Bun keeps the modules of a compiled program in a virtual file system. */
const isCompiled = /\/\$bunfs\/|~BUN/i.test(decodeURI(import.meta.url));
/** True in the self-contained binary. */
export const isBinary: boolean = isCompiled && !execPath.includes(CACHE_FOLDER);

/** `0.1.0 (binary, bun 1.4.5, linux x64)`. */
export function describeVersion(): string {
  const { bun, deno } = versions as Readonly<Partial<Record<"bun" | "deno", string>>>; // Why: each runtime lists only itself.
  const runtime = deno === undefined ? `bun ${bun}` : `deno ${deno}`;
  return `${manifest.version} (${isBinary ? "binary" : "source"}, ${runtime}, ${platform} ${arch})`;
}
