/** What the floor counts for its metrics. */

/** Seconds, as the relay has them. */
export const RESULT_BOUNDS: readonly number[] = [0.05, 0.25, 1, 2.5, 5, 10, 20];

export class Histogram {
  readonly #bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = [...bounds.map(() => 0), 0];
  }

  observe(seconds: number): void {
    let at = 0;
    while (at < this.#bounds.length && seconds > (this.#bounds[at] ?? Infinity)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += seconds;
  }
}

/** Messages by direction, counterpart and kind. Why fields: each is counted at one place, which knows its name. */
export class Counts {
  actionsIn = 0;
  actionsOut = 0;
  resultsIn = 0;
  resultsOut = 0;
  contextsIn = 0;
  contextsOut = 0;
  othersIn = 0;
  unreadable = 0;
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Results by who answered, successes and failures. */
  successes = 0;
  failures = 0;
  deadlines = 0;
  /** Ignored results, by the reason. */
  readonly ignored = { late: 0, twice: 0, foreign: 0, unknown: 0 };
  refused = 0;
  panics = 0;
  /** Observations that nobody read. */
  unread = 0;
  readonly latency = new Histogram(RESULT_BOUNDS);
}
