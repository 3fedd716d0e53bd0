/** Keys that JavaScript does not keep: each is found, and no other text is blamed. */
import { test } from "#runner";
import fc from "fast-check";
import { lostKeysIn } from "../../../src/neuro-api/lost-keys.ts";
import { decodeGame } from "../../../src/neuro-api/decode-game.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { check } from "../../harness/check.ts";

/** An object as the pairs that are written, a list, or a text. */
type Written = string | { readonly list: readonly Written[] } | { readonly pairs: readonly (readonly [string, Written])[] };

const space = (at: number): string => ["", " ", "\n\t"][at % 3] ?? "";

const textOf = (value: Written, at = 0): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if ("list" in value) return `[${value.list.map((item, index) => textOf(item, index)).join(`,${space(at)}`)}]`;
  return `{${
    value.pairs.map(([key, item], index) => `${JSON.stringify(key)}${space(index)}:${textOf(item, index)}`).join(",")
  }}`;
};

/** Whether an object in the value repeats a key, or has keys that JavaScript lists in another order. */
function expected(value: Written): { readonly repeated: boolean; readonly reordered: boolean } {
  if (typeof value === "string") return { repeated: false, reordered: false };
  const inner = ("list" in value ? value.list : value.pairs.map(([, item]) => item)).map(expected);
  const own = "list" in value ? [] : value.pairs.map(([key]) => key);
  const once = [...new Set(own)];
  return {
    repeated: once.length < own.length || inner.some(({ repeated }) => repeated),
    reordered: Object.keys(Object.fromEntries(once.map((key) => [key, 0]))).join("\n") !== once.join("\n") ||
      inner.some(({ reordered }) => reordered),
  };
}

const KEYS = [
  "a",
  "b",
  "0",
  "1",
  "10",
  "9",
  "01",
  "-1",
  "1.5",
  "4294967294",
  "4294967295",
  "__proto__",
  'q"',
  "a\\",
  "é",
  "1 ",
];
const { value: written } = fc.letrec<{ value: Written }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(...KEYS, ":", '":', "{", "[]"),
    fc.record({ list: fc.array(tie("value"), { maxLength: 4 }) }),
    fc.record({ pairs: fc.array(fc.tuple(fc.constantFrom(...KEYS), tie("value")), { maxLength: 5 }) }),
  ),
}));

test("NB121 a repeated key, and whole numbers out of order, are found in every object, whatever its texts are", () => {
  fc.assert(
    fc.property(written, (value) => {
      const text = textOf(value);
      const { repeated, reordered } = lostKeysIn(text);
      const found = { repeated: repeated !== undefined, reordered: reordered !== undefined };
      // Why: a repeated key is not looked at again for its place.
      check.equal(found, expected(value), text);
    }),
    { numRuns: 3_000 },
  );
});

test("NB121 a game's registration with such keys is reported, and an ordinary context is not searched", () => {
  const register = (schema: string): string =>
    `{"command":"actions/register","game":"G","data":{"actions":[{"name":"a","description":"d","schema":${schema}}]}}`;
  const repairs = (frame: string): readonly string[] => {
    const read = decodeGame(frame, DEFAULTS.limits);
    return read.ok ? read.repairs.map(({ hint }) => hint) : [];
  };
  check.match(
    repairs(register('{"type":"object","properties":{"x":{},"x":{}}}'))[0] ?? "",
    /each key of an object once.*: x$/,
  );
  check.match(repairs(register('{"type":"object","properties":{"2":{},"1":{}}}'))[0] ?? "", /whole numbers.*: 1$/);
  check.equal(repairs(register('{"type":"object","properties":{"1":{},"2":{}}}')), []);
  check.equal(repairs('{"command":"context","game":"G","data":{"message":"{\\"a\\":1,\\"a\\":2}","silent":true}}'), []);
  const object = '{"command":"context","game":"G","data":{"message":{"a":1,"a":2},"silent":true}}';
  check.that(repairs(object).some((hint) => hint.includes("each key")));
});
