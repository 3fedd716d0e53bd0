/** How often something happens: counts by the second, over the last minutes. */
import type { Millis } from "../../core/ids.ts";

/** Seconds over which "a second" is the mean: less jumps, more lags. */
const MEAN_S = 5;

export class SecondCounts {
  readonly length: number;
  readonly #counts: Float64Array;
  /** The second that each place is of. */
  readonly #seconds: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.#counts = new Float64Array(length);
    this.#seconds = new Float64Array(length).fill(-1);
  }

  /** Something happened so often; what is older than all places is not counted. */
  add(at: Millis, times = 1): void {
    const second = Math.floor(at / 1_000);
    const place = this.#place(second);
    const holds = this.#seconds[place] ?? -1;
    if (holds > second) return;
    if (holds < second) {
      this.#seconds[place] = second;
      this.#counts[place] = 0;
    }
    this.#counts[place] = (this.#counts[place] ?? 0) + times;
  }

  /** As if nothing had happened. */
  clear(): void {
    this.#seconds.fill(-1);
  }

  /** The last seconds that are over, the oldest first. */
  series(now: Millis, length: number = this.length): number[] {
    const last = Math.floor(now / 1_000) - 1;
    return Array.from({ length }, (_, at) => this.#of(last - length + 1 + at));
  }

  /** The mean of the last few seconds. */
  rate(now: Millis): number {
    return this.series(now, MEAN_S).reduce((sum, times) => sum + times, 0) / MEAN_S;
  }

  #of(second: number): number {
    const place = this.#place(second);
    return this.#seconds[place] === second ? this.#counts[place] ?? 0 : 0;
  }

  #place(second: number): number {
    return ((second % this.length) + this.length) % this.length;
  }
}

/** The rate of a counter that is looked at now and then: what came between two looks is spread over the time between them. */
export class CounterRate {
  readonly perSecond: SecondCounts;
  #total: number | undefined;
  #at: Millis = 0;

  constructor(length: number) {
    this.perSecond = new SecondCounts(length);
  }

  /** As if it had never been looked at. */
  clear(): void {
    this.perSecond.clear();
    this.#total = undefined;
  }

  record(total: number, now: Millis): void {
    const [before, from] = [this.#total, this.#at];
    this.#total = total;
    this.#at = now;
    // Why: a counter that went back began anew, and nobody knows when.
    if (before === undefined || total <= before || now <= from) return;
    const first = Math.max(Math.floor(from / 1_000), Math.floor(now / 1_000) - this.perSecond.length + 1);
    const last = Math.max(first, Math.floor(now / 1_000) - 1);
    const each = (total - before) / (last - first + 1);
    for (let second = first; second <= last; second++) this.perSecond.add(second * 1_000, each);
  }
}
