/** What tests claim. One vocabulary for every runner. */
import assert from "node:assert/strict";

export interface Check {
  /** Both are equal, deeply and in type. */
  equal<T>(actual: T, expected: T, claim?: string): void;
  /** It is truthy. */
  that(holds: unknown, claim?: string): asserts holds;
  match(text: string, pattern: RegExp): void;
  throws(run: () => unknown, pattern: RegExp): void;
  rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void>;
}

// Why the type is written out: without it no call could narrow what it claims.
export const check: Check = {
  equal(actual, expected, claim) {
    try {
      assert.deepEqual(actual, expected);
    } catch (error) {
      // Why: a message of our own would take the place of the difference.
      if (claim !== undefined && error instanceof Error) error.message = `${claim}\n${error.message}`;
      throw error;
    }
  },
  that: (holds, claim = "it does not hold") => assert.ok(holds, claim),
  match: (text, pattern) => assert.match(text, pattern),
  throws: (run, pattern) => assert.throws(run, pattern),
  rejects: (promise, pattern) => assert.rejects(promise, pattern),
};
