/** `bun run bench retained`: microseconds for one event, beside 10 to 10,000 retained items that have nothing to do with it. */
import { costOf } from "../harness/flat-cost.ts";
import { SITUATIONS as BRAIN } from "../unit/services/brain/flat-cost.ts";
import { SITUATIONS as INTERMEDIARY } from "../unit/services/intermediary/flat-cost.ts";
import { SITUATIONS as NEURO } from "../unit/services/neuro/flat-cost.ts";

const COUNTS = [10, 100, 1_000, 10_000];

console.log(
  `${COUNTS.map((count) => String(count).padStart(10)).join("")}  retained items`,
);
for (const situation of [...NEURO, ...INTERMEDIARY, ...BRAIN]) {
  const costs = COUNTS.map((count) => costOf(situation, count).toFixed(1).padStart(10));
  console.log(`${costs.join("")}  ${situation.what}`);
}
