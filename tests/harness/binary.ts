/**
 * `bun run build [--all]`: builds the relay as one self-contained program, `dist/neuro-relay`; with `--all` also for other platforms.
 *
 * The program contains all modules and texts; only the configuration is a file of its own.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { argv, exit } from "node:process";
import { compile } from "../../src/cli/compile-program.ts";
import { ROOT } from "./machine.ts";

/** The platforms that `--all` builds for, besides this machine. */
const OTHERS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "windows-x64"] as const;
type Target = (typeof OTHERS)[number];

/** Builds for this machine or another platform; throws with the output of the compiler. */
export function buildBinary(outfile: string, target?: Target): void {
  const failure = compile(outfile, target === undefined ? {} : { more: [`--target=bun-${target}`] });
  if (failure !== undefined) throw new Error(`could not build ${outfile}: ${failure.errors}`);
}

function main(): void {
  const dist = join(ROOT, "dist");
  mkdirSync(dist, { recursive: true });
  const wanted: readonly (readonly [file: string, target?: Target])[] = [
    ["neuro-relay"],
    ...(argv.includes("--all") ? OTHERS.map((target) => [`neuro-relay-${target}`, target] as const) : []),
  ];
  for (const [file, target] of wanted) {
    const path = join(dist, file);
    buildBinary(path, target);
    const { size } = statSync(target?.startsWith("windows") === true ? `${path}.exe` : path);
    console.log(`dist/${file}  ${Math.round(size / 1_048_576)} MiB`);
  }
}

if (import.meta.main) {
  try {
    main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    exit(1);
  }
}
