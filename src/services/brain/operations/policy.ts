/** The covenant of a session as it stands in a request, in the log and in the settings. */
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { type CovenantMode, type CovenantPolicy, fromThousandths, toThousandths } from "./covenant.ts";
import { badParams, invalid, valid, type Validated } from "../codec/request-error.ts";

const MODES: readonly Json[] = ["off", "advise", "enforce"] satisfies CovenantMode[];
/** Risks and budgets above this are beyond what a session can spend. */
const FIGURE_MAX = 1_000_000;
const FROZEN_KEYS_MAX = 256;

const isMode = (value: Json): value is CovenantMode => MODES.includes(value);

/** A policy from JSON; what it leaves open is as in `base`. */
export function policyFrom(source: Json | undefined, base: CovenantPolicy): Validated<CovenantPolicy> {
  if (source === undefined) return valid(base);
  if (!isObject(source)) return invalid(badParams("covenant", "an object is wanted"));
  const { mode = base.mode, frozen_keys = [...base.frozenKeys] } = source;
  if (!isMode(mode)) return invalid(badParams("covenant.mode", "off, advise or enforce is wanted"));
  if (!isNameList(frozen_keys)) {
    return invalid(badParams("covenant.frozen_keys", `at most ${FROZEN_KEYS_MAX} names are wanted`));
  }
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

/** The inverse of `policyFrom`, for the log. */
export function policyJson(
  { mode, frozenKeys, maxRisk, riskBudget, minScore, maxKeys, maxGrowth }: CovenantPolicy,
): JsonObject {
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
  const value = source[name];
  if (value === undefined) return valid(undefined);
  const isFigure = typeof value === "number" && value >= 0 && value <= FIGURE_MAX;
  return isFigure ? valid(value) : invalid(badParams(`covenant.${name}`, `a number from 0 to ${FIGURE_MAX} is wanted`));
}

const valueOf = (read: Validated<number | undefined>): number | undefined => (read.ok ? read.value : undefined);

function optionalThousandths(read: Validated<number | undefined>): number | undefined {
  const value = valueOf(read);
  return value === undefined ? undefined : toThousandths(value);
}

function isNameList(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.length <= FROZEN_KEYS_MAX && value.every((name) => typeof name === "string");
}
