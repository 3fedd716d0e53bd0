/**
 * The covenant: may this operator do this to this state?
 *
 * A pure function of the state before, what the operator makes of it, and the policy of the session. All figures are whole
 * thousandths, so that the same log is judged alike on every runtime.
 *
 * Invariants: C1 judging changes nothing; C2 a policy that is off finds nothing to say, and between `advise` and `enforce` the verdict is the same; C3 what does
 * nothing but clear the suspicion is allowed, else a session under suspicion could never leave it.
 */
import type { Json, JsonObject } from "../../../core/json.ts";
import { isTruthy } from "../codec/python-repr.ts";
import type { OperatorResult } from "./operators.ts";
import { hasKey, isSameJson, sizeOf, type StateJson } from "./session-state.ts";

export type CovenantMode = "off" | "advise" | "enforce";

/** What a session promised when it was made. Figures are thousandths, sizes are bytes. */
export interface CovenantPolicy {
  readonly mode: CovenantMode;
  readonly maxRisk: number | undefined;
  readonly riskBudget: number | undefined;
  readonly frozenKeys: readonly string[];
  readonly maxKeys: number | undefined;
  /** Bytes that one operator may add. */
  readonly maxGrowth: number | undefined;
  readonly minScore: number;
}

export type CovenantReason =
  | "suspicious_flag"
  | "risk_above_max"
  | "risk_budget_spent"
  | "frozen_key"
  | "too_many_keys"
  | "grows_too_fast"
  | "score_too_low";

export interface CovenantEvaluation {
  /** Empty: nothing speaks against it. */
  readonly reasons: readonly CovenantReason[];
  readonly score: number;
  readonly fields: { readonly empathy: number; readonly care: number; readonly trust: number };
  /** The state was under suspicion before the operator. */
  readonly suspicious: boolean;
}

/** What the verdict is about. */
export interface EvaluationInput {
  readonly before: StateJson;
  /** The risk of everything that was done in the session. */
  readonly spent: number;
  readonly result: OperatorResult;
}

const MIN_SCORE = 500;
const [EMPATHY, CARE, TRUST] = [800, 900, 700] as const;
/** What suspicion takes from trust, and what a budget that is used up takes. */
const [SUSPICION_COST, BUDGET_COST] = [600, 300] as const;
/** The score is the mean of the fields, but never more than this above trust. */
const TRUST_LEAD = 200;
/** The name under which the original published its evaluation. */
export const EVALUATION = "Phase1Eval";

/** The policy of a session that asked for none. */
export const defaultPolicy = (mode: CovenantMode): CovenantPolicy => ({
  mode,
  maxRisk: undefined,
  riskBudget: undefined,
  frozenKeys: [],
  maxKeys: undefined,
  maxGrowth: undefined,
  minScore: MIN_SCORE,
});

/** Judges one deed. */
export function evaluate(policy: CovenantPolicy, { before, spent, result }: EvaluationInput): CovenantEvaluation {
  const suspicious = isTruthy(before["suspicious"]);
  const fields = { empathy: EMPATHY, care: CARE, trust: trust(policy, spent, suspicious) };
  const mean = Math.floor((fields.empathy + fields.care + fields.trust) / 3);
  const score = Math.min(mean, fields.trust + TRUST_LEAD);
  const reasons: CovenantReason[] = [];
  if (policy.mode === "off") return { reasons, score, fields, suspicious };
  if (suspicious) {
    if (clearsSuspicion(before, result.state)) return { reasons, score, fields, suspicious };
    reasons.push("suspicious_flag");
  }
  if (policy.maxRisk !== undefined && result.risk > policy.maxRisk) reasons.push("risk_above_max");
  if (policy.riskBudget !== undefined && spent + result.risk > policy.riskBudget) reasons.push("risk_budget_spent");
  if (policy.frozenKeys.some((name) => isChanged(name, before, result.state))) reasons.push("frozen_key");
  if (exceeds(policy.maxKeys, () => Object.keys(result.state).length)) reasons.push("too_many_keys");
  if (exceeds(policy.maxGrowth, () => sizeOf(result.state) - sizeOf(before))) reasons.push("grows_too_fast");
  if (reasons.length === 0 && score < policy.minScore) reasons.push("score_too_low");
  return { reasons, score, fields, suspicious };
}

function trust({ riskBudget }: CovenantPolicy, spent: number, suspicious: boolean): number {
  const used = riskBudget === undefined || riskBudget === 0 ? 0 : Math.min(1_000, Math.floor((spent * 1_000) / riskBudget));
  return Math.max(0, TRUST - (suspicious ? SUSPICION_COST : 0) - Math.floor((BUDGET_COST * used) / 1_000));
}

function clearsSuspicion(before: StateJson, after: StateJson): boolean {
  if (isTruthy(after["suspicious"])) return false;
  return [...Object.keys(before), ...Object.keys(after)].every((name) =>
    name === "suspicious" || !isChanged(name, before, after)
  );
}

const isChanged = (name: string, before: StateJson, after: StateJson): boolean =>
  hasKey(before, name) !== hasKey(after, name) || !isSameJson(before[name], after[name]);

/** Asks for the size only where there is a bound. */
const exceeds = (max: number | undefined, size: () => number): boolean => max !== undefined && size() > max;

/** A verdict as it stands on the wire and in the log. */
export function evaluationJson({ score, fields }: CovenantEvaluation): JsonObject {
  const shares: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) shares[name] = fromThousandths(value);
  return { score: fromThousandths(score), fields: shares };
}

/** Thousandths as the fraction they stand for. */
export const fromThousandths = (thousandths: number): number => thousandths / 1_000;
/** A fraction as thousandths. */
export const toThousandths = (fraction: number): number => Math.round(fraction * 1_000);
