/**
 * `bun run torture cluster`: every fault as often as `FAULTS` says, and one table of the figures. `--fault kill,node` runs some of them,
 * `--rounds 5` each so often. The exit status is 1 when there are violations; times beyond the limits are only listed.
 */
import { argv, exit } from "node:process";
import { parseArgs } from "node:util";
import { hopFigures, LOST_LIMITS, LOST_RELAYS, lostNodeFigures } from "./cluster-figures.ts";
import { type ClusterFigures, type FaultLimits, lateOf, rowOf, tableOf, violationsOf } from "./cluster-report.ts";
import { type ClusterFault, FAULTS, tortureCluster } from "./cluster.ts";

const NODE = "node";
const NODE_ROUNDS = 3;
const { values: options } = parseArgs({
  args: argv.slice(2).filter((word) => word !== "cluster"),
  options: {
    rounds: { type: "string" },
    fault: { type: "string" },
    relays: { type: "string", default: String(LOST_RELAYS) },
  },
});
const known = [...Object.keys(FAULTS) as ClusterFault[], NODE] as const;
const wanted = options.fault?.split(",") ?? known;
const unknown = wanted.filter((name) => !known.some((fault) => fault === name));
if (unknown.length > 0) {
  console.error(`no such fault: ${unknown.join(", ")}; the faults are ${known.join(", ")}`);
  exit(2);
}
const all: ClusterFigures[] = [];
const violations: string[] = [];
const late: string[] = [];

function take(figures: ClusterFigures, limits: FaultLimits): void {
  all.push(figures);
  violations.push(...violationsOf(figures, limits));
  late.push(...lateOf(figures, limits));
  console.log(rowOf(figures));
}

for (const fault of known.filter((name) => wanted.includes(name))) {
  if (fault === NODE) {
    const rounds = Number(options.rounds ?? NODE_ROUNDS);
    take(await lostNodeFigures(Number(options.relays), { rounds }), LOST_LIMITS);
  } else take(await tortureCluster(fault, { rounds: Number(options.rounds ?? FAULTS[fault].rounds) }), FAULTS[fault]);
}
const { ownerMs, otherMs } = await hopFigures();
console.log(`\n${tableOf(all)}`);
console.log(`\na request at the owner: ${ownerMs.toFixed(2)} ms, at another node: ${otherMs.toFixed(2)} ms (medians)`);
if (late.length > 0) console.log(`\nlate:\n${late.join("\n")}`);
console.log(violations.length === 0 ? "\nno violations" : `\n${violations.join("\n")}`);
exit(violations.length === 0 ? 0 : 1);
