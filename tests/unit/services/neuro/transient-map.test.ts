/** A map for entries that come and go, compared with `Map`. */
import { test } from "#runner";
import fc from "fast-check";
import { TransientMap } from "../../../../src/services/neuro/transient-map.ts";
import { check } from "../../../harness/check.ts";

const key = fc.nat(9);
const step = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      is: fc.constantFrom("set" as const, "delete" as const),
      key,
      value: fc.option(fc.nat(), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("clear" as const) }) },
);

test("a TransientMap answers as a Map does, also after many deletes", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 200, maxLength: 400 }), (steps) => {
      const transient = new TransientMap<number, number | undefined>();
      const map = new Map<number, number | undefined>();
      for (const change of steps) {
        if (change.is === "set") { for (const table of [transient, map]) table.set(change.key, change.value); }
        else if (change.is === "delete") check.equal(transient.delete(change.key), map.delete(change.key));
        else for (const table of [transient, map]) table.clear();
      }
      check.equal([...transient.values()], [...map.values()]);
      check.equal(transient.size, map.size);
      for (let asked = 0; asked < 10; asked++) {
        check.equal([transient.get(asked), transient.has(asked)], [map.get(asked), map.has(asked)]);
      }
    }),
    { numRuns: 50 },
  );
});
