/** Where a text stops being JSON. */
import { test } from "#runner";
import fc from "fast-check";
import { jsonErrorIn } from "../../../../src/dashboard/lib/json-error.ts";
import { check } from "../../../harness/check.ts";

test("DB19 an error in a text of JSON has its line and column", () => {
  const cases: readonly (readonly [text: string, line: number, column: number])[] = [
    ["", 1, 1],
    [`{"a":1,}`, 1, 8],
    [`{"a" 1}`, 1, 6],
    [`{\n  "a": tru\n}`, 2, 8],
    [`[1,\n 2,,3]`, 2, 4],
    [`{"a":"\n"}`, 1, 6],
    ["[1] 2", 1, 5],
    ["{'a':1}", 1, 2],
    ["[01]", 1, 3],
    ['{"a":[}', 1, 7],
  ];
  for (const [text, line, column] of cases) {
    const error = jsonErrorIn(text);
    check.equal([error?.line, error?.column], [line, column], JSON.stringify(text));
  }
});

test("DB19 exactly the texts that are no JSON have an error", () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", "]", '"', "x", "\\", "\n")).map((
    [text, at, part],
  ) => text.slice(0, at % (text.length + 1)) + part + text.slice((at % (text.length + 1)) + 1));
  fc.assert(fc.property(fc.oneof(fc.json(), broken), (text) => isJson(text) === (jsonErrorIn(text) === undefined)), {
    numRuns: 500,
  });
});
