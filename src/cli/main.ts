#!/usr/bin/env bun
/** The entry point. On Bun it runs the sources as one bundled file, if possible; elsewhere it imports them one by one. */
import { versions } from "node:process";
import { postponeJit } from "../runtimes/jit.ts";

postponeJit();
const bundle = "bun" in versions ? await findBundle() : undefined;
// Why two imports: Deno needs no permission to read a module whose name is a literal, but any other.
if (bundle === undefined) await import("./program.ts");
else await import(bundle);

async function findBundle(): Promise<string | undefined> {
  const { bundledProgram } = await import("./bundle.ts");
  return await bundledProgram(async (stamp) => (await import("./build-bundle.ts")).findOrBuild(stamp));
}
