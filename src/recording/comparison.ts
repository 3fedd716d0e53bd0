/** Compares the recorded facts with those of the replay: facts that agree, differ, are missing or are extra. */
import { canonicalJson } from "../core/json.ts";
import type { Fact } from "./neuro-facts.ts";

export interface Difference {
  readonly is: "missing" | "extra" | "different";
  /** The key of the fact. */
  readonly what: string;
  readonly recorded?: string;
  readonly now?: string;
}

/** Further differences are only counted. */
const DIFFERENCES_MAX = 1_000;

/** A recorded fact, and whether it has happened again. */
export interface ExpectedFact {
  readonly fact: Fact;
  /** The content as text, which is equal for equal content. */
  readonly canonical: string;
  hasCome: boolean;
}

export class Comparison {
  readonly #open = new Map<string, ExpectedFact[]>();
  readonly #expected: ExpectedFact[] = [];
  readonly #differences: Difference[] = [];
  #differenceCount = 0;
  #agreed = 0;
  #missing = 0;

  /** Adds a recorded fact, in order. */
  expect(fact: Fact): ExpectedFact {
    const expected: ExpectedFact = { fact, canonical: canonicalJson(fact.content), hasCome: false };
    this.#expected.push(expected);
    this.#missing++;
    const sameKey = this.#open.get(fact.key);
    if (sameKey === undefined) this.#open.set(fact.key, [expected]);
    else sameKey.push(expected);
    return expected;
  }

  /** Adds a fact that happened. It meets the first expected fact with the same key and content, or else the first with the same key. */
  add(fact: Fact): void {
    const open = this.#open.get(fact.key) ?? [];
    const canonical = canonicalJson(fact.content);
    const [first] = open;
    if (first === undefined) return this.#differ({ is: "extra", what: fact.key, now: canonical });
    const equal = open.find((expected) => expected.canonical === canonical);
    const met = equal ?? first;
    met.hasCome = true;
    this.#missing--;
    open.splice(open.indexOf(met), 1);
    if (equal !== undefined) this.#agreed++;
    else this.#differ({ is: "different", what: fact.key, recorded: met.canonical, now: canonical });
  }

  /** Every recorded fact has happened. */
  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** The number of facts that agree. */
  get agreed(): number {
    return this.#agreed;
  }

  /** The number of facts that do not agree, including those that are missing so far. */
  get differing(): number {
    return this.#differenceCount + this.#missing;
  }

  /** At most `DIFFERENCES_MAX`, in the order in which they happened; missing facts come last. */
  differences(): readonly Difference[] {
    const missing = this.#expected.filter(({ hasCome }) => !hasCome).map(({ fact, canonical }): Difference => ({
      is: "missing",
      what: fact.key,
      recorded: canonical,
    }));
    return [...this.#differences, ...missing].slice(0, DIFFERENCES_MAX);
  }

  #differ(difference: Difference): void {
    this.#differenceCount++;
    if (this.#differences.length < DIFFERENCES_MAX) this.#differences.push(difference);
  }
}
