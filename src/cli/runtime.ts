/** The relay's part for the runtime that this program runs on. */
import type { Settings } from "../core/settings.ts";
import type { Served, ServeOptions } from "../runtimes/served.ts";
import { Complaint } from "./complaint.ts";

/** What each runtime's file offers. */
export interface Runtime {
  /** Starts a relay; rejects when it cannot. */
  serve(settings: Settings, options?: ServeOptions): Promise<Served>;
  untilStopped(served: Served): Promise<void>;
}

/** The same, with a `Complaint` about what keeps a relay from starting. */
export async function runtime(): Promise<Runtime> {
  const { serve, untilStopped } = await loaded();
  return {
    serve: (settings, options) =>
      serve(settings, options).catch((error: unknown) => {
        // Why by name: the class is in the runtime's part, which is imported only where it can run.
        throw error instanceof Error && error.name === "StartError" ? new Complaint([error.message]) : error;
      }),
    untilStopped,
  };
}

async function loaded(): Promise<Runtime> {
  if (!("Deno" in globalThis)) return await import("../runtimes/bun.ts");
  const module: string = "../runtimes/deno.ts"; // Why a variable: only Deno's type checker knows what that file needs.
  return await import(module);
}
