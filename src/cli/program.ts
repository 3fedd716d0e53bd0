/** The command line: lists the commands. Each command has a file, or a folder, of its own. */
import { Command } from "commander";
import { argv } from "node:process";
import { brainCommand } from "./brain.ts";
import { checkCommand } from "./check.ts";
import { CliError, reportError } from "./cli-error.ts";
import { completionCommand } from "./completion.ts";
import { doctorCommand } from "./doctor.ts";
import { initCommand } from "./init.ts";
import { queueCommand } from "./queue/command.ts";
import { replayCommand } from "./replay.ts";
import { serveCommand } from "./serve.ts";
import { openCommand, statusCommand } from "./status.ts";
import { tokenCommand } from "./token.ts";
import { describeVersion } from "./version.ts";
import { suggest } from "../config/suggest.ts";
import { resumeJit } from "../runtimes/jit.ts";

const program = new Command("neuro-relay")
  .description("Connects many integrations to one Neuro: a relay for the Neuro API.")
  .version(describeVersion())
  .addCommand(serveCommand(), { isDefault: true })
  .addCommand(initCommand())
  .addCommand(checkCommand())
  .addCommand(doctorCommand())
  .addCommand(statusCommand())
  .addCommand(openCommand())
  .addCommand(tokenCommand())
  .addCommand(queueCommand())
  .addCommand(brainCommand())
  .addCommand(replayCommand());
program.addCommand(completionCommand(program));
program.hook("preAction", (_, command) => command.name() === "serve" ? undefined : resumeJit());

for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride().showHelpAfterError("(run with --help for usage)");
}

/** Why here: the default command would take a misspelled one for an argument of its own. */
function rejectUnknown(word: string | undefined): void {
  const known = ["help", ...program.commands.map((command) => command.name())];
  if (word === undefined || word.startsWith("-") || known.includes(word)) return;
  throw new CliError([`unknown command ${JSON.stringify(word)}; did you mean ${suggest(word, known)}?`]);
}

async function main(): Promise<void> {
  rejectUnknown(argv[2]);
  await program.parseAsync(argv);
}

main().catch(reportError); // Why no await: a module with top-level await cannot be bundled to bytecode.
