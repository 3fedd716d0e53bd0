/**
 * Why something is kept from the wire. The bus answers no mistake, and some of them ruin it for everybody, so each is found
 * before it is sent and says which rule it breaks.
 */

/** The rule that was broken. */
export type Rule =
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

/** A broken rule, with a reason for the author. */
export interface Refusal {
  readonly rule: Rule;
  /** For the author: what was expected, and what would have happened. */
  readonly reason: string;
}

export const refusal = (rule: Rule, reason: string): Refusal => ({ rule, reason });

/** True for a refusal, false for whatever else a check may return. */
export const isRefusal = (value: object): value is Refusal => "rule" in value && "reason" in value;
