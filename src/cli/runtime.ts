/** Loads the part of the relay for the runtime that executes this program. */
import type { Settings } from "../core/settings.ts";
import type { Served, ServeOptions } from "../runtimes/served.ts";
import { CliError } from "./cli-error.ts";

/** What `runtimes/bun.ts` and `runtimes/deno.ts` export. */
export interface Runtime {
  /** Starts a relay; rejects if it cannot. */
  serve(settings: Settings, options?: ServeOptions): Promise<Served>;
  untilStopped(served: Served): Promise<void>;
}

/** The runtime's functions; `serve` rejects with a `CliError` if the relay cannot start. */
export async function runtime(): Promise<Runtime> {
  const { serve, untilStopped } = await loadRuntime();
  return {
    serve: (settings, options) =>
      serve(settings, options).catch((error: unknown) => {
        // Why by name: the class belongs to the runtime's part, which is imported lazily.
        throw error instanceof Error && error.name === "StartError" ? new CliError([error.message]) : error;
      }),
    untilStopped,
  };
}

async function loadRuntime(): Promise<Runtime> {
  if (!("Deno" in globalThis)) return await import("../runtimes/bun.ts");
  const module: string = "../runtimes/deno.ts"; // Why a variable: only Deno's type checker knows the types of that file.
  return await import(module);
}
