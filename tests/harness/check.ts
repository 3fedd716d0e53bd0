/** What tests claim. One vocabulary for every runner. */
import assert from "node:assert/strict";

export const check = {
  /** Both are equal, deeply and in type. */
  equal: <T>(actual: T, expected: T, claim = "what is, and what should be"): void => {
    try {
      assert.deepEqual(actual, expected);
    } catch (error) {
      throw error instanceof Error ? new Error(`${claim}: ${error.message}`, { cause: error }) : error;
    }
  },
  /** It is truthy. */
  that: (holds: unknown, claim = "it does not hold"): asserts holds => assert.ok(holds, claim),
  match: (text: string, pattern: RegExp): void => assert.match(text, pattern),
  throws: (run: () => unknown, pattern: RegExp): void => assert.throws(run, pattern),
  rejects: (promise: Promise<unknown>, pattern: RegExp): Promise<void> => assert.rejects(promise, pattern),
};
