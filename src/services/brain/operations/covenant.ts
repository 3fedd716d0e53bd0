/**
 * The covenant evaluates whether an operator may change a state.
 *
 * A pure function of the change that the operator makes, its risk and the policy of the session. All values are whole thousandths, so
 * the evaluation is the same on every runtime.
 *
 * Invariants: C1 evaluating changes nothing; C2 a policy in mode `off` finds no reasons, and `advise` and `enforce` find the same;
 * C3 an operator that only clears the suspicion is allowed, because a session under suspicion could never leave it otherwise.
 */
import type { Json, JsonObject } from "../../../core/json.ts";
import { isTruthy } from "../codec/python-repr.ts";
import type { StateChange } from "./state-change.ts";

export type CovenantMode = "off" | "advise" | "enforce";

/** The policy that a session got when it was created. Risks and scores are thousandths. */
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
  /** Why the operator should not be applied; empty if it may be. */
  readonly reasons: readonly CovenantReason[];
  readonly score: number;
  readonly fields: { readonly empathy: number; readonly care: number; readonly trust: number };
}

export interface EvaluationInput {
  readonly change: StateChange;
  /** The risk of the operator. */
  readonly risk: number;
  /** The sum of the risks of everything applied to the session before. */
  readonly riskSpent: number;
}

/** The key of the state that marks a session as suspicious. */
const SUSPICION = "suspicious";
const MIN_SCORE = 500;
const [EMPATHY, CARE, TRUST] = [800, 900, 700] as const;
/** Trust that a suspicion costs, and that a spent budget costs. */
const [SUSPICION_COST, BUDGET_COST] = [600, 300] as const;
/** The score is the mean of the fields, and at most this much above trust. */
const TRUST_LEAD = 200;
/** The name under which the original published its evaluation. */
export const EVALUATION_NAME = "Phase1Eval";

/** The policy of a session whose creator gave none. */
export const defaultPolicy = (mode: CovenantMode): CovenantPolicy => ({
  mode,
  maxRisk: undefined,
  riskBudget: undefined,
  frozenKeys: [],
  maxKeys: undefined,
  maxGrowth: undefined,
  minScore: MIN_SCORE,
});

/** Evaluates one result of an operator. */
export function evaluate(policy: CovenantPolicy, { change, risk, riskSpent }: EvaluationInput): CovenantEvaluation {
  const isSuspicious = isTruthy(change.before(SUSPICION));
  const fields = { empathy: EMPATHY, care: CARE, trust: trustOf(policy, riskSpent, isSuspicious) };
  const mean = Math.floor((fields.empathy + fields.care + fields.trust) / 3);
  const score = Math.min(mean, fields.trust + TRUST_LEAD);
  if (policy.mode === "off" || (isSuspicious && onlyClearsSuspicion(change))) {
    return { reasons: [], score, fields };
  }
  const reasons: CovenantReason[] = isSuspicious ? ["suspicious_flag"] : [];
  if (policy.maxRisk !== undefined && risk > policy.maxRisk) reasons.push("risk_above_max");
  if (policy.riskBudget !== undefined && riskSpent + risk > policy.riskBudget) reasons.push("risk_budget_spent");
  if (policy.frozenKeys.some((name) => change.isChanged(name))) reasons.push("frozen_key");
  if (exceeds(policy.maxKeys, () => change.keys())) reasons.push("too_many_keys");
  if (exceeds(policy.maxGrowth, () => change.growth())) reasons.push("grows_too_fast");
  if (reasons.length === 0 && score < policy.minScore) reasons.push("score_too_low");
  return { reasons, score, fields };
}

function trustOf({ riskBudget }: CovenantPolicy, riskSpent: number, isSuspicious: boolean): number {
  const used = riskBudget === undefined || riskBudget === 0
    ? 0
    : Math.min(1_000, Math.floor((riskSpent * 1_000) / riskBudget));
  return Math.max(0, TRUST - (isSuspicious ? SUSPICION_COST : 0) - Math.floor((BUDGET_COST * used) / 1_000));
}

const onlyClearsSuspicion = (change: StateChange): boolean =>
  !isTruthy(change.after(SUSPICION)) && change.changesOnly(SUSPICION);

/** Computes the value only if there is a limit. */
const exceeds = (max: number | undefined, value: () => number): boolean => max !== undefined && value() > max;

/** An evaluation as clients and the log see it. */
export function evaluationJson({ score, fields }: CovenantEvaluation): JsonObject {
  const shown: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) shown[name] = fromThousandths(value);
  return { score: fromThousandths(score), fields: shown };
}

export const fromThousandths = (thousandths: number): number => thousandths / 1_000;
export const toThousandths = (fraction: number): number => Math.round(fraction * 1_000);
