/** The seeds of every test run. For more: `bun tests/simulation/main.ts --seeds 1000 --from 1000`. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { failureReport } from "./failure-report.ts";
import { WITH_POLICIES } from "./participants.ts";
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

test("SI12 with policies the seeds violate no invariant, either", async () => {
  const failures: string[] = [];
  const seen = new Map([["preempted", 0], ["context_replaced", 0], ["integration_unapproved", 0]]);
  const onTrace = (line: string): void => {
    for (const [what, count] of seen) if (line.includes(`"${what}"`)) seen.set(what, count + 1);
  };
  for (let seed = 1; seed <= 10; seed++) {
    const played = await simulate({ seed, settings: WITH_POLICIES, onTrace });
    if (played.violations.length > 0) failures.push(failureReport(played));
  }
  check.that(failures.length === 0, failures.join("\n"));
  check.that([...seen.values()].every((count) => count > 5), JSON.stringify([...seen]));
}, { timeoutMs: 60_000 });
