/** No event of the Neuro service costs more because other integrations have retained more. */
import { test } from "#runner";
import { checkFlat } from "../../../harness/flat-cost.ts";
import { SITUATIONS } from "./flat-cost.ts";

for (const situation of SITUATIONS) {
  test(`NB47 the cost of an event is flat: ${situation.what}`, () => checkFlat(situation));
}
