/** Whether the cost of an event depends on how much is retained. */
import { check } from "./check.ts";

/** Events beside a number of retained items that have nothing to do with them. */
export interface Situation {
  readonly what: string;
  /** Returns a function that handles one event, or a few. */
  prepare(retained: number): () => void;
}

/** Microseconds for one event: the least of several rounds, because everything else that the machine does only adds to it. */
export function costOf(situation: Situation, retained: number, { rounds = 7, events = 40 } = {}): number {
  const run = situation.prepare(retained);
  for (let n = 0; n < events; n++) run();
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    for (let n = 0; n < events; n++) run();
    least = Math.min(least, performance.now() - began);
  }
  return least * 1_000 / events;
}

const FEW = 50;
const MANY = 5_000;
/** A cost that grows with the retained items grows a hundredfold, and one that does not stays far below this, however busy the machine is. */
const RATIO_MAX = 8;
/** Microseconds that are noise. */
const NOISE = 25;
const ATTEMPTS = 4;

/** Fails if an event costs much more beside many retained items than beside few. */
export function checkFlat(situation: Situation): void {
  let costs: readonly number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    costs = [costOf(situation, FEW), costOf(situation, MANY)];
    const [few = 0, many = 0] = costs;
    if (many <= RATIO_MAX * few + NOISE) return;
  }
  const text = costs.map((cost) => `${cost.toFixed(1)} µs`).join(" and ");
  check.that(false, `an event beside ${FEW} and ${MANY} retained items costs ${text}`);
}
