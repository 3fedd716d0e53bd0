/** The seeds of every test run. For more: `bun tests/simulation/main.ts --seeds 1000 --from 1000`. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { failureReport } from "./failure-report.ts";
import { simulate } from "./run.ts";

const SEEDS = 200;
const AT_A_TIME = 25;

for (let from = 1; from <= SEEDS; from += AT_A_TIME) {
  const to = from + AT_A_TIME - 1;
  test(`SI1 SI2 SI3 SI4 SI5 SI6 SI7 SI11 seeds ${from} to ${to} violate no invariant`, async () => {
    const failures: string[] = [];
    for (let seed = from; seed <= to; seed++) {
      const played = await simulate({ seed });
      if (played.violations.length > 0) failures.push(failureReport(played));
    }
    check.that(failures.length === 0, failures.join("\n"));
  }, { timeoutMs: 60_000 });
}
