/**
 * Why something is not sent. The bus reports no error, and some errors break it for every client, so each is found before anything is
 * sent, and names the rule that it breaks.
 */

/** The rule that was broken. */
export type RuleName =
  | "neuron-name"
  | "parameter-name"
  | "parameter-reserved"
  | "parameter-twice"
  | "parameter-count"
  | "parameter-unknown"
  | "direction"
  | "range"
  | "rate"
  | "policy"
  | "value"
  | "value-range"
  | "registry"
  | "command"
  | "busy"
  | "url";

/** A broken rule, and what the author has to change. */
export interface RuleViolation {
  readonly rule: RuleName;
  /** What was expected, and what would have happened. */
  readonly reason: string;
}

export const violation = (rule: RuleName, reason: string): RuleViolation => ({ rule, reason });

/** True for a violation, false for any other result of a check. */
export const isViolation = (value: object): value is RuleViolation => "rule" in value && "reason" in value;
