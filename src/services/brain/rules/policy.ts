/** The covenant of a session as it stands in a request, in the log and in the settings. */
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { type Mode, type Policy, share, thousandths } from "./covenant.ts";
import { badParams, fine, type Outcome, wrong } from "../problem.ts";

const MODES: readonly Json[] = ["off", "advise", "enforce"] satisfies Mode[];
/** Risks and budgets above this are beyond what a session can spend. */
const FIGURE_MAX = 1_000_000;
const FROZEN_KEYS_MAX = 256;

const isMode = (value: Json): value is Mode => MODES.includes(value);

/** A policy from JSON; what it leaves open is as in `base`. */
export function policyFrom(source: Json | undefined, base: Policy): Outcome<Policy> {
  if (source === undefined) return fine(base);
  if (!isObject(source)) return wrong(badParams("covenant", "an object is wanted"));
  const { mode = base.mode, frozen_keys = [...base.frozenKeys] } = source;
  if (!isMode(mode)) return wrong(badParams("covenant.mode", "off, advise or enforce is wanted"));
  if (!isNames(frozen_keys)) return wrong(badParams("covenant.frozen_keys", `at most ${FROZEN_KEYS_MAX} names are wanted`));
  const maxRisk = figure(source, "max_risk");
  const riskBudget = figure(source, "risk_budget");
  const minScore = figure(source, "min_score");
  const maxKeys = figure(source, "max_keys");
  const maxGrowth = figure(source, "max_growth");
  for (const read of [maxRisk, riskBudget, minScore, maxKeys, maxGrowth]) if (!read.ok) return read;
  return fine({
    mode,
    frozenKeys: frozen_keys,
    maxRisk: inThousandths(maxRisk) ?? base.maxRisk,
    riskBudget: inThousandths(riskBudget) ?? base.riskBudget,
    minScore: inThousandths(minScore) ?? base.minScore,
    maxKeys: valueOf(maxKeys) ?? base.maxKeys,
    maxGrowth: valueOf(maxGrowth) ?? base.maxGrowth,
  });
}

/** The inverse of `policyFrom`, for the log. */
export function policyJson({ mode, frozenKeys, maxRisk, riskBudget, minScore, maxKeys, maxGrowth }: Policy): JsonObject {
  return {
    mode,
    frozen_keys: [...frozenKeys],
    min_score: share(minScore),
    ...(maxRisk !== undefined && { max_risk: share(maxRisk) }),
    ...(riskBudget !== undefined && { risk_budget: share(riskBudget) }),
    ...(maxKeys !== undefined && { max_keys: maxKeys }),
    ...(maxGrowth !== undefined && { max_growth: maxGrowth }),
  };
}

function figure(source: JsonObject, name: string): Outcome<number | undefined> {
  const value = source[name];
  if (value === undefined) return fine(undefined);
  const isFigure = typeof value === "number" && value >= 0 && value <= FIGURE_MAX;
  return isFigure ? fine(value) : wrong(badParams(`covenant.${name}`, `a number from 0 to ${FIGURE_MAX} is wanted`));
}

const valueOf = (read: Outcome<number | undefined>): number | undefined => (read.ok ? read.value : undefined);

function inThousandths(read: Outcome<number | undefined>): number | undefined {
  const value = valueOf(read);
  return value === undefined ? undefined : thousandths(value);
}

function isNames(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.length <= FROZEN_KEYS_MAX && value.every((name) => typeof name === "string");
}
