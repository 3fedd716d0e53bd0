/**
 * The calls of a Brain client: which are still unanswered, and which reply is whose.
 *
 * Invariants: C1 every call ends exactly once: by its reply, by an error, at its deadline, or when the client is closed; C2 a
 * reply is matched by the id that the relay echoes; one without id answers the oldest call that was sent, as with the original
 * relay, which knew no ids but kept the order.
 */
import { isObject, type Json, type JsonObject } from "../core/json.ts";

/** A call that the relay refused, or whose fate is unknown. */
export class BrainError extends Error {
  override readonly name = "BrainError";
  /** The relay's code where it gave one; `Lost`, `TimedOut`, `Busy` and `Closed` are the client's own. */
  readonly code: string | undefined;
  /** The whole refusal. */
  readonly reply: JsonObject;

  constructor(message: string, code: string | undefined, reply: JsonObject = {}) {
    super(message);
    this.code = code;
    this.reply = reply;
  }
}

export interface Call {
  readonly id: string;
  readonly text: string;
  /** Doing it again does no harm: after a loss it is sent once more. */
  readonly isRepeatable: boolean;
  isSent: boolean;
  readonly deadline: number;
  resolve(reply: JsonObject): void;
  reject(error: BrainError): void;
}

/** Calls that may wait at a time. */
export const CALLS_MAX = 10_000;

export class Calls {
  /** In the order in which they were made. */
  readonly #open = new Map<string, Call>();
  #isClosed = false;

  /** False when it was rejected at once. */
  add(call: Call): boolean {
    if (this.#isClosed) call.reject(closed());
    else if (this.#open.size >= CALLS_MAX) call.reject(new BrainError(`more than ${CALLS_MAX} calls wait`, "Busy"));
    else this.#open.set(call.id, call);
    return this.#open.has(call.id);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Those that have to be sent, oldest first. */
  unsent(): readonly Call[] {
    return [...this.#open.values()].filter(({ isSent }) => !isSent);
  }

  /** Ends the call that a reply belongs to; false when there is none. */
  settle(reply: JsonObject): boolean {
    const { request_id: id, error, code } = reply;
    const call = typeof id === "string" ? this.#open.get(id) : this.#oldestSent();
    if (call === undefined) return false;
    this.#open.delete(call.id);
    if (typeof error !== "string") call.resolve(reply);
    else call.reject(new BrainError(error, typeof code === "string" ? code : undefined, reply));
    return true;
  }

  /** The connection is gone: what was sent and must not be done twice has an unknown fate, the rest is sent again. */
  lose(): void {
    for (const call of [...this.#open.values()].filter(({ isSent }) => isSent)) {
      call.isSent = false;
      if (!call.isRepeatable) this.#end(call, new BrainError("the connection was lost before the reply came", "Lost"));
    }
  }

  /** Ends the calls that waited too long. */
  expire(now: number): void {
    for (const call of [...this.#open.values()]) {
      if (call.deadline <= now) this.#end(call, new BrainError("the relay did not answer in time", "TimedOut"));
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#open.values()]) this.#end(call, closed());
  }

  #oldestSent(): Call | undefined {
    return [...this.#open.values()].find(({ isSent }) => isSent);
  }

  #end(call: Call, error: BrainError): void {
    this.#open.delete(call.id);
    call.reject(error);
  }
}

const closed = (): BrainError => new BrainError("the client is closed", "Closed");

/** A frame as a JSON object, or undefined. */
export function objectIn(frame: unknown): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(String(frame));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
