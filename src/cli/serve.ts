/** `serve`: runs the relay until it is told to stop. */
import { Command } from "commander";
import { unwatchFile, watchFile } from "node:fs";
import process from "node:process";
import type { Settings } from "../core/settings.ts";
import { reloaded } from "../config/reload.ts";
import type { Served, ServeOptions } from "../runtimes/served.ts";
import { Complaint } from "./complaint.ts";
import { type Configuration, type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";

/** What each runtime's file offers. */
interface Runtime {
  serve(settings: Settings, options?: ServeOptions): Promise<Served>;
  untilStopped(served: Served): Promise<void>;
}

/** How often the file is looked at for changes. */
const WATCH_MS = 2_000;

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
  const stopFollowing = follow(configuration, options, served);
  await untilStopped(served);
  stopFollowing();
  process.exit(0); // Why: what a runtime still keeps open, such as a half-closed socket, must not keep the process.
}

async function runtime(): Promise<Runtime> {
  if (!("Deno" in globalThis)) return await import("../runtimes/bun.ts");
  const module: string = "../runtimes/deno.ts"; // Why a variable: only Deno's type checker knows what that file needs.
  return await import(module);
}

/** Takes over what is changed in the file, as far as it can be while the relay runs. */
function follow({ file, settings: first }: Configuration, options: ConfigurationOptions, served: Served): () => void {
  if (file === undefined) return () => {};
  let current = first;
  const reload = async (): Promise<void> => {
    try {
      const { settings, waiting } = reloaded(current, (await readConfiguration(options)).settings);
      served.configure(settings);
      current = settings;
      note(`${file}: the changes are in force`);
      if (waiting.length > 0) note(`${file}: needs a restart: ${waiting.join(", ")}`);
    } catch (error) {
      note(`${file}: the old settings stay: ${error instanceof Error ? error.message : error}`);
    }
  };
  watchFile(file, { interval: WATCH_MS }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs || now.size !== before.size) void reload();
  });
  return () => unwatchFile(file);
}

const note = (line: string): void => console.error(`note: ${line}`);
