/** The violations of a run, and the command that repeats it. */
import type { SimulationResult } from "./run.ts";

const SHOWN_MAX = 12;

export function failureReport({ seed, hash, violations }: SimulationResult): string {
  return [
    `seed ${seed} (${hash}): ${violations.length} violations`,
    ...violations.slice(0, SHOWN_MAX).map((violation) => `  ${violation}`),
    `  repeat: bun tests/simulation/main.ts --from ${seed} --seeds 1 --trace`,
  ].join("\n");
}
