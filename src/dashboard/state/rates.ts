/** Rates: counts per second over the last minutes. */
import type { Millis } from "../../core/ids.ts";

/** A rate is the mean of this many seconds: fewer make it jump, more make it lag. */
const MEAN_S = 5;

export class SecondCounts {
  readonly length: number;
  /** The latest second with a count; -1 without any. */
  #latest = -1;
  readonly #counts: Float64Array;
  /** The second that each count belongs to. */
  readonly #seconds: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.#counts = new Float64Array(length);
    this.#seconds = new Float64Array(length).fill(-1);
  }

  /** Counts events at one instant. Events older than all counts are ignored. */
  add(at: Millis, times = 1): void {
    const second = Math.floor(at / 1_000);
    const index = this.#indexOf(second);
    const counted = this.#seconds[index] ?? -1;
    if (counted > second) return;
    if (counted < second) {
      this.#seconds[index] = second;
      this.#counts[index] = 0;
    }
    this.#counts[index] = (this.#counts[index] ?? 0) + times;
    this.#latest = Math.max(this.#latest, second);
  }

  /** True if nothing was counted in the last seconds. */
  isQuiet(now: Millis, seconds: number = this.length): boolean {
    return this.#latest < Math.floor(now / 1_000) - seconds;
  }

  /** Forgets all counts. */
  clear(): void {
    this.#seconds.fill(-1);
    this.#latest = -1;
  }

  /** The last complete seconds, the oldest first. */
  series(now: Millis, length: number = this.length): number[] {
    const last = Math.floor(now / 1_000) - 1;
    return Array.from({ length }, (_, at) => this.#of(last - length + 1 + at));
  }

  /**
   * The means of groups of seconds, the oldest first. The groups do not depend on `now`, so a chart of them changes only when one is
   * complete.
   */
  means(now: Millis, group: number, length: number): number[] {
    const end = Math.floor(now / 1_000 / group) * group;
    return Array.from({ length }, (_, at) => {
      const first = end - (length - at) * group;
      let sum = 0;
      for (let second = first; second < first + group; second++) sum += this.#of(second);
      return sum / group;
    });
  }

  /** Events per second, the mean of the last five seconds. */
  rate(now: Millis): number {
    return this.series(now, MEAN_S).reduce((sum, times) => sum + times, 0) / MEAN_S;
  }

  #of(second: number): number {
    const index = this.#indexOf(second);
    return this.#seconds[index] === second ? this.#counts[index] ?? 0 : 0;
  }

  #indexOf(second: number): number {
    return ((second % this.length) + this.length) % this.length;
  }
}

/** The rate of a counter that is read now and then: the increase between two readings is spread over the time between them. */
export class CounterRate {
  readonly perSecond: SecondCounts;
  #total: number | undefined;
  #at: Millis = 0;

  constructor(length: number) {
    this.perSecond = new SecondCounts(length);
  }

  /** Forgets all readings. */
  clear(): void {
    this.perSecond.clear();
    this.#total = undefined;
  }

  record(total: number, now: Millis): void {
    const [before, from] = [this.#total, this.#at];
    this.#total = total;
    this.#at = now;
    // Why: a counter that decreased was reset at an unknown time.
    if (before === undefined || total <= before || now <= from) return;
    const first = Math.max(Math.floor(from / 1_000), Math.floor(now / 1_000) - this.perSecond.length + 1);
    const last = Math.max(first, Math.floor(now / 1_000) - 1);
    const each = (total - before) / (last - first + 1);
    for (let second = first; second <= last; second++) this.perSecond.add(second * 1_000, each);
  }
}
