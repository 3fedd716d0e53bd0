/** The command line: lists the commands. Each command has a file, or a folder, of its own. */
import { Command } from "commander";
import { argv } from "node:process";
import { brainCommand } from "./brain.ts";
import { checkCommand } from "./check.ts";
import { reportError } from "./cli-error.ts";
import { queueCommand } from "./queue/command.ts";
import { replayCommand } from "./replay.ts";
import { serveCommand } from "./serve.ts";
import { tokenCommand } from "./token.ts";
import { describeVersion } from "./version.ts";

const program = new Command("neuro-relay")
  .description("Connects many integrations to one Neuro: a relay for the Neuro API.")
  .version(describeVersion())
  .addCommand(serveCommand(), { isDefault: true })
  .addCommand(checkCommand())
  .addCommand(tokenCommand())
  .addCommand(queueCommand())
  .addCommand(brainCommand())
  .addCommand(replayCommand());

for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride().showHelpAfterError("(run with --help for usage)");
}

program.parseAsync(argv).catch(reportError); // Why no await: a module with top-level await cannot be bundled to bytecode.
