import { test } from "#runner";
import { check } from "../../../harness/check.ts";
import { ClusterSimulation, type WholeMutation } from "./simulation.ts";

const SEEDS = 8;
/** A mutant is found by one seed in ten or so. */
const MUTANT_SEEDS = 100;

test(
  "CN43 whatever happens to processes, machines, clocks, Redis and the connections between nodes: Neuro hears one owner at a time, nothing queued is lost, and in the end each relay runs",
  async () => {
    let [frames, speakers] = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const simulation = new ClusterSimulation(seed);
      check.equal(await simulation.run(), [], `seed ${seed}`);
      frames += simulation.frames;
      speakers += simulation.speakers;
    }
    check.that(frames > 50 * SEEDS && speakers > 2 * SEEDS, `${frames} writes to Neuro by ${speakers} owners`);
  },
  { timeoutMs: 120_000 },
);

/** With the property that each violates. */
const MUTATIONS: readonly [Exclude<WholeMutation, "none">, finds: string][] = [
  ["no-margin", "writes to Neuro after"],
  ["fence-above-batching", "writes to Neuro after"],
  ["unfenced-store", "writes an entry"],
];
for (const [mutation, finds] of MUTATIONS) {
  test(`CN43 the simulation finds a node or a store that is wrong: ${mutation}`, async () => {
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
      const violations = await new ClusterSimulation(seed, mutation).run();
      if (violations.some((text) => text.includes(finds))) return;
    }
    check.that(false, `${MUTANT_SEEDS} seeds find nothing`);
  }, { timeoutMs: 120_000 });
}
