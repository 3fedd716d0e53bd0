/** Where the settings of a command come from: the options that all commands share, and the files they name. */
import { type Command, Option } from "commander";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { env } from "node:process";
import type { Settings } from "../core/settings.ts";
import { load } from "../config/load.ts";
import { Complaint } from "./complaint.ts";

/** Read when nothing else is named, if it is there. */
const DEFAULT_FILE = "config/relay.yaml";

export interface ConfigurationOptions {
  readonly config?: string;
  readonly set?: readonly string[];
}

export interface Configuration {
  readonly settings: Settings;
  readonly warnings: readonly string[];
  /** The file that was read. */
  readonly file: string | undefined;
}

export function withConfiguration(command: Command): Command {
  const config = new Option("-c, --config <file>", `the configuration file (default: ${DEFAULT_FILE}, if it is there)`);
  return command
    .addOption(config.env("NEURO_RELAY_CONFIG"))
    .option("--set <setting=value>", "one setting, such as intermediary.port=9765; may be repeated", collect, []);
}

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** The settings; throws a `Complaint` with one line for each error. */
export async function readConfiguration({ config, set = [] }: ConfigurationOptions): Promise<Configuration> {
  const name = config ?? DEFAULT_FILE;
  const text = await textOf(name, config !== undefined);
  const loaded = load({
    ...(text !== undefined && { file: { name, text } }),
    environment: env,
    sets: set,
    ...(config !== undefined && { folder: dirname(config) }),
  });
  if (!loaded.ok) throw new Complaint(loaded.errors);
  const note = text === undefined ? [`there is no ${DEFAULT_FILE}; these are the defaults`] : [];
  return {
    settings: loaded.settings,
    warnings: [...note, ...loaded.warnings],
    file: text === undefined ? undefined : name,
  };
}

async function textOf(file: string, isNamed: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing && !isNamed) return undefined;
    const why = isMissing ? "there is no such file" : `cannot be read: ${error instanceof Error ? error.message : error}`;
    throw new Complaint([`${file}: ${why}`]);
  }
}
