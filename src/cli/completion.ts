/** `completion`: a script that completes commands and options in a shell. */
import { Argument, Command } from "commander";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

export function completionCommand(program: Command): Command {
  return new Command("completion")
    .description("print a script for your shell: source <(neuro-relay completion bash)")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action((shell: Shell) => console.log(shell === "fish" ? fishScript(program) : bashScript(program, shell)));
}

/** The words that can follow a command: its subcommands and the long forms of its options. */
const wordsAfter = (command: Command): readonly string[] => [
  ...command.commands.map((inner) => inner.name()),
  ...command.options.flatMap(({ long }) => long ?? []),
  "--help",
];

/** Each command with the words before it: `queue list`. */
function paths(command: Command, before: readonly string[] = []): readonly (readonly [path: string, command: Command])[] {
  const below = command.commands.flatMap((inner) => paths(inner, [...before, inner.name()]));
  return [[before.join(" "), command], ...below];
}

function bashScript(program: Command, shell: "bash" | "zsh"): string {
  const cases = paths(program).map(([path, command]) =>
    `    ${JSON.stringify(path)}) words="${wordsAfter(command).join(" ")}" ;;`
  );
  return `${shell === "zsh" ? "autoload -Uz bashcompinit && bashcompinit\n" : ""}_neuro_relay() {
  local path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join("\n")}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _neuro_relay neuro-relay`;
}

function fishScript(program: Command): string {
  return paths(program).flatMap(([path, command]) => {
    const condition = path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1)}`;
    const line = (word: string) => word.startsWith("--") ? `-l ${word.slice(2)}` : `-a ${word}`;
    return wordsAfter(command).map((word) => `complete -c neuro-relay -n '${condition}' ${line(word)}`);
  }).join("\n");
}
