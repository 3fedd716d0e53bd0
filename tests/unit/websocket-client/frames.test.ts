/** The frames of the WebSocket client, against a server that follows RFC 6455. */
import { Buffer } from "node:buffer";
import { test } from "#runner";
import fc from "fast-check";
import type { Frame } from "../../../src/core/json.ts";
import { FrameReader } from "../../../src/websocket-client/frame-reader.ts";
import { FrameWriter, OPCODE } from "../../../src/websocket-client/frame-writer.ts";
import { check } from "../../harness/check.ts";

const BYTES_MAX = 200_000;

/** One frame as a server sends it. */
function frame(op: number, payload: Uint8Array, isFinal = true): Uint8Array {
  const { length } = payload;
  const size = length < 126
    ? [length]
    : length < 65_536
    ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
  return Uint8Array.from([(isFinal ? 0x80 : 0) | op, ...size, ...payload]);
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a reader reports of some bytes that arrive in pieces. */
function read(bytes: Uint8Array, pieces: readonly number[] = []): unknown[] {
  const reported: unknown[] = [];
  const reader = new FrameReader({
    message: (message) => reported.push(typeof message === "string" ? message : [...message]),
    pingReceived: (payload) => reported.push(["ping", ...payload]),
    pongReceived: () => reported.push("pong"),
    closeReceived: (code, reason) => reported.push({ code, reason }),
    protocolError: (code) => reported.push({ error: code }),
  }, BYTES_MAX);
  let at = 0;
  for (const size of pieces) {
    reader.feed(bytes.slice(at, at + size));
    at += size;
  }
  reader.feed(bytes.slice(at));
  return reported;
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

test("RT24 messages are read whole, in pieces of any size", () => {
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { maxLength: 6 });
  fc.assert(fc.property(texts, fc.array(fc.nat(200), { maxLength: 20 }), (messages, pieces) => {
    check.equal(read(joined(...messages.map((text) => frame(OPCODE.text, utf8(text)))), pieces), messages);
  }));
});

test("RT24 a byte order mark and replacement characters are part of a message", () => {
  for (const text of ["\ufeffa", "\ufffd", "a\ufffdb\u{1f600}", ""]) {
    check.equal(read(frame(OPCODE.text, utf8(text))), [text]);
    check.equal(read(joined(frame(OPCODE.text, utf8(text).slice(0, 1), false), frame(0, utf8(text).slice(1)))), [text]);
  }
});

test("RT24 a binary message stays as it was when the bytes that were read are overwritten", () => {
  const messages: Frame[] = [];
  const ignore = (): void => {};
  const reader = new FrameReader({
    message: (message) => messages.push(message),
    pingReceived: ignore,
    pongReceived: ignore,
    closeReceived: ignore,
    protocolError: ignore,
  }, BYTES_MAX);
  const input = Buffer.from(frame(OPCODE.binary, Uint8Array.of(1, 2, 3)));
  reader.feed(input);
  input.fill(0);
  check.equal(messages.map((message) => [...message]), [[1, 2, 3]]);
});

test("RT24 fragments become one message, and control frames may come between them", () => {
  const bytes = joined(
    frame(OPCODE.text, utf8("one "), false),
    frame(OPCODE.ping, Uint8Array.of(7)),
    frame(0, utf8("two "), false),
    frame(0, utf8("three")),
    frame(OPCODE.close, joined(Uint8Array.of(0x03, 0xf4), utf8("bye"))),
  );
  check.equal(read(bytes), [["ping", 7], "one two three", { code: 1012, reason: "bye" }]);
});

/** What a server's reader reports of some bytes that arrive in pieces. */
function readAsServer(bytes: Uint8Array, pieces: readonly number[] = []): unknown[] {
  const reported: unknown[] = [];
  const reader = new FrameReader(
    {
      message: (message) => reported.push(typeof message === "string" ? message : [...message]),
      pingReceived: (payload) => reported.push(["ping", ...payload]),
      pongReceived: () => reported.push("pong"),
      closeReceived: (code, reason) => reported.push({ code, reason }),
      protocolError: (code) => reported.push({ error: code }),
    },
    BYTES_MAX,
    "server",
  );
  let at = 0;
  for (const size of pieces) {
    reader.feed(bytes.slice(at, at + size));
    at += size;
  }
  reader.feed(bytes.slice(at));
  return reported;
}

test("RT24b a server reads masked frames whole, in pieces of any size and at any position", () => {
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { maxLength: 6 });
  fc.assert(fc.property(texts, fc.array(fc.nat(200), { maxLength: 20 }), (messages, pieces) => {
    const writer = new FrameWriter("client");
    for (const text of messages) writer.add(OPCODE.text, text);
    let bytes = new Uint8Array(0);
    writer.drain((written) => (bytes = written.slice()).length);
    check.equal(readAsServer(bytes, pieces), messages);
  }));
  check.equal(readAsServer(frame(OPCODE.ping, new Uint8Array(0))), [{ error: 1002 }]);
});

test("RT25 a protocol error ends the connection with its close code", () => {
  check.equal(read(frame(3, utf8("?"))), [{ error: 1002 }]);
  check.equal(read(frame(0, utf8("nothing before it"))), [{ error: 1002 }]);
  check.equal(read(frame(OPCODE.text, Uint8Array.of(0xff))), [{ error: 1007 }]);
  check.equal(read(frame(OPCODE.ping, new Uint8Array(126))), [{ error: 1002 }]);
  check.equal(read(frame(OPCODE.text, new Uint8Array(BYTES_MAX + 1))), [{ error: 1009 }]);
  check.equal(read(Uint8Array.of(0xc1, 0)), [{ error: 1002 }]);
});

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const close = (code: number, reason: Uint8Array = bytes()): Uint8Array =>
  frame(OPCODE.close, joined(bytes(code >> 8, code & 255), reason));

test("RT25b close codes and reasons are accepted exactly if RFC 6455 and its registry allow them", () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
    check.equal(read(close(code)), [{ code, reason: "" }], `${code}`);
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]) {
    check.equal(read(close(code)), [{ error: 1002 }], `${code}`);
  }
  check.equal(read(frame(OPCODE.close, bytes())), [{ code: 1005, reason: "" }]);
  check.equal(read(frame(OPCODE.close, bytes(3))), [{ error: 1002 }], "half a code");
  check.equal(read(close(1000, bytes(0xff))), [{ error: 1007 }], "a reason that is not UTF-8");
  check.equal(read(close(1000, utf8("x".repeat(123)))).length, 1);
  check.equal(read(close(1000, utf8("x".repeat(124)))), [{ error: 1002 }]);
  check.equal(read(joined(close(1000), frame(OPCODE.text, utf8("late")))), [{ code: 1000, reason: "" }]);
});

test("RT25c frames are accepted exactly if RFC 6455 allows them", () => {
  const errors: readonly (readonly [string, Uint8Array, number])[] = [
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((op) => [`opcode ${op}`, frame(op, bytes()), 1002] as const),
    ...[0xc1, 0xa1, 0x91, 0xf1].map((first) => [`reserved bits ${first}`, bytes(first, 0), 1002] as const),
    ["masked", bytes(0x81, 0x81, 1, 2, 3, 4, 65), 1002],
    ["16 bits for 125 bytes", joined(bytes(0x81, 126, 0, 125), new Uint8Array(125)), 1002],
    ["64 bits for 65,535 bytes", joined(bytes(0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff)), 1002],
    ["a negative length", bytes(0x81, 127, 0x80, 0, 0, 0, 0, 1, 0, 0), 1002],
    ["a length beyond all memory", bytes(0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255), 1009],
    ["a ping in fragments", frame(OPCODE.ping, bytes(), false), 1002],
    ["a ping of 126 bytes", frame(OPCODE.ping, new Uint8Array(126)), 1002],
    ["a close in fragments", frame(OPCODE.close, bytes(), false), 1002],
    ["a continuation of nothing", frame(0, bytes(), false), 1002],
    ["two messages at once", joined(frame(OPCODE.text, bytes(), false), frame(OPCODE.text, bytes())), 1002],
    [
      "fragments beyond the limit",
      joined(
        frame(OPCODE.text, new Uint8Array(BYTES_MAX), false),
        frame(0, bytes(65)),
      ),
      1009,
    ],
    ["a character cut by the end", joined(frame(OPCODE.text, bytes(0xc3), false), frame(0, bytes())), 1007],
    ["a surrogate", frame(OPCODE.text, bytes(0xed, 0xa0, 0x80)), 1007],
    ["an overlong form", frame(OPCODE.text, bytes(0xc0, 0xaf)), 1007],
  ];
  for (const [name, sent, code] of errors) {
    check.equal(read(sent), [{ error: code }], name);
    check.equal(read(sent, [...sent].map(() => 1)), [{ error: code }], `${name}, byte by byte`);
  }
  check.equal(read(joined(frame(OPCODE.text, bytes(0xc3), false), frame(0, bytes(0xa9)))), ["\u00e9"]);
  check.equal(read(frame(OPCODE.text, bytes())), [""]);
  check.equal(read(joined(frame(OPCODE.binary, bytes(), false), frame(0, bytes()))), [[]]);
  check.equal(read(frame(OPCODE.ping, new Uint8Array(125))).length, 1);
});

test("RT25d empty and tiny fragments keep no memory of their own, and a message in single bytes costs linear time", () => {
  const messages: string[] = [];
  const reader = new FrameReader({
    message: (message) => messages.push(String(message)),
    pingReceived: () => {},
    pongReceived: () => {},
    closeReceived: () => {},
    protocolError: (code, reason) => messages.push(`${code} ${reason}`),
  }, 8 * 1_024 * 1_024);
  reader.feed(frame(OPCODE.text, bytes(), false));
  const fragments = new Uint8Array(1_000_000); // 500,000 empty fragments: 00 00
  const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 10; round++) reader.feed(fragments);
  const after = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  check.that(after - before < 16_000_000, `${after - before} bytes for 5,000,000 empty fragments`);
  reader.feed(frame(0, utf8("end")));
  check.equal(messages, ["end"]);
  const started = performance.now();
  const large = frame(OPCODE.text, new Uint8Array(4_000_000).fill(65));
  for (let at = 0; at < large.length; at++) reader.feed(large.subarray(at, at + 1));
  check.equal(messages[1]?.length, 4_000_000);
  check.that(performance.now() - started < 5_000, `${Math.round(performance.now() - started)} ms`);
});

test("RT25 no bytes make the reader throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(50)), (bytes, pieces) => {
    check.that(read(bytes, pieces).length <= bytes.length);
  }));
});

test("RT26 written frames are masked, and unmask to the payload, however few bytes are accepted at a time", () => {
  const payload = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 400 }),
    fc.constantFrom("é".repeat(40_000), "half a pair: \ud83d"),
  );
  fc.assert(
    fc.property(fc.array(payload, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 5_000 }), (texts, taken) => {
      const writer = new FrameWriter();
      for (const text of texts) writer.add(OPCODE.text, text);
      const sent: number[] = [];
      while (writer.length > 0) {
        writer.drain((bytes) => {
          const part = bytes.subarray(0, Math.min(taken, bytes.length));
          for (const byte of part) sent.push(byte);
          return part.length;
        });
      }
      check.equal(unmasked(Uint8Array.from(sent)), texts.map((text) => text.toWellFormed()));
    }),
    { numRuns: 50 },
  );
});

test("RT26b frames of a server are the same without a mask", () => {
  for (const length of [0, 125, 126, 65_535, 65_536]) {
    const writer = new FrameWriter("server");
    const texts = ["x".repeat(length), "\u00e9".repeat(length / 2)];
    for (const text of texts) writer.add(OPCODE.text, text);
    const sent: Uint8Array[] = [];
    writer.drain((bytes) => sent.push(Uint8Array.from(bytes)) && bytes.length);
    check.equal(sent, [joined(...texts.map((text) => frame(OPCODE.text, utf8(text))))]);
  }
});

test("RT26b a socket that keeps written frames keeps them unchanged, whatever is written later", () => {
  const writer = new FrameWriter("server");
  const kept: Uint8Array[] = [];
  for (const text of ["first", "later"]) {
    writer.add(OPCODE.text, text);
    writer.drain((bytes) => kept.push(bytes.slice()) && bytes.length);
  }
  check.equal(kept, ["first", "later"].map((text) => frame(OPCODE.text, utf8(text))));
});

/** The texts of masked frames, read as a server reads them. */
function unmasked(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length;) {
    check.equal([view.getUint8(at), view.getUint8(at + 1) >= 128], [0x81, true]);
    const short = view.getUint8(at + 1) & 127;
    const size = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    const mask = at + 2 + (short < 126 ? 0 : short === 126 ? 2 : 8);
    const body = bytes.slice(mask + 4, mask + 4 + size).map((byte, index) => byte ^ view.getUint8(mask + (index & 3)));
    texts.push(new TextDecoder().decode(body));
    at = mask + 4 + size;
  }
  return texts;
}
