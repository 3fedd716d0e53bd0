/** `bun tests/unit/cluster/whole/main.ts [--seeds N] [--from N] [--mutation NAME]`: simulates whole clusters. */
import { parseArgs } from "node:util";
import { ClusterSimulation, type WholeMutation } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    mutation: { type: "string", default: "none" },
  },
});
let [failed, frames, speakers] = [0, 0, 0];
const began = performance.now();
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed++) {
  const simulation = new ClusterSimulation(seed, values.mutation as WholeMutation);
  if (values.trace) simulation.onTrace = (line) => console.log(line);
  const violations = await simulation.run();
  frames += simulation.frames;
  speakers += simulation.speakers;
  if (violations.length === 0) continue;
  failed++;
  console.log(`seed ${seed}:\n  ${violations.slice(0, 8).join("\n  ")}`);
}
const seconds = (performance.now() - began) / 1_000;
console.log(
  `${values.seeds} seeds in ${seconds.toFixed(1)} s: ${failed} failed; ${frames} writes to Neuro by ${speakers} speakers`,
);
process.exit(failed > 0 ? 1 : 0);
