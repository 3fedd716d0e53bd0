/** The relay's part for the runtime that this program runs on. */
import type { Settings } from "../core/settings.ts";
import type { Served, ServeOptions } from "../runtimes/served.ts";

/** What each runtime's file offers. */
export interface Runtime {
  serve(settings: Settings, options?: ServeOptions): Promise<Served>;
  untilStopped(served: Served): Promise<void>;
}

export async function runtime(): Promise<Runtime> {
  if (!("Deno" in globalThis)) return await import("../runtimes/bun.ts");
  const module: string = "../runtimes/deno.ts"; // Why a variable: only Deno's type checker knows what that file needs.
  return await import(module);
}
