/** The errors of the Nallely clients. */
import type { CommandFailure, RuleName, RuleViolation } from "../services/nallely/mod.ts";

/** Something broke a rule and was not sent; `rule` names the rule. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly rule: RuleName;

  constructor({ rule, reason }: RuleViolation) {
    super(`${rule}: ${reason}`);
    this.rule = rule;
  }
}

/** A command that failed; `failure` says how it ended. */
export class TrevorError extends Error {
  override readonly name = "TrevorError";
  readonly command: string;
  readonly failure: CommandFailure;

  constructor(
    command: string,
    { failure, reason }: { readonly failure: CommandFailure; readonly reason: string },
  ) {
    super(reason);
    this.command = command;
    this.failure = failure;
  }
}

/** A wait ended because the neuron or client was closed. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}
