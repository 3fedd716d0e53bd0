/** The environment variables of the original Brain relay, under their old names. The ones with our prefix win over them. */
import type { Environment, Override } from "./overrides.ts";

const TEXTS = [
  ["RELAY_HOST", "host"],
  ["RELAY_TOKEN", "token"],
  ["RELAY_COVENANT", "covenant"],
  ["ARTIFACT_RUN_ID", "artifact"],
  ["ARTIFACTS_ROOT", "artifacts_root"],
] as const;

const FLAGS = [["RELAY_TEST_MODE", "test_mode"], ["RELAY_LOG_JSON", "log_json"]] as const;

/** Only these spellings switch something on; any other switches it off. */
const ON: ReadonlySet<string> = new Set(["1", "true", "True"]);

/**
 * `PORT` is set on many machines for many reasons: it counts only in test mode, or when nothing but the Brain runs.
 */
export function fromBrainEnvironment(environment: Environment, isBrainAlone: boolean): readonly Override[] {
  const overrides: Override[] = [];
  const set = (origin: string, name: string, value: unknown) => overrides.push({ path: ["brain", name], value, origin });
  for (const [variable, name] of TEXTS) {
    const text = environment[variable];
    if (text) set(variable, name, text);
  }
  for (const [variable, name] of FLAGS) {
    const text = environment[variable];
    if (text) set(variable, name, ON.has(text));
  }
  const isPortMeant = isBrainAlone || ON.has(environment.RELAY_TEST_MODE ?? "");
  const variable = environment.RELAY_PORT === undefined && isPortMeant ? "PORT" : "RELAY_PORT";
  const text = environment[variable];
  if (text !== undefined) set(variable, "port", /^\d+$/.test(text) ? Number(text) : text);
  return overrides;
}
