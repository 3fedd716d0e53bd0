/** The last results of each integration: whether it is failing now. */
import type { Millis } from "../../core/ids.ts";
import { shorten } from "../../core/text.ts";

/** Results of each integration that are considered. */
const RESULTS_MAX = 10;
/** From this many failures among them on it counts as failing. */
const FAILURES_MIN = 3;
/** A failure is news for this long. */
const NEWS_MS: Millis = 5 * 60_000;
const INTEGRATIONS_MAX = 1_000;
const MESSAGE_MAX = 200;

interface Results {
  /** True for a success; the oldest first. */
  readonly outcomes: boolean[];
  failedAt: Millis;
  message: string;
}

export class RecentResults {
  readonly #results = new Map<string, Results>();

  record(id: string, isSuccess: boolean, message: string, at: Millis): void {
    const results = this.#results.get(id) ?? { outcomes: [], failedAt: -Infinity, message: "" };
    this.#results.delete(id);
    this.#results.set(id, results);
    results.outcomes.push(isSuccess);
    if (results.outcomes.length > RESULTS_MAX) results.outcomes.shift();
    if (!isSuccess) {
      results.failedAt = at;
      results.message = shorten(message, MESSAGE_MAX);
    }
    const [oldest] = this.#results.keys();
    if (this.#results.size > INTEGRATIONS_MAX && oldest !== undefined) this.#results.delete(oldest);
  }

  /** How many of its last results are failures; undefined while that is no trouble. */
  failing(id: string, now: Millis): { readonly failed: number; readonly of: number } | undefined {
    const results = this.#results.get(id);
    if (results === undefined || now - results.failedAt > NEWS_MS) return undefined;
    const failed = results.outcomes.filter((isSuccess) => !isSuccess).length;
    return failed < FAILURES_MIN ? undefined : { failed, of: results.outcomes.length };
  }

  /** The message of its last failure; empty if there was none. */
  lastFailure(id: string): string {
    return this.#results.get(id)?.message ?? "";
  }

  clear(): void {
    this.#results.clear();
  }
}
