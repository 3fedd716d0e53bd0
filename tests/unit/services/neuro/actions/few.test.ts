/** A table that nearly always holds one thing, beside the `Map` that it stands for. */
import { test } from "#runner";
import fc from "fast-check";
import { Few } from "../../../../../src/services/neuro/actions/few.ts";
import { check } from "../../../../harness/check.ts";

const key = fc.constantFrom("", "a", "b", "c");
const step = fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }), isDelete: fc.boolean() });

test("it answers as a map does, whatever comes and goes", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
    const few = new Few<string, number | undefined>();
    const map = new Map<string, number | undefined>();
    for (const { key, value, isDelete } of steps) {
      for (const table of [few, map]) {
        if (isDelete) table.delete(key);
        else table.set(key, value);
      }
      check.equal(few.size, map.size);
      check.equal([...few.keys()], [...map.keys()]);
      check.equal([...few.values()], [...map.values()]);
      for (const asked of ["", "a", "b", "c"]) {
        check.equal(few.get(asked), map.get(asked));
        check.equal(few.has(asked), map.has(asked));
      }
    }
  }));
});

test("what is taken out while it is gone through is not met again, and nothing else is left out", () => {
  for (const names of [["a"], ["a", "b", "c"]]) {
    const few = new Few<string, string>();
    for (const name of names) few.set(name, name);
    const met: string[] = [];
    for (const name of few.values()) {
      met.push(name);
      few.delete(name);
    }
    check.equal(met, names);
    check.equal(few.size, 0);
  }
});
