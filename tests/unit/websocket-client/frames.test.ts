/** WebSocket frames of a dialled connection, against a server that reads and writes them by the book. */
import { test } from "#runner";
import fc from "fast-check";
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

/** All that a reader says of some bytes, cut into pieces. */
function read(bytes: Uint8Array, pieces: readonly number[] = []): unknown[] {
  const said: unknown[] = [];
  const reader = new FrameReader({
    message: (message) => said.push(typeof message === "string" ? message : [...message]),
    pingReceived: (payload) => said.push(["ping", ...payload]),
    pongReceived: () => said.push("pong"),
    closeReceived: (code, reason) => said.push({ code, reason }),
    protocolError: (code) => said.push({ breach: code }),
  }, BYTES_MAX);
  let at = 0;
  for (const size of pieces) {
    reader.feed(bytes.slice(at, at + size));
    at += size;
  }
  reader.feed(bytes.slice(at));
  return said;
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

test("RT24 messages are read whole, however the connection cuts them", () => {
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { maxLength: 6 });
  fc.assert(fc.property(texts, fc.array(fc.nat(200), { maxLength: 20 }), (messages, pieces) => {
    check.equal(read(joined(...messages.map((text) => frame(OPCODE.text, utf8(text)))), pieces), messages);
  }));
});

test("RT24 a message in parts is one message, and control frames may come between its parts", () => {
  const bytes = joined(
    frame(OPCODE.text, utf8("one "), false),
    frame(OPCODE.ping, Uint8Array.of(7)),
    frame(0, utf8("two "), false),
    frame(0, utf8("three")),
    frame(OPCODE.close, joined(Uint8Array.of(0x03, 0xf4), utf8("bye"))),
  );
  check.equal(read(bytes), [["ping", 7], "one two three", { code: 1012, reason: "bye" }]);
});

test("RT25 a breach of the protocol ends the connection with its code", () => {
  check.equal(read(frame(3, utf8("?"))), [{ breach: 1002 }]);
  check.equal(read(frame(0, utf8("nothing before it"))), [{ breach: 1002 }]);
  check.equal(read(frame(OPCODE.text, Uint8Array.of(0xff))), [{ breach: 1007 }]);
  check.equal(read(frame(OPCODE.ping, new Uint8Array(126))), [{ breach: 1002 }]);
  check.equal(read(frame(OPCODE.text, new Uint8Array(BYTES_MAX + 1))), [{ breach: 1009 }]);
  check.equal(read(Uint8Array.of(0xc1, 0)), [{ breach: 1002 }]);
});

test("RT25 no bytes make it throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(50)), (bytes, pieces) => {
    check.that(read(bytes, pieces).length <= bytes.length);
  }));
});

test("RT26 what is written is masked, and unmasks to what was said, however little is taken at a time", () => {
  const payload = fc.oneof(fc.string({ unit: "grapheme", maxLength: 400 }), fc.constant("é".repeat(40_000)));
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
      check.equal(unmasked(Uint8Array.from(sent)), texts);
    }),
    { numRuns: 50 },
  );
});

/** The texts of masked frames, read as a server has to. */
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
