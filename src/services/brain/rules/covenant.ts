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
import { isTruthy } from "../legacy.ts";
import type { Applied } from "./operators.ts";
import { has, same, sizeOf, type State } from "./state.ts";

export type Mode = "off" | "advise" | "enforce";

/** What a session promised when it was made. Figures are thousandths, sizes are bytes. */
export interface Policy {
  readonly mode: Mode;
  readonly maxRisk: number | undefined;
  readonly riskBudget: number | undefined;
  readonly frozenKeys: readonly string[];
  readonly maxKeys: number | undefined;
  /** Bytes that one operator may add. */
  readonly maxGrowth: number | undefined;
  readonly minScore: number;
}

export type Reason =
  | "suspicious_flag"
  | "risk_above_max"
  | "risk_budget_spent"
  | "frozen_key"
  | "too_many_keys"
  | "grows_too_fast"
  | "score_too_low";

export interface Verdict {
  /** Empty: nothing speaks against it. */
  readonly reasons: readonly Reason[];
  readonly score: number;
  readonly fields: { readonly empathy: number; readonly care: number; readonly trust: number };
  /** The state was under suspicion before the operator. */
  readonly suspicious: boolean;
}

/** What the verdict is about. */
export interface Deed {
  readonly before: State;
  /** The risk of everything that was done in the session. */
  readonly spent: number;
  readonly applied: Applied;
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
export const policyOf = (mode: Mode): Policy => ({
  mode,
  maxRisk: undefined,
  riskBudget: undefined,
  frozenKeys: [],
  maxKeys: undefined,
  maxGrowth: undefined,
  minScore: MIN_SCORE,
});

/** Judges one deed. */
export function judge(policy: Policy, { before, spent, applied }: Deed): Verdict {
  const suspicious = isTruthy(before["suspicious"]);
  const fields = { empathy: EMPATHY, care: CARE, trust: trust(policy, spent, suspicious) };
  const mean = Math.floor((fields.empathy + fields.care + fields.trust) / 3);
  const score = Math.min(mean, fields.trust + TRUST_LEAD);
  const reasons: Reason[] = [];
  if (policy.mode === "off") return { reasons, score, fields, suspicious };
  if (suspicious) {
    if (clearsSuspicion(before, applied.state)) return { reasons, score, fields, suspicious };
    reasons.push("suspicious_flag");
  }
  if (policy.maxRisk !== undefined && applied.risk > policy.maxRisk) reasons.push("risk_above_max");
  if (policy.riskBudget !== undefined && spent + applied.risk > policy.riskBudget) reasons.push("risk_budget_spent");
  if (policy.frozenKeys.some((name) => isChanged(name, before, applied.state))) reasons.push("frozen_key");
  if (outgrows(policy.maxKeys, () => Object.keys(applied.state).length)) reasons.push("too_many_keys");
  if (outgrows(policy.maxGrowth, () => sizeOf(applied.state) - sizeOf(before))) reasons.push("grows_too_fast");
  if (reasons.length === 0 && score < policy.minScore) reasons.push("score_too_low");
  return { reasons, score, fields, suspicious };
}

function trust({ riskBudget }: Policy, spent: number, suspicious: boolean): number {
  const used = riskBudget === undefined || riskBudget === 0 ? 0 : Math.min(1_000, Math.floor((spent * 1_000) / riskBudget));
  return Math.max(0, TRUST - (suspicious ? SUSPICION_COST : 0) - Math.floor((BUDGET_COST * used) / 1_000));
}

function clearsSuspicion(before: State, after: State): boolean {
  if (isTruthy(after["suspicious"])) return false;
  return [...Object.keys(before), ...Object.keys(after)].every((name) =>
    name === "suspicious" || !isChanged(name, before, after)
  );
}

const isChanged = (name: string, before: State, after: State): boolean =>
  has(before, name) !== has(after, name) || !same(before[name], after[name]);

/** Asks for the size only where there is a bound. */
const outgrows = (max: number | undefined, size: () => number): boolean => max !== undefined && size() > max;

/** A verdict as it stands on the wire and in the log. */
export function resultOf({ score, fields }: Verdict): JsonObject {
  const shares: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) shares[name] = share(value);
  return { score: share(score), fields: shares };
}

/** Thousandths as the fraction they stand for. */
export const share = (thousandths: number): number => thousandths / 1_000;
/** A fraction as thousandths. */
export const thousandths = (fraction: number): number => Math.round(fraction * 1_000);
