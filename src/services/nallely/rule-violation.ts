/**
 * A violation: the reason why something is not sent. The bus reports no error, and some errors break it for every client. So each error is
 * found before anything is sent, and names the broken rule.
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
  | "size"
  | "busy"
  | "url";

/** A broken rule, and the change that the author has to make. */
export interface RuleViolation {
  readonly rule: RuleName;
  /** The expected value, and the consequence of the actual one. */
  readonly reason: string;
}

export const violation = (rule: RuleName, reason: string): RuleViolation => ({ rule, reason });

/** True for a violation, false for any other result of a check. */
export const isViolation = (value: object): value is RuleViolation => "rule" in value && "reason" in value;
