/** What was expected of the other side and what came: the same, something else, nothing, or more. */
import { canonicalJson } from "../core/json.ts";
import type { Fact } from "./messages.ts";

/** One thing that was not as it had been recorded. */
export interface Difference {
  readonly is: "missing" | "extra" | "different";
  readonly what: string;
  readonly recorded?: string;
  readonly now?: string;
}

/** Differences that are kept; more are counted only. */
const KEPT_MAX = 1_000;

/** A fact that was recorded, and whether it has come again. */
export interface Expected {
  readonly fact: Fact;
  /** Its content as text that is equal for equal content. */
  readonly says: string;
  hasCome: boolean;
}

export class Comparison {
  readonly #open = new Map<string, Expected[]>();
  readonly #expected: Expected[] = [];
  readonly #differences: Difference[] = [];
  #count = 0;
  #agreed = 0;
  #missing = 0;

  /** Adds what was recorded, in order. */
  expect(fact: Fact): Expected {
    const expected: Expected = { fact, says: canonicalJson(fact.says), hasCome: false };
    this.#expected.push(expected);
    this.#missing++;
    const same = this.#open.get(fact.key);
    if (same === undefined) this.#open.set(fact.key, [expected]);
    else same.push(expected);
    return expected;
  }

  /** Something came: the first recorded one that says the same, else the first about the same, is ticked off. */
  heard(fact: Fact): void {
    const open = this.#open.get(fact.key) ?? [];
    const says = canonicalJson(fact.says);
    const [first] = open;
    if (first === undefined) return this.#differ({ is: "extra", what: fact.key, now: says });
    const same = open.find((expected) => expected.says === says);
    const met = same ?? first;
    met.hasCome = true;
    this.#missing--;
    open.splice(open.indexOf(met), 1);
    if (same !== undefined) this.#agreed++;
    else this.#differ({ is: "different", what: fact.key, recorded: met.says, now: says });
  }

  /** Nothing that was recorded is still to come. */
  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** How many facts were as recorded. */
  get agreed(): number {
    return this.#agreed;
  }

  /** How many were not, with those that are missing if nothing more comes. */
  get differing(): number {
    return this.#count + this.#missing;
  }

  /** As far as they are kept, in the order in which they showed; what never came stands at the end. */
  differences(): readonly Difference[] {
    const missing = this.#expected.filter(({ hasCome }) => !hasCome).map(({ fact, says }): Difference => ({
      is: "missing",
      what: fact.key,
      recorded: says,
    }));
    return [...this.#differences, ...missing].slice(0, KEPT_MAX);
  }

  #differ(difference: Difference): void {
    this.#count++;
    if (this.#differences.length < KEPT_MAX) this.#differences.push(difference);
  }
}
