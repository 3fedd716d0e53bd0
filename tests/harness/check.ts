/** The assertions of all tests, the same under every runner. */
import assert from "node:assert/strict";

export interface Check {
  /** Both are equal, deeply and in type. */
  equal<T>(actual: T, expected: T, claim?: string): void;
  /** The value is truthy. */
  that(holds: unknown, claim?: string): asserts holds;
  match(text: string, pattern: RegExp): void;
  throws(run: () => unknown, pattern: RegExp): void;
  rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void>;
}

// Why the annotation: `that` can narrow types only if its type is declared explicitly.
export const check: Check = {
  equal(actual, expected, claim) {
    try {
      assert.deepEqual(actual, expected);
    } catch (error) {
      // Why: a message passed to `deepEqual` would replace the difference.
      if (claim !== undefined && error instanceof Error) error.message = `${claim}\n${error.message}`;
      throw error;
    }
  },
  that: (holds, claim = "the condition is false") => assert.ok(holds, claim),
  match: (text, pattern) => assert.match(text, pattern),
  throws: (run, pattern) => assert.throws(run, pattern),
  rejects: (promise, pattern) => assert.rejects(promise, pattern),
};
