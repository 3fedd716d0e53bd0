/** Frames, texts and names of Nallely's bus. */
import { test } from "#runner";
import fc from "fast-check";
import {
  checkNeuronName,
  checkParameterName,
  type Declaration,
  decodeFrame,
  decodeText,
  encodeAddition,
  encodeFrame,
  encodeRegistration,
  frameHead,
  isViolation,
  type NeuronDeclaration,
  parseTolerantJson,
  queue,
  readDeclaration,
  scale,
} from "../../../../src/services/nallely/mod.ts";
import { FrameTable, frameValue } from "../../../../src/services/nallely/value-frame.ts";
import { check } from "../../../harness/check.ts";

const name = fc.string({ unit: "binary", minLength: 1, maxLength: 60 }).filter((text) => text.isWellFormed());

test("NL1 a frame is one byte of length, the name in UTF-8, and a big-endian float64", () => {
  const frame = encodeFrame(frameHead("note"), 60);
  check.equal([...frame], [4, 110, 111, 116, 101, 0x40, 0x4e, 0, 0, 0, 0, 0, 0]);
  check.equal([...encodeFrame(frameHead("é"), -1)].slice(0, 3), [2, 0xc3, 0xa9]);
});

test("NL1 decoding an encoded frame gives the same name and value, also with 255 bytes and byte order marks", () => {
  fc.assert(fc.property(name, fc.double(), (name, value) => {
    check.equal(decodeFrame(encodeFrame(frameHead(name), value)), { name, value });
  }));
  for (const name of ["x".repeat(255), "\ufeffbom"]) {
    check.equal(decodeFrame(encodeFrame(frameHead(name), 1)), { name, value: 1 });
  }
});

test("NL1 a frame's name is found by its bytes among similar names", () => {
  const table = new FrameTable<string>();
  const names = ["a", "b", "ab", "ba", "a\u0301", "x".repeat(255), "x".repeat(254)];
  for (const name of names) table.add(frameHead(name), name);
  for (const name of names) check.equal(table.find(encodeFrame(frameHead(name), 7)), name);
  check.equal(table.find(encodeFrame(frameHead("c"), 7)), undefined);
  check.equal(frameValue(encodeFrame(frameHead("c"), 7.25)), 7.25);
});

test("NL2 empty, short and concatenated frames and invalid UTF-8 are distinct errors, and no bytes throw", () => {
  const frame = encodeFrame(frameHead("note"), 60);
  check.equal(decodeFrame(new Uint8Array()), "empty");
  check.equal(decodeFrame(frame.subarray(0, 9)), "short", "a float32 is no value");
  check.equal(decodeFrame(Uint8Array.of(200, 1, 2)), "short", "the name ends behind the frame");
  check.equal(decodeFrame(Uint8Array.of(...frame, ...frame)), "long");
  check.equal(decodeFrame(Uint8Array.of(1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)), "utf8");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const read = decodeFrame(bytes);
    check.that(typeof read === "string" || typeof read.value === "number");
  }));
});

test("NL3 a value may arrive as text; other text is dropped, and no text throws", () => {
  check.equal(decodeText('{"value":8,"device":"fb","on":"long","sender":"fa_out"}'), { name: "long", value: 8 });
  check.equal(decodeText('{"on":"p","value":Infinity}'), { name: "p", value: Infinity });
  for (
    const text of [
      "",
      "{",
      "[]",
      "1",
      '{"on":"p"}',
      '{"on":1,"value":1}',
      '{"on":"p","value":"1"}',
      '{"on":"p","value":NaN}',
    ]
  ) {
    check.equal(decodeText(text), undefined, text);
  }
  check.equal(decodeText(`{"on":"${"x".repeat(80_000)}","value":1}`), undefined, "oversize");
  fc.assert(fc.property(fc.string(), (text) => void decodeText(text)));
});

test("NL4 bare NaN is read as null and Infinity as itself, and the same words within strings stay", () => {
  check.equal(parseTolerantJson('{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN \\" Infinity","NaN":1}'), {
    a: null,
    b: [Infinity, -Infinity],
    c: 'NaN " Infinity',
    NaN: 1,
  });
  for (const text of ["NaNs", "{NaN", "Infinity Infinity", ""]) check.equal(parseTolerantJson(text), undefined, text);
  fc.assert(
    fc.property(
      fc.jsonValue(),
      (value) => check.equal(parseTolerantJson(JSON.stringify(value)), JSON.parse(JSON.stringify(value))),
    ),
  );
});

test("NL5 neurons' names to which the bus could not deliver are refused with the reason", () => {
  for (const good of ["synth", "my-synth", "a.b:c", "UPPER", "x".repeat(255), "caf%C3%A9"]) {
    check.equal(checkNeuronName(good), undefined, good);
  }
  const reasons: readonly (readonly [string, RegExp])[] = [
    ["", /empty/],
    ["my_synth", /`_`/],
    ["a/b", /`\/`/],
    ["a?b", /`\?`/],
    ["a#b", /`#`/],
    ["café", /escape/],
    ["a b", /escape/],
    ["..", /step/],
    ["%2e", /step/],
    ["x".repeat(256), /255/],
  ];
  for (const [bad, reason] of reasons) check.match(checkNeuronName(bad)?.reason ?? "", reason);
});

test("NL6 parameters' names that would change the bus itself are refused with the consequence", () => {
  for (const good of ["note", "in", "out", "my_param", "é", "x".repeat(255)]) {
    check.equal(checkParameterName(good), undefined, good);
  }
  const reasons: readonly (readonly [string, RegExp])[] = [
    ["connected", /nobody can register/],
    ["known_services", /nobody can register/],
    ["uuid", /id of the bus/],
    ["range", /never arrive/],
    ["stop", /attribute/],
    ["_target", /inner attributes/],
    ["a_x_cv", /another neuron/],
  ];
  for (const [bad, reason] of reasons) {
    check.equal(checkParameterName(bad)?.rule, "parameter-reserved");
    check.match(checkParameterName(bad)?.reason ?? "", reason);
  }
  check.equal(checkParameterName("")?.rule, "parameter-name");
  check.match(checkParameterName("é".repeat(128))?.reason ?? "", /255 bytes/);
  check.match(checkParameterName("\ud800")?.reason ?? "", /Unicode/);
});

test("NL7 invalid ranges, rates, policies and parameter counts are refused by their rule", () => {
  const rule = (declared: object) => {
    const read = readDeclaration({ name: "n", parameters: {}, ...declared } as NeuronDeclaration<Declaration>);
    return isViolation(read) ? read.rule : undefined;
  };
  const ranged = (range: unknown) => rule({ parameters: { p: { range } } });
  check.equal([[0, 1], [null, 1], [1, 1], undefined].map(ranged), [undefined, undefined, undefined, undefined]);
  check.equal([[0, 1, 2], "x", [1, 0], [NaN, 1], [0], null].map(ranged), Array(6).fill("range"));
  check.equal([-1, NaN, Infinity].map((rate) => rule({ rate })), ["rate", "rate", "rate"]);
  check.equal([rule({ rate: 0 }), rule({ whileOffline: queue(3) })], [undefined, undefined]);
  check.equal(
    [queue(0), queue(1.5), queue(1e9), "keep"].map((whileOffline) => rule({ whileOffline })),
    Array(4).fill("policy"),
  );
  check.equal(rule({ name: "a_b" }), "neuron-name");
  const many = Object.fromEntries(Array.from({ length: 1_025 }, (_, at) => [`p${at}`, {}]));
  check.equal(rule({ parameters: many }), "parameter-count");
});

test("NL8 a registration contains the fields that the bus reads, and nothing else", () => {
  check.equal(
    encodeRegistration([{ name: "note", range: [0, 127] }, { name: "gate", stream: true }]),
    '{"kind":"external","parameters":[{"name":"note","range":[0,127]},{"name":"gate","stream":true}]}',
  );
  check.equal(JSON.parse(encodeAddition([])).type, "add_parameters");
});

test("NL18 a value is mapped linearly from one range to another", () => {
  check.equal(scale(64, [0, 128], [0, 1]), 0.5);
  check.equal(scale(3, [3, 3], [5, 9]), 5);
});
