/** JSON text from peers: how deep it may be, and when two values are the same. */
import { test } from "#runner";
import fc from "fast-check";
import { canonicalJson, isShallow, type Json, parseJson } from "../../../src/core/json.ts";
import { check } from "../../harness/check.ts";

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
    if (value !== undefined) check.equal(value, JSON.parse(text));
  }));
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
