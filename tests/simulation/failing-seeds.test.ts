/**
 * Seeds that once failed, and what was seen then. What a seed plays changes with the relay: these keep no single mistake from coming
 * back, they keep what was seen from being forgotten.
 */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { failureReport } from "./failure-report.ts";
import { simulate } from "./run.ts";

const FAILED_SEEDS: readonly (readonly [seed: number, what: string])[] = [
  [11, "a force that had ended stayed open at Neuro, for others shared its names"],
  [32, "a game that had come back by another connection waited for its force for ever"],
  [50, "Neuro had an action that its game had taken away before it came back"],
  [61, "a key was written twice, after a write that failed and a panic"],
  [129, "Neuro had an action that its game had taken away while its connection was dying"],
  [68, "an older force was asked in place of a newer one, whose write waited for the older one's"],
  [161, "a key was written twice, and a force with it was lost"],
  [703, "Neuro had an action that its game had taken away, after a takeover and a panic"],
  [193, "a force that waited for a takeover was forgotten in a panic, which is allowed"],
  [1107, "an older force was asked in place of one that waited for a takeover in a panic, which is allowed"],
  [1687, "a force whose write failed, though it had landed, was forgotten in a panic, which is allowed"],
  [19, "Neuro had an action that a copy of its game had taken away while it was not heard, before the game was its own"],
  [410, "a refused message landed after all and came late, which is allowed"],
];

for (const [seed, what] of FAILED_SEEDS) {
  test(`SI10 seed ${seed}: ${what}`, async () => {
    const played = await simulate({ seed });
    check.that(played.violations.length === 0, failureReport(played));
  });
}
