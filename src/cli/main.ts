#!/usr/bin/env bun
/**
 * The entry point. On Bun the process becomes the program that is compiled of the sources, if possible; otherwise the sources are imported one
 * by one.
 */
import process from "node:process";
import { postponeJit } from "../runtimes/jit.ts";

postponeJit();
// Why without options of the runtime: the compiled program would not get them.
if ("bun" in process.versions && process.execArgv.length === 0) await becomeCompiled();
await import("./program.ts");

/** Returns if there is no such program: Windows cannot replace a process. */
async function becomeCompiled(): Promise<void> {
  if (process.execve === undefined || process.platform === "win32") return;
  const { ENVIRONMENT, findProgram } = await import("./compiled-program.ts");
  const program = await findProgram(async (stamp) => (await import("./compile-program.ts")).findOrCompile(stamp));
  if (program === undefined) return;
  try {
    process.execve(program, [program, ...process.argv.slice(2)], { ...ENVIRONMENT, ...process.env });
  } catch {
    // Why ignored: the folder may allow no programs, and another process may just have deleted an outdated one.
  }
}
