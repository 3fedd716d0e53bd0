/** `bun run fuzz --sockets` with a tenth of its inputs. */
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { chaos, RUNTIMES } from "./chaos.ts";

const INPUTS = 30_000;

for (const runtime of RUNTIMES) {
  test(
    `SE43 during chaotic input on all listeners a well-behaved client waits at most 250 ms, and 200 MB suffice (${runtime})`,
    async () => {
      const { counts, trips, violations } = await chaos({ inputs: INPUTS / RUNTIMES.length, seed: 3, runtime });
      check.equal(violations, []);
      for (const [kind, count] of Object.entries(counts)) check.that(count > 0, `no input of the kind ${kind}`);
      for (const [kind, count] of Object.entries(trips)) {
        check.that(count >= 10, `${count} round trips of the kind ${kind}`);
      }
    },
    { timeoutMs: 120_000 },
  );
}
