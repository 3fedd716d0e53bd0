/** `init`: writes a configuration with tokens of its own. */
import { Command } from "commander";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { stringify } from "../config/yaml.ts";
import { load } from "../config/load.ts";
import { CliError } from "./cli-error.ts";
import { newToken } from "../runtimes/tokens/new-token.ts";

interface InitOptions {
  readonly upstream?: string;
  readonly network?: boolean;
  readonly yes?: true;
  readonly force?: true;
}

interface Answers {
  /** The address of the real Neuro; empty for standalone mode. */
  readonly upstream: string;
  /** Other machines may connect. */
  readonly isExposed: boolean;
}

export function initCommand(): Command {
  return new Command("init")
    .description("write a configuration with tokens of its own")
    .argument("[file]", "the file to write", "relay.yaml")
    .option("--upstream <url>", "the address of the real Neuro, such as ws://127.0.0.1:8001")
    .option("--network", "accept other machines")
    .option("-y, --yes", "ask nothing")
    .option("--force", "replace an existing file")
    .action(init);
}

async function init(file: string, options: InitOptions): Promise<void> {
  const answers = options.yes || !process.stdin.isTTY ? given(options) : await ask(options);
  const text = configuration(answers);
  const loaded = load({ file: { name: file, text } });
  if (!loaded.ok) throw new CliError(loaded.errors);
  try {
    // Why the mode: the file contains tokens.
    await writeFile(file, text, { flag: options.force ? "w" : "wx", mode: 0o600 });
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new CliError([isThere ? `${file} exists; --force replaces it` : `${file}: cannot be written: ${String(error)}`]);
  }
  console.log(`wrote ${file}; \`neuro-relay serve\` reads it${file === "relay.yaml" ? "" : ` with --config ${file}`}`);
}

const given = ({ upstream = "", network = false }: InitOptions): Answers => ({ upstream, isExposed: network });

async function ask({ upstream, network }: InitOptions): Promise<Answers> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return {
      upstream: upstream ?? (await terminal.question("Address of the real Neuro (empty: the relay plays Neuro): ")).trim(),
      isExposed: network ?? /^y/i.test(await terminal.question("May other machines connect? [y/N] ")),
    };
  } finally {
    terminal.close();
  }
}

/** The file, as an author of a configuration would write it. */
function configuration({ upstream, isExposed }: Answers): string {
  const listener = (settings: Readonly<Record<string, string>>): string =>
    indented({ host: isExposed ? "0.0.0.0" : "127.0.0.1", ...settings });
  const token = (): Readonly<Record<string, string>> => isExposed ? { token: newToken() } : {};
  return `# Neuro Relay. Settings that are missing here have their defaults; \`neuro-relay check\` prints all of them.
# This file contains tokens: only its owner should be able to read it.

# Integrations and watchers connect here on port 8765, and greet with this token.
intermediary:
${listener({ auth_token: newToken() })}
# Games connect here on port 8000${
    isExposed ? ", with the token in the path or the query: ws://<host>:8000/t/<token>" : ", without a token"
  }.
nakurity-backend:
${listener(token())}
# Programs that share Brain sessions connect here on port 9000.
brain:
${listener(token())}
# The dashboard and the API, on port 8766. The relay makes the token of this port itself, unless you set web.token.
web:
${listener({})}
${
    upstream === ""
      ? "# Without this block the relay plays Neuro itself.\n# nakurity-client:\n#   url: ws://127.0.0.1:8001\n"
      : `nakurity-client:\n${indented({ url: upstream })}`
  }`;
}

const indented = (settings: Readonly<Record<string, string>>): string => stringify(settings).replace(/^(?=.)/gm, "  ");
