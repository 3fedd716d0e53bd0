/** The command line. Each command is a file of its own; this one names them. */
import { Command } from "commander";
import { argv } from "node:process";
import { brainCommand } from "./brain.ts";
import { checkCommand } from "./check.ts";
import { complain } from "./complaint.ts";
import { queueCommand } from "./queue.ts";
import { replayCommand } from "./replay.ts";
import { serveCommand } from "./serve.ts";
import { tokenCommand } from "./token.ts";
import { describeVersion } from "./version.ts";

const program = new Command("neuro-relay")
  .description("Many integrations, one Neuro: a relay for the Neuro API.")
  .version(describeVersion())
  .addCommand(serveCommand(), { isDefault: true })
  .addCommand(checkCommand())
  .addCommand(tokenCommand())
  .addCommand(queueCommand())
  .addCommand(brainCommand())
  .addCommand(replayCommand());

for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride().showHelpAfterError("(--help shows what there is)");
}

program.parseAsync(argv).catch(complain); // Why not awaited: a module that waits cannot be one of a bundle with bytecode.
