/** The runner of `deno test`. Suites are written against `#runner`, which is this file there. */

/** Registers a test. The name begins with the id of the rule in `tests/SPEC.md` that it proves, where there is one. */
export function test(name: string, run: () => void | Promise<void>, _options: { readonly timeoutMs?: number } = {}): void {
  Deno.test({ name, fn: run, sanitizeOps: false, sanitizeResources: false });
}
