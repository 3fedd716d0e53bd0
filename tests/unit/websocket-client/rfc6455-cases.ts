/**
 * Cases of RFC 6455, by section, for either side of a connection: frames, and what the receiver has to do.
 *
 * Texts begin with `echo `, so that a listener with an echo service returns the rest of each message.
 */

/** One frame. Its mask, or the lack of it, follows from the side that sends it. */
export interface CaseFrame {
  readonly op: number;
  readonly payload?: Uint8Array;
  readonly isFinal?: boolean;
  readonly reserved?: number;
  /** The length is written in this many bytes, although it needs fewer. */
  readonly lengthBytes?: 2 | 8;
  /** The length in the header, if it is not that of the payload. */
  readonly announced?: bigint;
  /** Masked although the sender must not, or the reverse. */
  readonly isMaskWrong?: boolean;
}

/** What the receiver has to do. `pong`: the last answer to a ping. `closed`: with one of these codes; a receiver may also disconnect without a close frame. */
export type Expected =
  | { readonly is: "alive"; readonly messages?: readonly string[]; readonly pong?: string }
  | { readonly is: "closed"; readonly codes: readonly number[] };

export interface ProtocolCase {
  readonly name: string;
  /** `max`: the largest message that the receiver accepts. */
  frames(max: number): readonly CaseFrame[];
  readonly expected: Expected;
  /** Written in pieces of this many bytes. */
  readonly pieceBytes?: number;
}

export const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The bytes of a frame as a client (masked) or a server sends it. */
export function frameBytes(frame: CaseFrame, isClient: boolean): Uint8Array {
  const { op, payload = NONE, isFinal = true, reserved = 0, lengthBytes, announced, isMaskWrong = false } = frame;
  const size = announced ?? BigInt(payload.length);
  const isMasked = isClient !== isMaskWrong;
  const extra = lengthBytes ?? (size < 126n ? 0 : size < 65_536n ? 2 : 8);
  const head = new Uint8Array(2 + extra + (isMasked ? 4 : 0));
  const view = new DataView(head.buffer);
  head[0] = (isFinal ? 0x80 : 0) | (reserved << 4) | op;
  head[1] = (isMasked ? 0x80 : 0) | (extra === 0 ? Number(size) : extra === 2 ? 126 : 127);
  if (extra === 2) view.setUint16(2, Number(size));
  if (extra === 8) view.setBigUint64(2, BigInt.asUintN(64, size));
  const mask = [0x12, 0x9a, 0xf3, 0x57];
  if (isMasked) head.set(mask, 2 + extra);
  return concat(head, isMasked ? payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0)) : payload);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const NONE = new Uint8Array(0);
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A text of this many bytes. */
const sized = (length: number): string => "echo ".padEnd(length, "*").slice(0, length);

const text = (payload: string | Uint8Array, more: Partial<CaseFrame> = {}): CaseFrame => ({
  op: OP.text,
  payload: typeof payload === "string" ? utf8(payload) : concat(ECHO, payload),
  ...more,
});
const ECHO = utf8("echo ");
const more = (payload: Uint8Array, isFinal = false): CaseFrame => ({ op: OP.continuation, payload, isFinal });
const ping = (payload: Uint8Array, change: Partial<CaseFrame> = {}): CaseFrame => ({ op: OP.ping, payload, ...change });
const close = (payload: Uint8Array, change: Partial<CaseFrame> = {}): CaseFrame => ({ op: OP.close, payload, ...change });
const code = (value: number): Uint8Array => bytes(value >> 8, value & 255);

const alive = (...messages: readonly string[]) => ({ is: "alive", messages }) as const;
const closed = (...codes: readonly number[]): Expected => ({ is: "closed", codes });
const VIOLATION = closed(1002);
const NOT_UTF8 = closed(1007);
const TOO_BIG = closed(1009);

type Row = readonly [
  name: string,
  frames: readonly CaseFrame[] | ((max: number) => readonly CaseFrame[]),
  expected: Expected,
  pieceBytes?: number,
];

const HELLO = text("echo hello");
const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536];
/** A message of bytes, in a notation that is the same for all runtimes. */
const binary = (length: number): string => `bytes ${length}`;

const framing: readonly Row[] = [
  ...SIZES.map((size): Row => [`text of ${size} bytes`, [text(sized(size))], alive(...(size < 5 ? [] : [sized(size)]))]),
  ["text of 65,536 bytes in pieces", [text(sized(65_536))], alive(sized(65_536)), 997],
  ...SIZES.map((size): Row => [
    `${size} bytes`,
    [{ op: OP.binary, payload: new Uint8Array(size).fill(0xfe) }],
    alive(binary(size)),
  ]),
  ["65,536 bytes in pieces", [{ op: OP.binary, payload: new Uint8Array(65_536) }], alive(binary(65_536)), 997],
  ["frames in single bytes", [HELLO, text("echo again")], alive("echo hello", "echo again"), 1],
  ["16 bits for a length of 125", [text(sized(125), { lengthBytes: 2 })], VIOLATION],
  ["64 bits for a length of 125", [text(sized(125), { lengthBytes: 8 })], VIOLATION],
  ["64 bits for a length of 65,535", [text(sized(65_535), { lengthBytes: 8 })], VIOLATION],
  ["a length with the highest bit", [text("", { announced: 1n << 63n, lengthBytes: 8 })], VIOLATION],
  ["the wrong mask", [text("echo hello", { isMaskWrong: true })], VIOLATION],
  ["the wrong mask of a ping", [ping(NONE, { isMaskWrong: true })], VIOLATION],
];

const pinged = (pong: string): Expected => ({ is: "alive", messages: [], pong });
const pings: readonly Row[] = [
  ["ping without payload", [ping(NONE)], pinged("")],
  ["ping with text", [ping(utf8("hello"))], pinged("hello")],
  ["ping with bytes that are not UTF-8", [ping(bytes(0, 0xff, 0xfe, 0xfd))], alive()],
  ["ping of 125 bytes", [ping(utf8("p".repeat(125)))], pinged("p".repeat(125))],
  ["ping of 126 bytes", [ping(new Uint8Array(126))], VIOLATION],
  ["ping of 125 bytes in single bytes", [ping(utf8("p".repeat(125)))], pinged("p".repeat(125)), 1],
  ["pong that nothing asked for", [{ op: OP.pong }], alive()],
  ["pong with payload that nothing asked for", [{ op: OP.pong, payload: utf8("hi") }], alive()],
  ["pong of 126 bytes", [{ op: OP.pong, payload: new Uint8Array(126) }], VIOLATION],
  ["pong, then ping", [{ op: OP.pong, payload: utf8("a") }, ping(utf8("b"))], pinged("b")],
  ["ten pings", Array.from({ length: 10 }, (_, at) => ping(utf8(`p${at}`))), pinged("p9")],
  ["ten pings in single bytes", Array.from({ length: 10 }, (_, at) => ping(utf8(`p${at}`))), pinged("p9"), 1],
];

const reserved: readonly Row[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((bits): Row => [`reserved bits ${bits}`, [HELLO, text("x", { reserved: bits })], VIOLATION]),
  ["reserved bits of bytes", [{ op: OP.binary, reserved: 4 }], VIOLATION],
  ["reserved bits of a ping", [ping(NONE, { reserved: 4 })], VIOLATION],
  ["reserved bits of a close", [close(code(1000), { reserved: 4 })], VIOLATION],
  ["reserved bits of a fragment", [text("a", { isFinal: false }), { op: 0, reserved: 4, isFinal: true }], VIOLATION],
];

const opcodes: readonly Row[] = [
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((op): Row => [`opcode ${op}`, [{ op }], VIOLATION]),
  ["opcode 3 with payload, after a message", [HELLO, { op: 3, payload: utf8("x") }, ping(NONE)], VIOLATION],
  ["opcode 11 with payload, between fragments", [text("a", { isFinal: false }), { op: 11, payload: utf8("x") }], VIOLATION],
];

const begun = text("echo a", { isFinal: false });
const fragments: readonly Row[] = [
  ["ping in fragments", [ping(utf8("a"), { isFinal: false }), more(utf8("b"), true)], VIOLATION],
  ["pong in fragments", [{ op: OP.pong, isFinal: false }, more(utf8("b"), true)], VIOLATION],
  ["text in two fragments", [begun, more(utf8("b"), true)], alive("echo ab")],
  ["text in two fragments, in single bytes", [begun, more(utf8("b"), true)], alive("echo ab"), 1],
  ["ping between fragments", [begun, ping(utf8("x")), more(utf8("b"), true)], { ...alive("echo ab"), pong: "x" }],
  ["pong between fragments", [begun, { op: OP.pong }, more(utf8("b"), true)], alive("echo ab")],
  [
    "ping between fragments, in single bytes",
    [begun, ping(utf8("x")), more(utf8("b"), true)],
    { ...alive("echo ab"), pong: "x" },
    1,
  ],
  ["continuation of nothing", [more(utf8("a"), true)], VIOLATION],
  ["continuation of nothing, not the last", [more(utf8("a")), more(utf8("a"), true)], VIOLATION],
  ["continuation after a whole message", [HELLO, more(utf8("a"), true)], VIOLATION],
  ["continuation after the last fragment", [begun, more(utf8("b"), true), more(utf8("c"), true)], VIOLATION],
  ["text between fragments", [begun, text("echo b"), more(NONE, true)], VIOLATION],
  ["bytes between fragments", [begun, { op: OP.binary }, more(NONE, true)], VIOLATION],
  ["text begins between fragments", [begun, begun], VIOLATION],
  ["empty fragments", [text(NONE, { isFinal: false }), more(NONE), more(NONE, true)], alive("echo ")],
  ["only the first fragment is not empty", [begun, more(NONE), more(NONE, true)], alive("echo a")],
  [
    "only the last fragment is not empty",
    [text(NONE, { isFinal: false }), more(NONE), more(utf8("z"), true)],
    alive("echo z"),
  ],
  [
    "five fragments with pings between them",
    [begun, ping(utf8("1")), more(utf8("b")), ping(utf8("2")), more(utf8("c")), more(utf8("d")), more(utf8("e"), true)],
    { ...alive("echo abcde"), pong: "2" },
  ],
  [
    "bytes in three fragments",
    [{ op: OP.binary, payload: bytes(1), isFinal: false }, more(bytes(2)), more(bytes(3), true)],
    alive(binary(3)),
  ],
  ["two messages in fragments", [begun, more(utf8("b"), true), begun, more(utf8("c"), true)], alive("echo ab", "echo ac")],
  [
    "a thousand empty fragments",
    [begun, ...Array.from({ length: 1_000 }, () => more(NONE)), more(NONE, true)],
    alive("echo a"),
  ],
  [
    "500 fragments of one byte",
    [begun, ...Array.from({ length: 500 }, () => more(utf8("b"))), more(NONE, true)],
    alive(`echo a${"b".repeat(500)}`),
  ],
];

/** A text whose last bytes are in fragments of their own from each of these positions on. */
function split(payload: Uint8Array, ...places: readonly number[]): readonly CaseFrame[] {
  const [first = payload.length, ...rest] = places;
  const parts = rest.map((place, at) => more(payload.subarray(places[at], place)));
  return [text(payload.subarray(0, first), { isFinal: false }), ...parts, more(payload.subarray(places.at(-1)), true)];
}

const VALID = [
  ["ASCII", "hello"],
  ["U+007F", "\u007f"],
  ["U+0080", "\u0080"],
  ["U+07FF", "\u07ff"],
  ["U+0800", "\u0800"],
  ["U+D7FF", "\ud7ff"],
  ["U+E000", "\ue000"],
  ["U+FFFD", "\ufffd"],
  ["U+FFFE", "\ufffe"],
  ["U+FFFF", "\uffff"],
  ["U+10000", "\u{10000}"],
  ["U+10FFFF", "\u{10ffff}"],
  ["words of several scripts", "\u03ba\u1f79\u03c3\u03bc\u03b5 \u4f60\u597d \u{1f600}"],
] as const;
const EMOJI = utf8("\u{1f600}");

const INVALID: readonly (readonly [string, Uint8Array])[] = [
  ["a continuation byte", bytes(0x80)],
  ["the last continuation byte", bytes(0xbf)],
  ["six continuation bytes", bytes(0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf)],
  ["an overlong slash in two bytes", bytes(0xc0, 0xaf)],
  ["an overlong U+007F", bytes(0xc1, 0xbf)],
  ["an overlong slash in three bytes", bytes(0xe0, 0x80, 0xaf)],
  ["an overlong U+07FF", bytes(0xe0, 0x9f, 0xbf)],
  ["an overlong slash in four bytes", bytes(0xf0, 0x80, 0x80, 0xaf)],
  ["an overlong U+FFFF", bytes(0xf0, 0x8f, 0xbf, 0xbf)],
  ["an overlong null", bytes(0xc0, 0x80)],
  ["the first surrogate", bytes(0xed, 0xa0, 0x80)],
  ["the last surrogate", bytes(0xed, 0xbf, 0xbf)],
  ["a pair of surrogates", bytes(0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80)],
  ["U+110000", bytes(0xf4, 0x90, 0x80, 0x80)],
  ["a sequence of five bytes", bytes(0xf8, 0x88, 0x80, 0x80, 0x80)],
  ["a sequence of six bytes", bytes(0xfc, 0x84, 0x80, 0x80, 0x80, 0x80)],
  ["0xFE", bytes(0xfe)],
  ["0xFF", bytes(0xff)],
  ["one byte of two", bytes(0xc3)],
  ["one byte of three", bytes(0xe2)],
  ["two bytes of three", bytes(0xe2, 0x82)],
  ["one byte of four", bytes(0xf0)],
  ["two bytes of four", bytes(0xf0, 0x9f)],
  ["three bytes of four", bytes(0xf0, 0x9f, 0x98)],
  ["a sequence that a letter interrupts", bytes(0xe2, 0x41, 0x82)],
  ["an invalid byte between words", concat(utf8("\u03ba\u1f79\u03c3"), bytes(0xff), utf8("\u03bc\u03b5"))],
];

const texts: readonly Row[] = [
  ...VALID.map(([name, valid]): Row => [`text with ${name}`, [text(`echo ${valid}`)], alive(`echo ${valid}`)]),
  ...[1, 2, 3].map((
    at,
  ): Row => [`a character of four bytes, split after ${at}`, split(EMOJI, at), alive("echo \u{1f600}")]),
  ["a character in four fragments", split(EMOJI, 1, 2, 3), alive("echo \u{1f600}")],
  ["a character in single bytes", [text("echo \u{1f600}")], alive("echo \u{1f600}"), 1],
  ["a ping within a character", [
    text(EMOJI.subarray(0, 2), { isFinal: false }),
    ping(utf8("x")),
    more(EMOJI.subarray(2), true),
  ], {
    ...alive("echo \u{1f600}"),
    pong: "x",
  }],
  ...INVALID.map(([name, invalid]): Row => [`text with ${name}`, [text(invalid)], NOT_UTF8]),
  ...[1, 2].map((at): Row => [`a surrogate, split after ${at}`, split(bytes(0xed, 0xa0, 0x80), at), NOT_UTF8]),
  ...[1, 2, 3].map((at): Row => [`U+110000, split after ${at}`, split(bytes(0xf4, 0x90, 0x80, 0x80), at), NOT_UTF8]),
  ["an invalid byte in a later fragment", split(bytes(0x41, 0xff), 1), NOT_UTF8],
  [
    "an incomplete character before an empty last fragment",
    [text(bytes(0xf0, 0x9f), { isFinal: false }), more(NONE, true)],
    NOT_UTF8,
  ],
  ["an invalid byte in single bytes", [text(bytes(0xff))], NOT_UTF8, 1],
  ["the two halves of a character in two messages", [text(EMOJI.subarray(0, 2)), text(EMOJI.subarray(2))], NOT_UTF8],
];

const CLOSE_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const NO_CLOSE_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

const closes: readonly Row[] = [
  ["close without a code", [close(NONE)], closed(1000, 1005)],
  ["close with half a code", [close(bytes(3))], VIOLATION],
  ["close with a reason", [close(concat(code(1000), utf8("bye")))], closed(1000)],
  ["close with a reason of 123 bytes", [close(concat(code(1000), utf8("x".repeat(123))))], closed(1000)],
  ["close with a reason of 124 bytes", [close(concat(code(1000), utf8("x".repeat(124))))], VIOLATION],
  ["close with a reason that is not UTF-8", [close(concat(code(1000), bytes(0xff)))], closed(1002, 1007)],
  ["close with half a character", [close(concat(code(1000), bytes(0xe2, 0x82)))], closed(1002, 1007)],
  ["close in fragments", [close(code(1000), { isFinal: false }), more(NONE, true)], VIOLATION],
  ["close in single bytes", [close(concat(code(1000), utf8("bye")))], closed(1000), 1],
  ["close between fragments", [begun, close(code(1000)), more(NONE, true)], closed(1000)],
  ["text after a close", [close(code(1000)), HELLO], closed(1000)],
  ["ping after a close", [close(code(1000)), ping(utf8("x"))], closed(1000)],
  ["a violation after a close", [close(code(1000)), { op: 3 }], closed(1000)],
  ["two closes", [close(code(1000)), close(code(1001))], closed(1000)],
  ...CLOSE_CODES.map((value): Row => [`close with ${value}`, [close(code(value))], closed(value)]),
  ...NO_CLOSE_CODES.map((value): Row => [`close with ${value}`, [close(code(value))], VIOLATION]),
];

const limits: readonly Row[] = [
  ["a text of the largest size", (max) => [text("echo ".padEnd(max, "*"))], { is: "alive" }],
  ["a text announced at sixteen times the largest size", (max) => [{ op: OP.text, announced: 16n * BigInt(max) }], TOO_BIG],
  ["bytes announced beyond all memory", [{ op: OP.binary, announced: (1n << 62n) - 1n }], TOO_BIG],
  [
    "fragments that are too long together",
    (max) => [text("echo ".padEnd(max, "*"), { isFinal: false }), more(utf8("*"), true)],
    TOO_BIG,
  ],
];

/** Why by section: a failure names the part of RFC 6455. */
const SECTIONS: readonly (readonly [section: string, rows: readonly Row[]])[] = [
  ["5.2", framing],
  ["5.5.2", pings],
  ["5.2 reserved", reserved],
  ["5.2 opcodes", opcodes],
  ["5.4", fragments],
  ["8.1", texts],
  ["5.5.1", closes],
  ["10.4", limits],
];

export const PROTOCOL_CASES: readonly ProtocolCase[] = SECTIONS.flatMap(([section, rows]) =>
  rows.map(([name, frames, expected, pieceBytes]) => ({
    name: `${section} ${name}`,
    frames: typeof frames === "function" ? frames : () => frames,
    expected,
    ...(pieceBytes !== undefined && { pieceBytes }),
  }))
);
