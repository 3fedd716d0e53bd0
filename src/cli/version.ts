/** The program's version and the runtime that executes it. */
import { arch, platform, versions } from "node:process";
import manifest from "../../package.json" with { type: "json" };

/** True in the self-contained binary: Bun keeps its modules in a virtual file system. */
export const isBinary: boolean = /\/\$bunfs\/|~BUN/i.test(decodeURI(import.meta.url));

/** `0.1.0 (binary, bun 1.4.5, linux x64)`. */
export function describeVersion(): string {
  const { bun, deno } = versions as Readonly<Partial<Record<"bun" | "deno", string>>>; // Why: each runtime lists only itself.
  const runtime = deno === undefined ? `bun ${bun}` : `deno ${deno}`;
  return `${manifest.version} (${isBinary ? "binary" : "source"}, ${runtime}, ${platform} ${arch})`;
}
