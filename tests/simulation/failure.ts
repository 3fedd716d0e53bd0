/** Says what went wrong in a play, and how to watch it again. */
import type { Play } from "./run.ts";

const SHOWN_MAX = 12;

export function failure({ seed, hash, breaches }: Play): string {
  return [
    `seed ${seed} (${hash}): ${breaches.length} breaches`,
    ...breaches.slice(0, SHOWN_MAX).map((breach) => `  ${breach}`),
    `  again: bun tests/simulation/main.ts --from ${seed} --seeds 1 --trace`,
  ].join("\n");
}
