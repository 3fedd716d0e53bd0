/** The runner of `bun test`. Suites are written against `#runner`, which is this file there. */
import { test as bunTest } from "bun:test";

/** Registers a test. The name begins with the id of the rule in `tests/SPEC.md` that it proves, where there is one. */
export function test(name: string, run: () => void | Promise<void>, options: { readonly timeoutMs?: number } = {}): void {
  bunTest(name, run, options.timeoutMs ?? 20_000);
}
