import { seededRandom } from "../core/random.ts";

/** Seeded random choices for fakes and tests: the same seed makes the same choices on every runtime. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  /** A fraction from 0 up to, not including, 1. */
  fraction(): number {
    return this.#next();
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.#next() * (max - min + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** One of the arguments. */
  pick<T>(...from: readonly [T, ...T[]]): T {
    return from[this.between(0, from.length - 1)] ?? from[0];
  }

  /** One item of a list, or undefined if the list is empty. */
  oneOf<T>(from: readonly T[]): T | undefined {
    return from[this.between(0, from.length - 1)];
  }

  /** A generator with its own sequence, so that the draws of one participant do not change those of another. */
  branch(): Random {
    return new Random(this.between(0, 0xffff_ffff));
  }
}
