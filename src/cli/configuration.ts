/** Where the settings of a command come from: the options that all commands share, and the files they name. */
import { type Command, Option } from "commander";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { env, execPath } from "node:process";
import type { Settings } from "../core/settings.ts";
import type { File } from "../config/file.ts";
import { load } from "../config/load.ts";
import { Complaint } from "./complaint.ts";
import { isBinary } from "./version.ts";

const DEFAULT_FILE = "config/relay.yaml";

/** The first of these that is there is read when none is named; a binary also looks beside itself. */
const DEFAULT_FILES: readonly string[] = [
  DEFAULT_FILE,
  ...(isBinary ? [DEFAULT_FILE, "relay.yaml"].map((file) => join(dirname(execPath), file)) : []),
];

export interface ConfigurationOptions {
  readonly config?: string;
  readonly set?: readonly string[];
}

export interface Configuration {
  readonly settings: Settings;
  readonly warnings: readonly string[];
  /** The file that was read. */
  readonly file: File | undefined;
  /** Files that secrets were read from. */
  readonly secretFiles: readonly File[];
}

/** The command with the options by which each finds its settings. */
export function withConfiguration(command: Command): Command {
  const config = new Option("-c, --config <file>", `the configuration file (default: ${DEFAULT_FILE}, if it is there)`);
  return command
    .addOption(config.env("NEURO_RELAY_CONFIG"))
    .option("--set <setting=value>", "one setting, such as intermediary.port=9765; may be repeated", collect, []);
}

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** The settings; throws a `Complaint` with one line for each error. */
export async function readConfiguration({ config, set = [] }: ConfigurationOptions): Promise<Configuration> {
  const file = config === undefined ? await firstOf(DEFAULT_FILES) : await read(config);
  if (file === undefined && config !== undefined) throw new Complaint([`${config}: there is no such file`]);
  const secretFiles: File[] = [];
  const loaded = load({
    ...(file !== undefined && { file }),
    environment: env,
    sets: set,
    readSecret(name) {
      const text = readFileSync(name, "utf8");
      secretFiles.push({ name, text });
      return text;
    },
    ...(config !== undefined && { folder: dirname(config) }),
  });
  if (!loaded.ok) throw new Complaint(loaded.errors);
  const note = file === undefined ? [`there is no ${DEFAULT_FILE}; these are the defaults`] : [];
  const { settings, warnings } = loaded;
  return { settings, warnings: [...note, ...warnings], file, secretFiles };
}

async function firstOf(names: readonly string[]): Promise<File | undefined> {
  for (const name of names) {
    const file = await read(name);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** The file, or undefined when there is none; one that cannot be read is an error. */
async function read(name: string): Promise<File | undefined> {
  try {
    return { name, text: await readFile(name, "utf8") };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new Complaint([`${name}: cannot be read: ${error instanceof Error ? error.message : error}`]);
  }
}
