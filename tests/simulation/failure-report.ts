/** Says what went wrong in a play, and how to watch it again. */
import type { SimulationResult } from "./run.ts";

const SHOWN_MAX = 12;

export function failureReport({ seed, hash, violations }: SimulationResult): string {
  return [
    `seed ${seed} (${hash}): ${violations.length} breaches`,
    ...violations.slice(0, SHOWN_MAX).map((breach) => `  ${breach}`),
    `  again: bun tests/simulation/main.ts --from ${seed} --seeds 1 --trace`,
  ].join("\n");
}
