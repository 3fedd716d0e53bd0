/**
 * Settings that come from the environment and from `--set`, each as a path, a value and the name of where it came from.
 *
 * A text is taken as it stands (quotes around all of it are removed); everything else parses as YAML. A secret may stand in a file
 * that its variable with `_FILE` at the end names.
 */
import { parse } from "yaml";
import { type Field, fieldAt, fields, PREFIX } from "./fields.ts";
import { nearest } from "./nearest.ts";
import { isSecretName } from "./secrets.ts";
import { withoutNulls } from "./tree.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** `NEURO_RELAY_INTERMEDIARY__PORT`, `--set intermediary.port`. */
  readonly origin: string;
}

export interface Overrides {
  readonly overrides: readonly Override[];
  readonly errors: readonly string[];
}

/** Variables with the prefix that are no settings. */
const RESERVED: ReadonlySet<string> = new Set([`${PREFIX}CONFIG`]);

/** Ends the variable that names the file in which a secret stands. */
const IN_FILE = /_FILE$/;

const byVariable: ReadonlyMap<string, Field> = new Map(fields.map((field) => [field.variable, field]));

/** What variables of the environment set. */
export function fromEnvironment(environment: Environment): Overrides {
  const overrides: Override[] = [];
  const errors: string[] = [];
  for (const [name, text] of Object.entries(environment).sort()) {
    if (!name.startsWith(PREFIX) || RESERVED.has(name) || text === undefined) continue;
    const field = byVariable.get(name);
    const holder = byVariable.get(name.replace(IN_FILE, ""));
    if (field !== undefined) add(field, text, { origin: name, overrides, errors });
    else if (holder !== undefined && isSecretName(holder.path.at(-1) ?? "")) {
      overrides.push({ path: holder.path, value: { file: text }, origin: name });
    } else errors.push(`${name}: unknown setting; the nearest known one is ${nearest(name, [...byVariable.keys()])}`);
  }
  return { overrides, errors };
}

/** What `--set` sets: each is `name=value`. */
export function fromFlags(sets: readonly string[]): Overrides {
  const overrides: Override[] = [];
  const errors: string[] = [];
  for (const set of sets) {
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(set) ?? [];
    if (name === undefined || text === undefined) {
      errors.push(`--set ${set}: expected a setting and its value, such as --set intermediary.port=9765`);
      continue;
    }
    const path = name.trim().split(".");
    const field = fieldAt(path);
    if (field !== undefined) add(field, text, { origin: `--set ${path.join(".")}`, overrides, errors });
    else errors.push(`--set ${path.join(".")}: unknown setting; the nearest known one is ${nearestPath(path)}`);
  }
  return { overrides, errors };
}

const nearestPath = (path: readonly string[]): string | undefined =>
  nearest(path.join("."), fields.map((field) => field.path.join(".")));

interface Into {
  readonly origin: string;
  readonly overrides: Override[];
  readonly errors: string[];
}

function add(field: Field, text: string, { origin, overrides, errors }: Into): void {
  try {
    overrides.push({ path: field.path, value: read(field, text), origin });
  } catch {
    errors.push(`${origin}: expected ${field.type}`);
  }
}

function read(field: Field, text: string): unknown {
  const isText = field.kind === "text" || field.kind === "choice";
  // Why: whoever writes that means the file, and not these letters as a token.
  const isFile = isSecretName(field.path.at(-1) ?? "") && /^\s*\{\s*file\s*:.*\}\s*$/s.test(text);
  return isText && !isFile && !/^\s*(".*"|'.*')\s*$/s.test(text) ? text : withoutNulls(parse(text)) ?? undefined;
}
