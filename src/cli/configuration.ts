/** Reads the settings of a command: the options that all commands share, and the files they name. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { env, execPath, platform, versions } from "node:process";
import { DEFAULTS } from "../core/defaults.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import { load } from "../config/load.ts";
import type { ConfigFile } from "../config/yaml-file.ts";
import { splitPath } from "../runtimes/relay-path.ts";
import { CliError } from "./cli-error.ts";
import { isBinary } from "./version.ts";

const DEFAULT_FILE = "relay.yaml";
/** The file of the repository. */
const REPOSITORY_FILE = "config/relay.yaml";

/** Without `--config` the first of these that exists is read. A binary also looks in its own folder. */
const DEFAULT_FILES: readonly string[] = [
  DEFAULT_FILE,
  REPOSITORY_FILE,
  ...(isBinary ? [REPOSITORY_FILE, DEFAULT_FILE].map((file) => join(dirname(execPath), file)) : []),
];

export interface ConfigurationOptions {
  readonly config?: string;
  readonly set?: readonly string[];
}

export interface Configuration {
  readonly settings: Settings;
  readonly warnings: readonly string[];
  /** The file that was read. */
  readonly file: ConfigFile | undefined;
  /** The files from which secrets were read. */
  readonly secretFiles: readonly ConfigFile[];
}

/** Adds `--config` and `--set` to a command. */
export function withConfiguration(command: Command): Command {
  const config = new Option(
    "-c, --config <file>",
    `the configuration file (default: ${DEFAULT_FILE} or ${REPOSITORY_FILE}, if it exists)`,
  );
  return command
    .addOption(config.env("NEURO_RELAY_CONFIG"))
    .option("--set <setting=value>", "one setting, such as intermediary.port=9765; can be repeated", collect, []);
}

export interface RelayOptions extends ConfigurationOptions {
  /** The name of one of several relays in a process. */
  readonly relay?: string;
}

/** Adds `--config`, `--set` and `--relay` to a command that is about one relay. */
export function withRelay(command: Command): Command {
  const option = new Option("--relay <name>", "one of several relays: the <name> of its path /r/<name>/");
  return withConfiguration(command).addOption(option.argParser((name: string): string => {
    if (splitPath(`/r/${name}/`)?.name === name) return name;
    throw new InvalidArgumentError("expected 1 to 64 letters, digits, hyphens and underscores");
  }));
}

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** The settings; throws a `CliError` with one line for each mistake. */
export async function readConfiguration({ config, set = [] }: ConfigurationOptions): Promise<Configuration> {
  const file = config === undefined ? await firstOf(DEFAULT_FILES) : await read(config);
  if (file === undefined && config !== undefined) throw new CliError([`${config}: no such file`]);
  const secretFiles: ConfigFile[] = [];
  const loaded = load({
    ...(file !== undefined && { file }),
    environment: env,
    sets: set,
    platform: "deno" in versions ? "deno" : "bun",
    readSecret(name) {
      const text = readFileSync(name, "utf8");
      secretFiles.push({ name, text });
      return text;
    },
    ...(config !== undefined && { folder: dirname(config) }),
    ...(!existsSync(DEFAULTS.queue.path) && { dataFolder: dataFolder() }),
  });
  if (!loaded.ok) throw new CliError(loaded.errors);
  const note = file === undefined ? [`no ${DEFAULT_FILE} and no ${REPOSITORY_FILE}; every setting has its default`] : [];
  const { settings, warnings } = loaded;
  return { settings, warnings: [...note, ...warnings], file, secretFiles };
}

/**
 * The folder of the queue and the uploads if the configuration does not give one: the user's folder for the state of programs (XDG, or
 * the equivalent of the platform), and with systemd the service's. A queue in the working directory continues to be used.
 */
function dataFolder(): string {
  // Why not `os.homedir`: on Deno it needs one more permission.
  const { STATE_DIRECTORY, XDG_STATE_HOME, LOCALAPPDATA, HOME = "." } = env;
  if (STATE_DIRECTORY !== undefined && STATE_DIRECTORY !== "") return STATE_DIRECTORY.split(":")[0] ?? STATE_DIRECTORY;
  if (XDG_STATE_HOME !== undefined && isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, "neuro-relay");
  if (platform === "win32") return join(LOCALAPPDATA ?? ".", "neuro-relay");
  if (platform === "darwin") return join(HOME, "Library/Application Support/neuro-relay");
  return join(HOME, ".local/state/neuro-relay");
}

async function firstOf(names: readonly string[]): Promise<ConfigFile | undefined> {
  for (const name of names) {
    const file = await read(name);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** The file; undefined if it does not exist; a `CliError` if it cannot be read. */
async function read(name: string): Promise<ConfigFile | undefined> {
  try {
    return { name, text: await readFile(name, "utf8") };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CliError([`${name}: cannot be read: ${errorText(error)}`]);
  }
}
