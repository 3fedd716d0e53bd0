/**
 * `bun run build [--all]`: builds the relay as one self-contained program, `dist/neuro-relay`; with `--all` also for other platforms.
 *
 * The program contains all modules and texts; only the configuration is a file of its own.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { argv, exit } from "node:process";
import { ROOT } from "./machine.ts";

/** The platforms that `--all` builds for, besides this machine. */
const OTHERS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "windows-x64"] as const;
type Target = (typeof OTHERS)[number];

/**
 * Builds for this machine or another platform; throws with the output of the bundler.
 *
 * With bytecode the program starts in half the time, because nothing has to be parsed.
 */
export function buildBinary(outfile: string, target?: Target): void {
  const how = ["--compile", "--minify", "--bytecode", "--format=esm", "--compile-jit-policy=50"];
  const command = [process.execPath, "build", ...how, "src/cli/program.ts", "--outfile", outfile];
  if (target !== undefined) command.push(`--target=bun-${target}`);
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`could not build ${outfile}: ${stderr}`);
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
