/** No event of the Brain visits more items because more are retained. */
import { test } from "#runner";
import { checkFlatVisits } from "../../../harness/visits.ts";
import { SITUATIONS } from "./flat-cost.ts";

for (const situation of SITUATIONS) {
  test(`BR100 an event visits a bounded number of items: ${situation.what}`, () => checkFlatVisits(situation));
}
