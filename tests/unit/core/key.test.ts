/** Keys of the store: any name becomes a segment that no backend can merge, cut or fold. */
import { test } from "#runner";
import fc from "fast-check";
import { key, segment, segmentAt, segmentText, sequence } from "../../../src/core/key.ts";
import { SEGMENT_BYTES_MAX } from "../../../src/core/limits.ts";
import { check } from "../../harness/check.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  // Halves of surrogate pairs, which no well-formed text has, but a JSON escape can make.
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 6 }).map((codes) => String.fromCharCode(...codes)),
);

test("different texts have different segments", () => {
  fc.assert(
    fc.property(anyText, anyText, (left, right) => {
      check.equal(segment(left) === segment(right), left === right);
    }),
    { numRuns: 1_000 },
  );
});

test("lone halves of surrogate pairs have segments that differ from each other and from that of the replacement character", () => {
  const names = [
    "\ud800",
    "\ud801",
    "\udfff",
    "\ufffd",
    JSON.stringify("\ud800"),
    "a".repeat(99) + "\ud800",
    "a".repeat(99),
  ];
  check.equal(new Set(names.map(segment)).size, names.length);
});

test("a segment is short, has lower-case letters and digits only, and is no name that Windows keeps for itself", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      check.match(segment(text), /^[bhjg][a-z0-9]*$/);
      check.that(segment(text).length <= SEGMENT_BYTES_MAX);
    }),
    { numRuns: 1_000 },
  );
  for (const name of ["con", "NUL", "aux", "..", ".", "", "a/b", "a:b", "a?b", "C:\\x"]) {
    check.match(segment(name), /^b[a-z2-7]*$/);
  }
});

test("names that differ in case only have segments that differ in more than case", () => {
  check.that(segment("Chess").toLowerCase() !== segment("chess").toLowerCase());
});

test("numbers sort as their segments do", () => {
  const natural = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(natural, natural, (left, right) => {
    check.equal(sequence(left) < sequence(right), left < right);
  }));
});

test("the segments of a key can be read back", () => {
  const made = key("neuro", "game", segment("Chess"), sequence(7));
  check.equal([0, 1, 3, 4].map((at) => segmentAt(made, at)), ["neuro", "game", sequence(7), ""]);
});

test("a segment can be decoded to its text, unless it contains only a hash", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    const made = segment(text);
    check.equal(segmentText(made), /^[bj]/.test(made) ? text : undefined);
  }));
  for (const foreign of ["", "x", "b1", "bA", "j", "jmzxw6", segment("x".repeat(300))]) {
    check.equal(segmentText(foreign), undefined);
  }
  check.equal(segmentText(segment("")), "");
});
