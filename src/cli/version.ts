/** What this program is: its version, and what it runs as. */
import { arch, platform, versions } from "node:process";
import manifest from "../../package.json" with { type: "json" };

/** Bun keeps the modules of a self-contained binary in a file system of its own. */
export const isBinary: boolean = /\/\$bunfs\/|~BUN/i.test(decodeURI(import.meta.url));

/** `0.1.0 (binary, bun 1.4.5, linux x64)`. */
export function describeVersion(): string {
  const { bun, deno } = versions as Readonly<Partial<Record<"bun" | "deno", string>>>; // Why: each runtime names only itself.
  const runtime = deno === undefined ? `bun ${bun}` : `deno ${deno}`;
  return `${manifest.version} (${isBinary ? "binary" : "source"}, ${runtime}, ${platform} ${arch})`;
}
