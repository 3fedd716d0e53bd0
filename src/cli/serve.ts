/** `serve`: runs the relay until it is told to stop. */
import { Command } from "commander";
import process from "node:process";
import type { Settings } from "../core/settings.ts";
import type { Served, ServeOptions } from "../runtimes/served.ts";
import { Complaint } from "./complaint.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { follow } from "./follow.ts";

/** What each runtime's file offers. */
interface Runtime {
  serve(settings: Settings, options?: ServeOptions): Promise<Served>;
  untilStopped(served: Served): Promise<void>;
}

export function serveCommand(): Command {
  return withConfiguration(new Command("serve").description("run the relay (the default command)")).action(run);
}

async function run(options: ConfigurationOptions): Promise<void> {
  const configuration = await readConfiguration(options);
  for (const warning of configuration.warnings) note(warning);
  const { serve, untilStopped } = await runtime();
  const served = await serve(configuration.settings).catch((error: unknown) => {
    // Why by name: the class is in the runtime's part, which is imported only where it can run.
    throw error instanceof Error && error.name === "StartError" ? new Complaint([error.message]) : error;
  });
  const stopFollowing = follow(configuration, {
    read: () => readConfiguration(options),
    apply: (settings) => served.configure(settings),
    note,
  });
  await untilStopped(served);
  stopFollowing();
  process.exit(0); // Why: what a runtime still keeps open, such as a half-closed socket, must not keep the process.
}

async function runtime(): Promise<Runtime> {
  if (!("Deno" in globalThis)) return await import("../runtimes/bun.ts");
  const module: string = "../runtimes/deno.ts"; // Why a variable: only Deno's type checker knows what that file needs.
  return await import(module);
}

const note = (line: string): void => console.error(`note: ${line}`);
