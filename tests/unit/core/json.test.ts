/** JSON text from peers: how deep it may be, and when two values are the same. */
import { test } from "#runner";
import fc from "fast-check";
import {
  canonicalJson,
  isNumber,
  isObject,
  isPlain,
  isShallow,
  type Json,
  numberOf,
  parseJson,
} from "../../../src/core/json.ts";
import { check } from "../../harness/check.ts";
import { spelledJson, spelledNumber, SPELLINGS } from "../../harness/spelled-json.ts";

/** The nesting depth of a value, computed in the simple, slow way. */
function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test("a text is shallow exactly when its value is nested no deeper than allowed", () => {
  fc.assert(fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 1, max: 8 }), (text, depthMax) => {
    check.equal(isShallow(text, depthMax), depthOf(JSON.parse(text)) <= depthMax || text.length <= depthMax, text);
  }));
});

test("a plain text is printable ASCII that JSON writes unchanged between quotes, and not long", () => {
  for (let unit = 0; unit < 0x3000; unit++) {
    const text = String.fromCharCode(unit);
    const isUnchanged = JSON.stringify(text) === `"${text}"` && unit < 0x7f;
    for (const [around, whole] of [text, `a${text}`, `${text}b`].entries()) {
      check.equal(isPlain(whole), isUnchanged, `${unit} ${around}`);
    }
  }
  check.equal([isPlain(""), isPlain("a".repeat(256)), isPlain("a".repeat(257))], [true, true, false]);
});

test("brackets inside of strings do not count as nesting, with any escapes around them", () => {
  const brackets = "[{".repeat(40);
  for (const text of [brackets, `\\${brackets}`, `"${brackets}`, `\\"${brackets}\\\\`]) {
    check.that(isShallow(JSON.stringify({ text }), 2), text);
  }
  check.that(!isShallow(`{"a":"\\\\","b":${"[".repeat(3)}`, 2), "a string that ends in an escaped backslash is over");
});

test("a string that never ends hides nothing from the parser and does not hang the scan", () => {
  check.that(isShallow(`["${"[".repeat(1_000)}`, 4));
  check.equal(parseJson(`["${"[".repeat(1_000)}`, 4), undefined);
});

test("a hundred thousand brackets are refused, not parsed", () => {
  check.equal(parseJson("[".repeat(100_000), 64), undefined);
  check.equal(parseJson("[".repeat(100_000) + "]".repeat(100_000), 64), undefined);
});

test("any text gives a value or undefined, and never throws", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
    const value = parseJson(text, 64);
    if (value !== undefined) check.equal(JSON.parse(JSON.stringify(value)), JSON.parse(text));
  }));
});

test("EX1 any JSON text is the same after it was parsed and written again, with each spelling of its numbers", () => {
  const same = (text: string): void => check.equal(JSON.stringify(parseJson(text, 64)), text);
  for (const text of SPELLINGS) same(`{"a":[${text}],"b":${text}}`);
  fc.assert(fc.property(spelledJson, same), { numRuns: 2_000 });
});

test("EX1 a text that almost is a number is refused as the parser of the language refuses it", () => {
  const tokens = [
    "1.",
    ".5",
    "01",
    "-",
    "1e",
    "1e+",
    "+1",
    "-01",
    "1.0.0",
    "0x10",
    "1-1",
    "--1",
    "9007199254740992.",
    "1_0",
  ];
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...tokens), fc.stringMatching(/^[-+.eE0-9]{1,20}$/)), (token) => {
      const isRefused = (() => {
        try {
          return JSON.parse(`[1.0,${token}]`) === undefined;
        } catch {
          return true;
        }
      })();
      check.equal(parseJson(`[1.0,${token}]`, 64) === undefined, isRefused, token);
    }),
    { numRuns: 1_000 },
  );
});

test("EX1c white space, needless escapes, the place of whole numbers as keys and repeated keys are not kept", () => {
  check.equal(
    JSON.stringify(parseJson('{ "b" : 1.0, "10" : 2.0, "\\u0061" : "\\u0041\\/", "2" : 3.0, "b" : 4.0 }', 64)),
    '{"2":3.0,"10":2.0,"b":4.0,"a":"A/"}',
  );
});

test("EX1b a number with a text of its own is a number for its reader, and neither an object nor a list", () => {
  fc.assert(fc.property(spelledNumber, (text) => {
    const number = parseJson(text, 64);
    check.that(isNumber(number) && !isObject(number) && !Array.isArray(number), text);
    check.equal(numberOf(number), Number(text));
    check.equal([String(number), canonicalJson(number)], [text, text]);
  }));
  check.equal([isNumber("1"), numberOf("1"), numberOf(null), numberOf({ rawJSON: "1" })], [
    false,
    undefined,
    undefined,
    undefined,
  ]);
});

test("EX1 a megabyte with one such number costs no more than a few times its parsing", () => {
  const text = `[${"1,".repeat(500_000)}1.0]`;
  const time = (run: () => unknown): number => {
    const began = performance.now();
    run();
    return performance.now() - began;
  };
  const best = (run: () => unknown): number => Math.min(...[1, 2, 3].map(() => time(run)));
  const [plain, exact] = [best(() => JSON.parse(text)), best(() => parseJson(text, 64))];
  check.that(exact < 60 + 12 * plain, `${exact} ms, and ${plain} ms without`);
});

test("equal values have the same canonical text, in whatever order their keys came", () => {
  const shuffled = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).reverse().map(([name, inner]) => [name, shuffled(inner ?? null)]));
  };
  fc.assert(fc.property(fc.json(), (text) => {
    const value: Json = JSON.parse(text);
    check.equal(canonicalJson(shuffled(value)), canonicalJson(value));
    check.equal(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
  }));
});

test("a key that is absent and one that is undefined are the same, one that is null is not", () => {
  check.equal(canonicalJson({ a: undefined }), canonicalJson({}));
  check.that(canonicalJson({ a: null }) !== canonicalJson({}));
});
