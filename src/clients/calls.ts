/**
 * The calls of a client: which are unanswered, and which call a reply belongs to.
 *
 * Invariants: C1 every call ends exactly once: by its reply, by an error, at its deadline, or when the client is closed; C2 a reply is
 * matched by the id that the relay echoes. A reply without an id answers the oldest call that was sent, because the original relay knew no
 * ids but kept the order.
 */
import { isObject, type Json, type JsonObject } from "../core/json.ts";

/** Makes the error of a call. `Lost`, `TimedOut`, `Busy` and `Closed` are the codes of the client itself. */
export type MakeCallError = (message: string, code: string | undefined, reply: JsonObject) => Error;

export interface Call {
  readonly id: string;
  readonly text: string;
  /** Repeating it does no harm, so it is sent again after a lost connection. */
  readonly isIdempotent: boolean;
  isSent: boolean;
  readonly deadline: number;
  resolve(reply: JsonObject): void;
  reject(error: Error): void;
}

/** Unanswered calls of one client. */
export const CALLS_MAX = 10_000;

export class Calls {
  readonly #errorOf: MakeCallError;
  /** In the order in which they were made. */
  readonly #open = new Map<string, Call>();
  #isClosed = false;

  constructor(errorOf: MakeCallError) {
    this.#errorOf = errorOf;
  }

  /** False when the call was rejected at once. */
  add(call: Call): boolean {
    if (this.#isClosed) this.#reject(call, "the client is closed", "Closed");
    else if (this.#open.size >= CALLS_MAX) {
      this.#reject(call, `${this.#open.size} calls are unanswered; at most ${CALLS_MAX} may be`, "Busy");
    } else this.#open.set(call.id, call);
    return this.#open.has(call.id);
  }

  get size(): number {
    return this.#open.size;
  }

  /** The calls that have to be sent, oldest first. */
  unsent(): readonly Call[] {
    return [...this.#open.values()].filter(({ isSent }) => !isSent);
  }

  /** Ends the call that a reply belongs to. False if no call matches. */
  settle(reply: JsonObject): boolean {
    const { request_id: id, error, code } = reply;
    const call = typeof id === "string" ? this.#open.get(id) : this.#oldestSent();
    if (call === undefined) return false;
    this.#open.delete(call.id);
    if (typeof error !== "string") call.resolve(reply);
    else this.#reject(call, error, typeof code === "string" ? code : undefined, reply);
    return true;
  }

  /**
   * The connection was lost: sent calls that are not idempotent have an unknown outcome, all others are sent again. If the relay closed it
   * because of a frame, the largest call (1009) or all of them (1007) may be the cause and are not sent again.
   */
  connectionLost(code: number): void {
    const sent = [...this.#open.values()].filter(({ isSent }) => isSent);
    const largest = sent.reduce((length, { text }) => Math.max(length, text.length), 0);
    for (const call of sent) {
      call.isSent = false;
      const { length } = call.text;
      if (code === 1007 || (code === 1009 && length === largest)) {
        const reason =
          `the relay closed the connection (${code}), probably because of this request of ${length} characters`;
        this.#reject(call, reason, code === 1009 ? "tooBig" : "badMessage");
      } else if (!call.isIdempotent) this.#reject(call, "the connection was lost before the reply", "Lost");
    }
  }

  /** Ends the calls whose deadline has passed. */
  expire(now: number): void {
    for (const call of [...this.#open.values()]) {
      if (call.deadline <= now) this.#reject(call, "the relay did not answer in time", "TimedOut");
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#open.values()]) this.#reject(call, "the client is closed", "Closed");
  }

  #oldestSent(): Call | undefined {
    return [...this.#open.values()].find(({ isSent }) => isSent);
  }

  #reject(call: Call, message: string, code: string | undefined, reply: JsonObject = {}): void {
    this.#open.delete(call.id);
    call.reject(this.#errorOf(message, code, reply));
  }
}

/** A frame as a JSON object, or undefined. */
export function objectIn(frame: unknown): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(String(frame));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The value if it is an object, otherwise an empty object. */
export const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
