/** `check`: says whether a configuration is right, and what comes of it. */
import { Command } from "commander";
import { stringify } from "yaml";
import { masked, written } from "../config/printed.ts";
import { unbuiltIn } from "../config/unbuilt.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";

export function checkCommand(): Command {
  return withConfiguration(new Command("check"))
    .description("check the configuration and print what comes of it, secrets hidden")
    .option("--json", "print JSON, with durations in milliseconds and sizes in bytes")
    .action(run);
}

async function run(options: ConfigurationOptions & { readonly json?: true }): Promise<void> {
  const { settings, warnings } = await readConfiguration(options);
  for (const warning of warnings) console.error(`note: ${warning}`);
  for (const block of unbuiltIn(settings)) console.error(`note: ${block} is switched on, but not part of this build`);
  const shown = masked(settings);
  console.log(options.json ? JSON.stringify(shown, null, 2) : stringify(written(shown)).trimEnd());
}
