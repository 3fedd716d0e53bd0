/**
 * Changes that a client repeats because it did not get the response: with the same `Idempotency-Key` they are carried out once, and every
 * repetition gets the first response.
 *
 * Kept in memory, so a restart forgets them.
 *
 * Invariants: Y1 a change with a key is carried out once for each token; Y2 a key that comes with another change is refused; Y3 no more than
 * `limits.idempotency_keys` responses and `KEPT_TEXT_MAX` characters are kept, the latest ones.
 */
import { hashText } from "../../core/hash.ts";
import type { Millis } from "../../core/ids.ts";
import type { Principal } from "../../core/request.ts";
import { type Problem, problemResponse } from "../problem.ts";
import type { RawInput } from "./operation.ts";

/** How long a response is kept. */
const KEPT_MS: Millis = 86_400_000;
/** Characters of all responses that are kept. */
const KEPT_TEXT_MAX = 4_194_304;
/** Printable ASCII without spaces. */
const KEY = /^[!-~]{1,128}$/;

interface KeptResponse {
  readonly fingerprint: string;
  readonly at: Millis;
  readonly response: Promise<Response>;
  length: number;
}

/** A change with a key. */
export interface KeyedChange {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly input: RawInput;
  readonly principal: Principal;
}

export class IdempotentChanges {
  readonly #kept = new Map<string, KeptResponse>();
  #length = 0;

  /** The response to a change: the first one, or that of `run`. */
  async once(
    { key, method, path, input: { query, body }, principal }: KeyedChange,
    { max, now, run }: { readonly max: number; readonly now: Millis; run(): Promise<Response> },
  ): Promise<Response> {
    if (!KEY.test(key)) return problemResponse(INVALID_KEY);
    const id = `${principal.by}\n${key}`;
    const fingerprint = hashText(JSON.stringify([method, path, query, body]));
    this.#dropOld(now);
    const known = this.#kept.get(id);
    if (known !== undefined && known.fingerprint !== fingerprint) return problemResponse(OTHER_CHANGE);
    if (known !== undefined) {
      const response = copyOf(await known.response);
      response.headers.set("idempotency-replayed", "true");
      return response;
    }
    if (max === 0) return await run();
    const kept: KeptResponse = { fingerprint, at: now, response: run(), length: 0 };
    this.#kept.set(id, kept);
    try {
      const response = await kept.response;
      // Why: such a failure is not the result of the change, and the next attempt may succeed.
      if (response.status >= 500 || response.status === 429) this.#drop(id);
      else kept.length = (await response.clone().text()).length;
      this.#length += kept.length;
      this.#bound(max);
      return copyOf(response);
    } catch (error) {
      this.#drop(id);
      throw error;
    }
  }

  #dropOld(now: Millis): void {
    for (const [id, { at }] of this.#kept) {
      if (at + KEPT_MS > now) return;
      this.#drop(id);
    }
  }

  #bound(max: number): void {
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= max && this.#length <= KEPT_TEXT_MAX) return;
      this.#drop(id);
    }
  }

  #drop(id: string): void {
    this.#length -= this.#kept.get(id)?.length ?? 0;
    this.#kept.delete(id);
  }
}

// Why the cast: `clone` of the runtimes' types is not the type of the library.
const copyOf = (response: Response): Response => response.clone() as Response;

const INVALID_KEY: Problem = {
  status: 400,
  title: "Bad request",
  fault: "malformedRequest",
  detail: "`Idempotency-Key` must be 1 to 128 printable ASCII characters without spaces",
};

const OTHER_CHANGE: Problem = {
  status: 422,
  title: "Key in use",
  fault: "idempotencyMismatch",
  detail: "another change was made with this `Idempotency-Key`; use a new one for each change",
};
