/**
 * How many requests each address may make, whatever their result.
 *
 * Not limited: this machine, because every local program has the same address. Addresses whose clients have shown a valid token may make
 * `limits.requests_per_second`, others a fraction of that.
 *
 * Invariant: at most `ADDRESSES_MAX` addresses are remembered; the one that was first seen longest ago is forgotten first.
 */
import { addressGroup, isLoopback } from "../core/access.ts";
import { type Bucket, bucket, take } from "../core/bucket.ts";
import type { Millis } from "../core/ids.ts";
import type { LimitSettings } from "../core/settings.ts";
import { problemResponse } from "./problem.ts";

const ADDRESSES_MAX = 10_000;
/** The part of the rate that an address without a valid token gets. */
const STRANGERS_DIVISOR = 20;
/** The requests of 2 s may come at once after a pause. */
const BURST_SECONDS = 2;

interface RequestBudget {
  requests: Bucket;
  isKnown: boolean;
}

export class RequestBudgets {
  readonly #budgets = new Map<string, RequestBudget>();

  /** Charges one request. Returns the milliseconds after which the address may make the next one; 0 if it may make this one. */
  charge(address: string, { requests_per_second: rate }: LimitSettings, now: Millis): Millis {
    if (rate === 0 || isLoopback(address)) return 0;
    const { requests, isKnown } = this.#budgetOf(addressGroup(address), rate, now);
    const perSecond = isKnown ? rate : Math.ceil(rate / STRANGERS_DIVISOR);
    return take(requests, { perSecond, burst: perSecond * BURST_SECONDS, now }, 1);
  }

  /** A client of this address has shown a valid token. */
  markKnown(address: string, { requests_per_second: rate }: LimitSettings, now: Millis): void {
    const budget = this.#budgets.get(addressGroup(address));
    if (budget === undefined || budget.isKnown) return;
    budget.isKnown = true;
    budget.requests = bucket(rate * BURST_SECONDS, now);
  }

  #budgetOf(group: string, rate: number, now: Millis): RequestBudget {
    const known = this.#budgets.get(group);
    if (known !== undefined) return known;
    const budget = { requests: bucket(rate * BURST_SECONDS, now), isKnown: false };
    this.#budgets.set(group, budget);
    for (const [oldest] of this.#budgets) {
      if (this.#budgets.size <= ADDRESSES_MAX) break;
      this.#budgets.delete(oldest);
    }
    return budget;
  }
}

/** The answer to a request beyond a limit. The connection ends with it, because what it has sent already would be work as well. */
export const tooManyRequests = (detail: string, retryMs: Millis = 1_000): Response =>
  problemResponse({
    status: 429,
    title: "Too many requests",
    fault: "rateLimit",
    detail,
    headers: { "retry-after": String(Math.ceil(retryMs / 1_000)), connection: "close" },
  });
