import type { CommandEnd, Refusal, Rule } from "../services/nallely/mod.ts";

/** A mistake found before the wire; `rule` names what was broken. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly rule: Rule;

  constructor({ rule, reason }: Refusal) {
    super(`${rule}: ${reason}`);
    this.rule = rule;
  }
}

/** A command that did not come through; `why` says how it ended. */
export class TrevorError extends Error {
  override readonly name = "TrevorError";
  readonly command: string;
  readonly why: CommandEnd;

  constructor(command: string, { why, reason }: { readonly why: CommandEnd; readonly reason: string }) {
    super(reason);
    this.command = command;
    this.why = why;
  }
}

/** What was waited for did not come in time. */
export class LateError extends Error {
  override readonly name = "LateError";
}

/** What was waited for will not come: the neuron or client was closed. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}
