/** Runs many seeds of the membership in virtual time: `bun tests/unit/cluster/main.ts --seeds 10000 --from 1`. */
import { argv, exit } from "node:process";
import { parseArgs } from "node:util";
import { MembersSimulation } from "./simulated-members.ts";

const { values: options } = parseArgs({
  args: argv.slice(2),
  options: { seeds: { type: "string", default: "10000" }, from: { type: "string", default: "1" } },
});
const [from, count] = [Number(options.from), Number(options.seeds)];
let [checks, expirations, failed] = [0, 0, 0];
const began = performance.now();
for (let seed = from; seed < from + count; seed++) {
  const result = new MembersSimulation(seed).run();
  checks += result.checks;
  expirations += result.expirations;
  if (result.violations.length === 0 && result.holding === 4) continue;
  failed++;
  console.log(`seed ${seed}: ${result.holding} of 4 nodes act at the end; ${result.violations.slice(0, 3).join("; ")}`);
}
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
console.log(
  `${count} seeds, ${failed} with violations: ${checks} checks, ${expirations} sessions declared dead, in ${seconds} s`,
);
exit(failed === 0 ? 0 : 1);
