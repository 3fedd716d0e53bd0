/** `check`: validates a configuration and prints the resulting settings. */
import { Command } from "commander";
import { stringify } from "../config/yaml.ts";
import { humanReadable, redacted } from "../config/redacted.ts";
import { CliError } from "./cli-error.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";

export function checkCommand(): Command {
  return withConfiguration(new Command("check"))
    .description("check the configuration and print the resulting settings without secrets")
    .option("--json", "print JSON, with durations in milliseconds and sizes in bytes")
    .action(run);
}

async function run(options: ConfigurationOptions & { readonly json?: true }): Promise<void> {
  const { settings, warnings } = await readConfiguration(options);
  const { certificateProblems } = await import("../runtimes/certificates.ts");
  const problems = certificateProblems(settings);
  if (problems.length > 0) throw new CliError(problems);
  for (const warning of warnings) console.error(`note: ${warning}`);
  const printed = redacted(settings);
  console.log(options.json ? JSON.stringify(printed, null, 2) : stringify(humanReadable(printed)).trimEnd());
}
