/** `bun run check`: every check that needs no running relay. Exits with status 1 if one fails. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { exit } from "node:process";
import { denoPath, ROOT, toolPath } from "./machine.ts";

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const deno = (...words: readonly string[]): readonly string[] => [denoPath(), ...words];
/** Only what changed since the last check is checked again: that takes a seventh of the time. */
const tsc = (project: string): readonly string[] => {
  const known = join(ROOT, "node_modules/.cache/types", `${project.replaceAll("/", "-")}.tsbuildinfo`);
  return [toolPath("tsc"), "-p", project, "--incremental", "--tsBuildInfoFile", known];
};

/** Entry points that are checked with the types of Deno. */
const FOR_DENO = [
  "mod.ts",
  "src/testing/mod.ts",
  "src/runtimes/deno/serve.ts",
  "tests/harness/lint.ts",
  "tests/harness/runner.deno.ts",
];

const CHECKS: readonly Check[] = [
  { name: "format", command: deno("fmt", "--check") },
  { name: "lint", command: deno("lint") },
  { name: "types of the pure zone", command: tsc("src") },
  { name: "types of the edges", command: tsc("src/tsconfig.edges.json") },
  { name: "types of the tests", command: tsc("tests") },
  ...["src/dashboard", "src/runtimes/workers", "tests/dashboard"]
    .map((folder) => `${folder}/tsconfig.json`)
    .filter(isThere)
    .map((project) => ({ name: `types of ${project}`, command: tsc(project) })),
  { name: "types under deno", command: deno("check", "--node-modules-dir=manual", ...FOR_DENO.filter(isThere)) },
  { name: "architecture", command: [process.execPath, "test", "./tests/architecture/"] },
];

function isThere(path: string): boolean {
  return existsSync(join(ROOT, path));
}

function passes({ name, command }: Check): boolean {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  console.log(`${exitCode === 0 ? "ok    " : "FAILED"} ${name}`);
  if (exitCode !== 0) console.log(`${stdout}${stderr}`);
  return exitCode === 0;
}

const failed = CHECKS.filter((check) => !passes(check));
console.log(failed.length === 0 ? "\nall checks passed" : `\n${failed.length} failed`);
exit(failed.length === 0 ? 0 : 1);
