/** Covenant policies as JSON: in requests, in the log and in snapshots. */
import { isObject, type Json, type JsonObject, numberOf } from "../../../core/json.ts";
import { badParams, invalid, valid, type Validated } from "../codec/request-error.ts";
import { type CovenantMode, type CovenantPolicy, fromThousandths, toThousandths } from "./covenant.ts";

const MODES: readonly Json[] = ["off", "advise", "enforce"] satisfies CovenantMode[];
/** No session can spend more than this. */
const NUMBER_MAX = 1_000_000;
const FROZEN_KEYS_MAX = 256;

const FIELDS: readonly string[] = [
  "mode",
  "frozen_keys",
  "max_risk",
  "risk_budget",
  "min_score",
  "max_keys",
  "max_growth",
];

const isMode = (value: Json): value is CovenantMode => MODES.includes(value);

/** Reads a policy. Fields that are missing keep their value in `base`. */
export function policyFrom(source: Json | undefined, base: CovenantPolicy): Validated<CovenantPolicy> {
  if (source === undefined) return valid(base);
  if (!isObject(source)) return invalid(badParams("covenant", "an object"));
  // Why refused: a misspelt field would silently leave the session without its protection.
  const unknown = Object.keys(source).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) return invalid(badParams(`covenant.${unknown}`, `one of the fields ${FIELDS.join(", ")}`));
  const { mode = base.mode, frozen_keys = [...base.frozenKeys] } = source;
  if (!isMode(mode)) return invalid(badParams("covenant.mode", "off, advise or enforce"));
  if (!isNameList(frozen_keys)) return invalid(badParams("covenant.frozen_keys", `at most ${FROZEN_KEYS_MAX} names`));
  const maxRisk = numberField(source, "max_risk");
  const riskBudget = numberField(source, "risk_budget");
  const minScore = numberField(source, "min_score");
  const maxKeys = numberField(source, "max_keys");
  const maxGrowth = numberField(source, "max_growth");
  for (const read of [maxRisk, riskBudget, minScore, maxKeys, maxGrowth]) if (!read.ok) return read;
  return valid({
    mode,
    frozenKeys: frozen_keys,
    maxRisk: optionalThousandths(maxRisk) ?? base.maxRisk,
    riskBudget: optionalThousandths(riskBudget) ?? base.riskBudget,
    minScore: optionalThousandths(minScore) ?? base.minScore,
    maxKeys: valueOf(maxKeys) ?? base.maxKeys,
    maxGrowth: valueOf(maxGrowth) ?? base.maxGrowth,
  });
}

/** The inverse of `policyFrom`. */
export function policyJson(policy: CovenantPolicy): JsonObject {
  const { mode, frozenKeys, maxRisk, riskBudget, minScore, maxKeys, maxGrowth } = policy;
  return {
    mode,
    frozen_keys: [...frozenKeys],
    min_score: fromThousandths(minScore),
    ...(maxRisk !== undefined && { max_risk: fromThousandths(maxRisk) }),
    ...(riskBudget !== undefined && { risk_budget: fromThousandths(riskBudget) }),
    ...(maxKeys !== undefined && { max_keys: maxKeys }),
    ...(maxGrowth !== undefined && { max_growth: maxGrowth }),
  };
}

function numberField(source: JsonObject, name: string): Validated<number | undefined> {
  if (source[name] === undefined) return valid(undefined);
  const value = numberOf(source[name]);
  const isInRange = value !== undefined && value >= 0 && value <= NUMBER_MAX;
  return isInRange ? valid(value) : invalid(badParams(`covenant.${name}`, `a number from 0 to ${NUMBER_MAX}`));
}

const valueOf = (read: Validated<number | undefined>): number | undefined => (read.ok ? read.value : undefined);

function optionalThousandths(read: Validated<number | undefined>): number | undefined {
  const value = valueOf(read);
  return value === undefined ? undefined : toThousandths(value);
}

function isNameList(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.length <= FROZEN_KEYS_MAX && value.every((name) => typeof name === "string");
}
