/** `bun run torture cluster --rounds 20 --fault kill,stop,part,term`: prints the figures; the exit status is 1 when there are violations. */
import { argv, exit } from "node:process";
import { parseArgs } from "node:util";
import { hopFigures, moveFigures } from "./cluster-figures.ts";
import { CLUSTER_TITLES, type ClusterFault, clusterRow, clusterViolations, tortureCluster } from "./cluster.ts";

const { values: options } = parseArgs({
  args: argv.slice(2).filter((word) => word !== "cluster"),
  options: {
    rounds: { type: "string", default: "20" },
    fault: { type: "string", default: "kill,stop,part,term" },
    relays: { type: "string", default: "300" },
  },
});
const violations: string[] = [];
const rows: (readonly string[])[] = [];
for (const fault of options.fault.split(",").filter((name) => name !== "") as ClusterFault[]) {
  const figures = await tortureCluster(fault, Number(options.rounds));
  rows.push(clusterRow(fault, figures));
  violations.push(...clusterViolations(fault, figures));
  console.log(rows.at(-1)?.join(" | "));
}
console.log(`\n| ${CLUSTER_TITLES.join(" | ")} |\n|${CLUSTER_TITLES.map(() => " --- |").join("")}`);
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
const { ownerMs, otherMs } = await hopFigures();
console.log(`\na request at the owner: ${ownerMs.toFixed(2)} ms, at another node: ${otherMs.toFixed(2)} ms (medians)`);
const { moved, allMs } = await moveFigures(Number(options.relays));
console.log(
  `${moved} of ${options.relays} relays were on a node that was killed, and on others after ${
    (allMs / 1_000).toFixed(1)
  } s`,
);
console.log(violations.length === 0 ? "\nno violations" : `\n${violations.join("\n")}`);
exit(violations.length === 0 ? 0 : 1);
