/**
 * Runs many seeds: `bun tests/simulation/main.ts --seeds 1000 --from 5000`; or one seed with all messages and observations:
 * `--from 42 --seeds 1 --trace`. `--without crash,panic` leaves out kinds of faults, to find out which of them a failure needs. `--policies`
 * runs them with policies.
 */
import { argv, exit } from "node:process";
import { parseArgs } from "node:util";
import { failureReport } from "./failure-report.ts";
import { SETTINGS, WITH_POLICIES } from "./participants.ts";
import { FAULT_KINDS, type FaultKind, simulate } from "./run.ts";

const { values: options } = parseArgs({
  args: argv.slice(2),
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    policies: { type: "boolean", default: false },
    without: { type: "string", default: "" },
  },
});
const [from, count] = [Number(options.from), Number(options.seeds)];
const left = options.without.split(",");
const without: readonly FaultKind[] = FAULT_KINDS.filter((kind) => left.includes(kind));
const settings = options.policies ? WITH_POLICIES : SETTINGS;

let failed = 0;
const began = performance.now();
for (let seed = from; seed < from + count; seed++) {
  const played = await simulate({
    seed,
    without,
    settings,
    ...(options.trace && { onTrace: (line) => console.log(line) }),
  });
  if (played.violations.length > 0) failed++;
  if (played.violations.length > 0) console.log(failureReport(played));
  else if (count === 1) console.log(`seed ${seed} (${played.hash}): no violations`);
}
console.log(
  `${count - failed} of ${count} seeds without violations, in ${((performance.now() - began) / 1_000).toFixed(1)} s`,
);
exit(failed === 0 ? 0 : 1);
