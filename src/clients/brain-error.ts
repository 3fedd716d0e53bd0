import type { JsonObject } from "../core/json.ts";

/** A call that the relay refused, or whose outcome is unknown. */
export class BrainError extends Error {
  override readonly name = "BrainError";
  /** The relay's code if it sent one. `Lost`, `TimedOut`, `Busy` and `Closed` are the client's own. */
  readonly code: string | undefined;
  /** The whole reply of the relay. */
  readonly reply: JsonObject;

  constructor(message: string, code: string | undefined, reply: JsonObject = {}) {
    super(message);
    this.code = code;
    this.reply = reply;
  }
}
