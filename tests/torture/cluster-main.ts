/** `bun run torture cluster --rounds 20 --fault kill,stop,part,term`: prints the figures; the exit status is 1 when there are violations. */
import { argv, exit } from "node:process";
import { parseArgs } from "node:util";
import { CLUSTER_TITLES, type ClusterFault, clusterRow, clusterViolations, tortureCluster } from "./cluster.ts";

const { values: options } = parseArgs({
  args: argv.slice(2).filter((word) => word !== "cluster"),
  options: { rounds: { type: "string", default: "20" }, fault: { type: "string", default: "kill,stop,part,term" } },
});
const violations: string[] = [];
const rows: (readonly string[])[] = [];
for (const fault of options.fault.split(",") as ClusterFault[]) {
  const figures = await tortureCluster(fault, Number(options.rounds));
  rows.push(clusterRow(fault, figures));
  violations.push(...clusterViolations(fault, figures));
  console.log(rows.at(-1)?.join(" | "));
}
console.log(`\n| ${CLUSTER_TITLES.join(" | ")} |\n|${CLUSTER_TITLES.map(() => " --- |").join("")}`);
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
console.log(violations.length === 0 ? "\nno violations" : `\n${violations.join("\n")}`);
exit(violations.length === 0 ? 0 : 1);
