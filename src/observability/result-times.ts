/**
 * How long the results of each integration take.
 *
 * Invariant: the first `INTEGRATIONS_MAX` integrations have a histogram of their own, all later ones share one, so what is kept does not
 * grow. The order never changes, so a series does not lose what it has counted.
 */
import { Histogram, type MetricFamily } from "./metric-registry.ts";

/** The most that `limits.metric_integrations` can be. */
const INTEGRATIONS_MAX = 500;

/** Seconds. Few, because each is a series of each integration. Neuro gives up on an action after 20 s. */
export const RESULT_BOUNDS: readonly number[] = [0.05, 0.25, 1, 2.5, 5, 10, 20];

export const OTHER = "other";

/** Results that wait to be counted. */
const UNCOUNTED_MAX = 64;

export class ResultTimes {
  readonly #of = new Map<string, Histogram>();
  readonly #others = new Histogram(RESULT_BOUNDS);
  /** Results that are not in a histogram yet: their integrations and times. */
  readonly #uncountedOf: string[] = [];
  readonly #uncounted: number[] = [];

  /** Why they are counted together: the histogram of each is in memory that nothing else has read just now. */
  record(integration: string, seconds: number): void {
    this.#uncountedOf.push(integration);
    if (this.#uncounted.push(seconds) >= UNCOUNTED_MAX) this.#countAll();
  }

  #countAll(): void {
    for (const [at, integration] of this.#uncountedOf.entries()) this.#count(integration, this.#uncounted[at] ?? 0);
    this.#uncountedOf.length = 0;
    this.#uncounted.length = 0;
  }

  #count(integration: string, seconds: number): void {
    let times = this.#of.get(integration);
    if (times === undefined) {
      times = this.#of.size < INTEGRATIONS_MAX ? new Histogram(RESULT_BOUNDS) : this.#others;
      if (times !== this.#others) this.#of.set(integration, times);
    }
    times.observe(seconds);
  }

  /** Writes them into a family, for the first `max` integrations one by one. */
  fill(family: MetricFamily<Histogram>, max: number, hide: (name: string) => string): void {
    this.#countAll();
    family.clear();
    let shown = 0;
    for (const [name, times] of this.#of) family.labels(shown++ < max ? hide(name) : OTHER).add(times);
    if (this.#others.count > 0) family.labels(OTHER).add(this.#others);
  }
}
