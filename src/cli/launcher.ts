#!/usr/bin/env node
/** The command of the npm package: runs the relay on Bun, or on Deno if there is no Bun. Node itself cannot run it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./program.js", import.meta.url));
/** The runtimes that are tried, in this order, each with the words before the program. */
const RUNTIMES: readonly (readonly [string, readonly string[]])[] = [["bun", []], ["deno", ["run", "--allow-all"]]];

if ("bun" in process.versions || "deno" in process.versions) await import("./program.ts");
else run(RUNTIMES);

function run([next, ...others]: typeof RUNTIMES): void {
  if (next === undefined) {
    console.error("error: the relay runs on Bun 1.4 or Deno 2.9, and neither is installed: `npm install --global bun`");
    return process.exit(1);
  }
  const [runtime, options] = next;
  const child = start(runtime, [...options, program, ...process.argv.slice(2)]);
  if (child === undefined) return run(others);
  child.on("error", () => run(others));
  child.on("spawn", () => {
    process.on("SIGINT", () => {}); // Why nothing: the terminal sends Ctrl-C to the relay as well.
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("exit", (code, signal) => signal === null ? process.exit(code ?? 1) : process.kill(process.pid, signal));
  });
}

/** Starts a program of the path. On Windows npm installs programs as scripts, which only the shell can start; undefined if it has none. */
function start(name: string, words: readonly string[]): ChildProcess | undefined {
  if (process.platform !== "win32") return spawn(name, words, { stdio: "inherit" });
  if (spawnSync("where", [name], { stdio: "ignore" }).status !== 0) return undefined;
  const command = [name, ...words].map((word) => `"${word.replaceAll('"', '\\"')}"`).join(" ");
  return spawn(command, { stdio: "inherit", shell: true });
}
