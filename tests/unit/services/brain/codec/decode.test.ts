/** Decoding frames of the Brain: limits, finite numbers, and the positions of JSON errors. */
import fc from "fast-check";
import { isoTime } from "../../../../../src/core/text.ts";
import { decode } from "../../../../../src/services/brain/codec/decode.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";

const DEPTH = 64;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function messageOf(frame: string | Uint8Array): string {
  const read = decode(frame, DEPTH);
  return read.ok ? "" : read.error.message;
}

test("BR7 a binary frame is read as UTF-8 text with or without a byte order mark; other bytes are refused", () => {
  for (const frame of [bytes('{"cmd":"Ping"}'), bytes('\ufeff{"cmd":"Ping"}'), '{"cmd":"Ping"}']) {
    check.equal(decode(frame, DEPTH), { ok: true, value: { cmd: "Ping" } });
  }
  check.match(messageOf(Uint8Array.of(0xff, 0xfe, 0x7b, 0)), /UTF-8/);
  check.match(messageOf('\ufeff{"cmd":"Ping"}'), /Unexpected UTF-8 BOM \(decode using utf-8-sig\)/);
});

test("BR16 a JSON error has its position in characters", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "Expecting value: line 1 column 1 (char 0)"],
    ["  ", "Expecting value: line 1 column 3 (char 2)"],
    ["nope", "Expecting value: line 1 column 1 (char 0)"],
    ["[1,]", "Expecting value: line 1 column 4 (char 3)"],
    ['{"a":}', "Expecting value: line 1 column 6 (char 5)"],
    ["{a:1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"],
    ['{"a":1,}', "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"],
    ['{"a":1 "b":2}', "Expecting ',' delimiter: line 1 column 8 (char 7)"],
    ["[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"],
    ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
    ["{} {}", "Extra data: line 1 column 4 (char 3)"],
    ["01", "Extra data: line 1 column 2 (char 1)"],
    ['["abc', "Unterminated string starting at: line 1 column 2 (char 1)"],
    ['["a\nb"]', "Invalid control character at: line 1 column 4 (char 3)"],
    ['["\\x"]', "Invalid \\escape: line 1 column 3 (char 2)"],
    ['["\\u12g4"]', "Invalid \\uXXXX escape: line 1 column 4 (char 3)"],
    ['{"😀":\n  x}', "Expecting value: line 2 column 3 (char 8)"],
  ];
  for (const [text, message] of cases) check.equal(messageOf(text), `invalid JSON: ${message}`);
});

test("BR16 every text that is not JSON gets a position, and every text that is JSON is accepted", () => {
  fc.assert(fc.property(fc.json(), fc.nat(), fc.nat(), (text, at, code) => {
    const broken = text.slice(0, at % (text.length + 1)) + String.fromCharCode(code % 128) + text.slice(at % text.length);
    let isJson = true;
    try {
      JSON.parse(broken);
    } catch {
      isJson = false;
    }
    const error = messageOf(broken);
    check.equal(error.startsWith("invalid JSON: "), !isJson, broken);
    if (!isJson) check.match(error, /: line \d+ column \d+ \(char \d+\)$/);
  }));
});

test("BR17 NaN, Infinity and numbers that overflow to infinity are refused", () => {
  for (const number of ["NaN", "Infinity", "-Infinity"]) {
    check.match(messageOf(`{"a":[${number}]}`), /invalid JSON: NaN and Infinity are not JSON: line 1 column 7/);
  }
  for (const number of ["1e400", "-1e400", "9".repeat(5_000)]) {
    const read = decode(`{"a":{"b":[${number}]}}`, DEPTH);
    check.that(!read.ok && read.error.code === "BadParams");
  }
  check.that(decode('{"a":1e308,"b":-0,"c":1e-400}', DEPTH).ok);
});

test("BR18 nesting and the number of values are limited", () => {
  const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  check.that(decode(nested(DEPTH), DEPTH).ok);
  const deep = decode(nested(DEPTH + 1), DEPTH);
  check.that(!deep.ok && deep.error.code === "LimitExceeded");
  check.match(messageOf(nested(200_000)), /maximum recursion depth exceeded/);
  const many = decode(`{"a":[${"0,".repeat(200_000)}0]}`, DEPTH);
  check.that(!many.ok && many.error.code === "LimitExceeded");
});

test("BR18b decoding any bytes ends with a request or an error", () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: "binary" }), fc.json()), (frame) => {
    const read = decode(frame, DEPTH);
    check.that(read.ok ? typeof read.value === "object" : read.error.message.length > 0);
  }));
});

test("BR30 timestamps are those of the calendar", () => {
  check.equal(isoTime(0), "1970-01-01T00:00:00.000Z");
  check.equal(isoTime(1_795_404_000_007), "2026-11-23T03:20:00.007Z");
  fc.assert(fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (at) => {
    check.equal(isoTime(at), new Date(at).toISOString());
  }));
});
