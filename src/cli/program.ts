/** The command line: lists the commands. Each command has a file, or a folder, of its own. */
import { Command } from "commander";
import { argv } from "node:process";
import { CliError, reportError } from "./cli-error.ts";
import { describeVersion } from "./version.ts";
import { suggest } from "../config/suggest.ts";
import { resumeJit } from "../runtimes/jit.ts";

/** All commands, in the order of the help. Why imported lazily: a start needs only one of them. */
const COMMANDS: Readonly<Record<string, (program: Command) => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand(),
  init: async () => (await import("./init.ts")).initCommand(),
  check: async () => (await import("./check.ts")).checkCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  status: async () => (await import("./status.ts")).statusCommand(),
  open: async () => (await import("./status.ts")).openCommand(),
  link: async () => (await import("./link.ts")).linkCommand(),
  token: async () => (await import("./token.ts")).tokenCommand(),
  trace: async () => (await import("./trace.ts")).traceCommand(),
  transcript: async () => (await import("./trace.ts")).transcriptCommand(),
  queue: async () => (await import("./queue/command.ts")).queueCommand(),
  brain: async () => (await import("./brain.ts")).brainCommand(),
  replay: async () => (await import("./replay.ts")).replayCommand(),
  lint: async () => (await import("./lint/command.ts")).lintCommand(),
  shutdown: async () => (await import("./ask.ts")).shutdownCommand(),
  reregister: async () => (await import("./ask.ts")).reregisterCommand(),
  session: async () => (await import("./ask.ts")).sessionCommand(),
  behaviour: async () => (await import("./ask.ts")).behaviourCommand(),
  approve: async () => (await import("./ask.ts")).approveCommand(),
  reject: async () => (await import("./ask.ts")).rejectCommand(),
  completion: async (program) => (await import("./completion.ts")).completionCommand(program),
};
const DEFAULT_COMMAND = "serve";

/** The commands that are needed for these words: one, or all of them for what describes them all. */
function neededFor([word = DEFAULT_COMMAND, ...others]: readonly string[]): readonly string[] {
  const all = Object.keys(COMMANDS);
  if (all.includes(word)) return word === "completion" ? all : [word];
  const isDefault = word.startsWith("-") && ![word, ...others].some((one) => one === "-h" || one === "--help");
  return isDefault ? [DEFAULT_COMMAND] : all;
}

/** Why here: the default command would take a misspelled one for an argument of its own. */
function rejectUnknown(word: string | undefined): void {
  const known = ["help", ...Object.keys(COMMANDS)];
  if (word === undefined || word.startsWith("-") || known.includes(word)) return;
  throw new CliError([`unknown command ${JSON.stringify(word)}; did you mean ${suggest(word, known)}?`]);
}

async function main(): Promise<void> {
  const words = argv.slice(2);
  rejectUnknown(words[0]);
  const program = new Command("neuro-relay")
    .description("Connects many integrations to one Neuro: a relay for the Neuro API.")
    .version(describeVersion());
  for (const name of neededFor(words)) {
    const command = await COMMANDS[name]?.(program);
    if (command !== undefined) program.addCommand(command, { isDefault: name === DEFAULT_COMMAND });
  }
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().showHelpAfterError("(run with --help for usage)");
  }
  program.hook("preAction", (_, command) => command.name() === DEFAULT_COMMAND ? undefined : resumeJit());
  await program.parseAsync(argv);
}

main().catch(reportError); // Why no await: a module with top-level await cannot be bundled to bytecode.
