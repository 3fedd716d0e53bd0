/**
 * Settings from the environment and from `--set`, each as a path, a value and the name of its origin.
 *
 * Text is taken literally, except that quotes around all of it are removed. Everything else is parsed as YAML. A variable that ends in
 * `_FILE` names a file that contains the secret.
 */
import { parse } from "./yaml.ts";
import { isSecretName } from "../core/secrets.ts";
import { withoutNulls } from "./config-tree.ts";
import { type Field, fieldAt, fields, PREFIX } from "./fields.ts";
import { suggest } from "./suggest.ts";

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** `NEURO_RELAY_INTERMEDIARY__PORT`, `--set intermediary.port`. */
  readonly origin: string;
}

export interface OverrideResult {
  readonly overrides: readonly Override[];
  readonly errors: readonly string[];
}

/** Variables with the prefix that are not settings. */
const RESERVED: ReadonlySet<string> = new Set([`${PREFIX}CONFIG`, `${PREFIX}TOKEN`]);

/** The end of a variable that names the file with a secret. */
const FILE_SUFFIX = /_FILE$/;

/** The settings in `NEURO_RELAY_*` variables. */
export function fromEnvironment(environment: EnvironmentVariables): OverrideResult {
  const sink: OverrideSink = { overrides: [], errors: [] };
  const given = Object.entries(environment).filter(([name]) => name.startsWith(PREFIX) && !RESERVED.has(name)).sort();
  if (given.length === 0) return sink;
  const byVariable: ReadonlyMap<string, Field> = new Map(fields().map((field) => [field.variable, field]));
  for (const [name, text] of given) {
    if (text === undefined) continue;
    const field = byVariable.get(name);
    const fieldWithFile = byVariable.get(name.replace(FILE_SUFFIX, ""));
    if (field !== undefined) add(sink, field, text, name);
    else if (fieldWithFile !== undefined && isSecretName(fieldWithFile.path.at(-1) ?? "")) {
      sink.overrides.push({ path: fieldWithFile.path, value: { file: text }, origin: name });
    } else sink.errors.push(`${name}: unknown setting; did you mean ${suggest(name, [...byVariable.keys()])}?`);
  }
  return sink;
}

/** The settings of `--set` flags, each `name=value`. */
export function fromFlags(sets: readonly string[]): OverrideResult {
  const sink: OverrideSink = { overrides: [], errors: [] };
  for (const set of sets) {
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(set) ?? [];
    if (name === undefined || text === undefined) {
      sink.errors.push(`--set ${set}: expected a setting and its value, such as --set intermediary.port=9765`);
      continue;
    }
    const origin = `--set ${name.trim()}`;
    const field = fieldAt(name.trim().split("."));
    if (field !== undefined) {
      add(sink, field, text, origin);
      continue;
    }
    const names = fields().map(({ path }) => path.join("."));
    sink.errors.push(`${origin}: unknown setting; did you mean ${suggest(name.trim(), names)}?`);
  }
  return sink;
}

interface OverrideSink {
  readonly overrides: Override[];
  readonly errors: string[];
}

function add({ overrides, errors }: OverrideSink, field: Field, text: string, origin: string): void {
  try {
    overrides.push({ path: field.path, value: valueIn(text, field), origin });
  } catch {
    errors.push(`${origin}: expected ${field.type}`);
  }
}

function valueIn(text: string, field: Field): unknown {
  const isText = field.kind === "text" || field.kind === "choice";
  // Why: `{file: path}` is meant as a file and `{sha256: ...}` as a hash, not as a token of these characters.
  const isFile = isSecretName(field.path.at(-1) ?? "") && /^\s*\{\s*(?:file|sha256)\s*:.*\}\s*$/s.test(text);
  return isText && !isFile && !/^\s*(".*"|'.*')\s*$/s.test(text) ? text : withoutNulls(parse(text)) ?? undefined;
}

const BRAIN_TEXTS = [
  ["RELAY_HOST", "host"],
  ["RELAY_TOKEN", "token"],
  ["RELAY_COVENANT", "covenant"],
  ["ARTIFACT_RUN_ID", "artifact"],
  ["ARTIFACTS_ROOT", "artifacts_root"],
] as const;

const BRAIN_FLAGS = [["RELAY_TEST_MODE", "test_mode"], ["RELAY_LOG_JSON", "log_json"]] as const;

/** The original Brain relay treats only these values as true. */
const TRUE_VALUES: ReadonlySet<string> = new Set(["1", "true", "True"]);

/**
 * The environment variables of the original Brain relay. `NEURO_RELAY_BRAIN__*` variables take precedence over them.
 *
 * Many machines set `PORT` for other reasons, so it counts only in test mode, or if the Brain is the only service.
 */
export function fromOriginalBrainEnvironment(environment: EnvironmentVariables, isOnlyBrain: boolean): readonly Override[] {
  const overrides: Override[] = [];
  const set = (origin: string, name: string, value: unknown) => overrides.push({ path: ["brain", name], value, origin });
  for (const [variable, name] of BRAIN_TEXTS) {
    const text = environment[variable];
    if (text) set(variable, name, text);
  }
  for (const [variable, name] of BRAIN_FLAGS) {
    const text = environment[variable];
    if (text) set(variable, name, TRUE_VALUES.has(text));
  }
  const countsPort = isOnlyBrain || TRUE_VALUES.has(environment.RELAY_TEST_MODE ?? "");
  const variable = environment.RELAY_PORT === undefined && countsPort ? "PORT" : "RELAY_PORT";
  const text = environment[variable];
  if (text !== undefined) set(variable, "port", /^\d+$/.test(text) ? Number(text) : text);
  return overrides;
}
