/** The runner in workerd: suites are bundled with this as `#runner`, and a request runs the registered tests. */

interface Registered {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

const registered: Registered[] = [];

/** Registers a test. The name begins with the id of the rule in `tests/SPEC.md` that it proves, where there is one. */
export function test(name: string, run: () => void | Promise<void>, _options: { readonly timeoutMs?: number } = {}): void {
  registered.push({ name, run });
}

/** Runs all registered tests and returns the failures. */
export async function runAll(): Promise<{ readonly passed: number; readonly failures: readonly string[] }> {
  const failures: string[] = [];
  for (const { name, run } of registered) {
    try {
      await run();
    } catch (error) {
      failures.push(`${name}\n${error instanceof Error ? error.stack : error}`);
    }
  }
  return { passed: registered.length - failures.length, failures };
}
