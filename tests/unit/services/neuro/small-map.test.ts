/** A map for few entries, compared with `Map`. */
import { test } from "#runner";
import fc from "fast-check";
import { SmallMap } from "../../../../src/services/neuro/small-map.ts";
import { check } from "../../../harness/check.ts";

const key = fc.constantFrom("", "a", "b", "c");
const step = fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }), isDelete: fc.boolean() });

test("a SmallMap answers as a Map does after any sequence of sets and deletes", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
    const small = new SmallMap<string, number | undefined>();
    const map = new Map<string, number | undefined>();
    for (const { key, value, isDelete } of steps) {
      for (const table of [small, map]) {
        if (isDelete) table.delete(key);
        else table.set(key, value);
      }
      check.equal(small.size, map.size);
      check.equal([...small.keys()], [...map.keys()]);
      check.equal([...small.values()], [...map.values()]);
      for (const asked of ["", "a", "b", "c"]) {
        check.equal(small.get(asked), map.get(asked));
        check.equal(small.has(asked), map.has(asked));
      }
    }
  }));
});

test("entries that are deleted during iteration are not visited again, and all others are", () => {
  for (const names of [["a"], ["a", "b", "c"]]) {
    const small = new SmallMap<string, string>();
    for (const name of names) small.set(name, name);
    const visited: string[] = [];
    for (const name of small.values()) {
      visited.push(name);
      small.delete(name);
    }
    check.equal(visited, names);
    check.equal(small.size, 0);
  }
});

test("the only value is known until there is a second one", () => {
  const small = new SmallMap<string, string>();
  check.equal(small.only(), undefined);
  small.set("a", "1");
  check.equal(small.only(), "1");
  small.set("b", "2");
  check.equal(small.only(), undefined);
});
