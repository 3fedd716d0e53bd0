/** What the benchmarks of running relays share. */
import type { Subject } from "./subject.ts";
import type { Trips } from "./scenarios.ts";

/** Why this number: code is compiled in steps, the last of which comes after some ten thousand runs. */
const WARM_UP_COUNT = 60_000;
export const WARM_UP_MS = 500;

export async function warmUp(run: () => Promise<Trips>): Promise<void> {
  for (let count = 0; count < WARM_UP_COUNT;) count += (await run()).perSecond * WARM_UP_MS / 1_000;
}

/** A relay in this folder, which is started with its ports and `more`. */
export const yardstick = (name: string, file: string, more: readonly string[] = []): Subject => ({
  name,
  command: (
    { game, upstream },
  ) => [process.execPath, `tests/bench/${file}`, String(game), `ws://127.0.0.1:${upstream}`, ...more],
});

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
export const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
