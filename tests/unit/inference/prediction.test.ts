/** Inference: tokens, vocabularies, artifacts, the exponential function, predictions, and tensors. */
import fc from "fast-check";
import { fromBase64, toBase64 } from "../../../src/core/base64.ts";
import { hashBytes, hashText } from "../../../src/core/hash.ts";
import { type ArtifactFiles, artifactOf } from "../../../src/inference/artifact.ts";
import { BUILT_IN } from "../../../src/inference/built-in.ts";
import { exp } from "../../../src/inference/exp.ts";
import { type DenseLayer, type Net, predict } from "../../../src/inference/net.ts";
import { readTensors, writeTensors } from "../../../src/inference/safetensors.ts";
import { NO_TOKENS, readVocabulary, tokenize, type Vocabulary } from "../../../src/inference/tokenizer.ts";
import { check } from "../../harness/check.ts";
import { test } from "#runner";

/** Why the weights of an artifact cannot be used; its tokenizers can. */
function modelErrorOf(files: ArtifactFiles): string {
  const artifact = artifactOf(files);
  check.that(typeof artifact !== "string" && artifact.net === undefined);
  return artifact.modelError ?? "";
}

const vocabulary = (...lines: readonly string[]): Vocabulary => {
  const read = readVocabulary(lines.join("\n"), "none");
  check.that(typeof read !== "string", String(read));
  return read;
};
const tokens = (of: Vocabulary, text: string): readonly number[] => {
  const read = tokenize(of, text);
  check.that(typeof read !== "string", String(read));
  return read.ids.slice(0, read.length);
};

test("BR76 words are separated by ASCII white space; unknown words are 1 and the first word is 2", () => {
  const words = vocabulary("hello", "world", "2+2");
  check.equal(tokens(words, "hello world"), [2, 3]);
  check.equal(tokens(words, " hello\tworld\n2+2\v\f\r"), [2, 3, 4]);
  check.equal(tokens(words, "Hello hello, world"), [1, 1, 3]);
  for (const space of ["\u00a0", "\u2003", "\u3000", "\u0085", "\x1c", "\x1f", "\0"]) {
    check.equal(tokens(words, `hello${space}world`), [1], `${space.charCodeAt(0)} does not separate`);
  }
  const long = tokenize(words, "hello ".repeat(70));
  check.that(typeof long !== "string" && long.length === 64 && long.ids.length === 64);
  check.equal(typeof tokenize(words, "\udc00"), "string");
});

test("BR77 the two special lines at the start are not words; empty and repeated lines are refused", () => {
  check.equal(tokens(vocabulary("", "[UNK]", "a", "b"), "a b [UNK]"), [2, 3, 1]);
  check.equal(tokens(vocabulary("[UNK]", "a"), "a [UNK]"), [3, 2]);
  check.equal(tokens(vocabulary("a\r", "b"), "a b"), [2, 3]);
  check.equal(tokens(vocabulary(" a", "b"), "b"), [3]);
  for (const text of ["", "\n[UNK]\n", "a\n\nb", "\na", "a\nb\na", "\n\n"]) {
    check.equal(typeof readVocabulary(text, "none"), "string", JSON.stringify(text));
  }
});

test("BR78 weights are used only if their hash is in the manifest and they fit the vocabularies", () => {
  check.that(typeof artifactOf(BUILT_IN) !== "string");
  const bytes = fromBase64(BUILT_IN.weights) as Uint8Array;
  for (const at of [0, 20, bytes.length >> 1, bytes.length - 1]) {
    const flipped = Uint8Array.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    check.match(modelErrorOf({ ...BUILT_IN, weights: toBase64(flipped) }), /hash of its weights/);
  }
  const english = `${BUILT_IN.vocabularies.english}more\n`;
  check.match(
    String(artifactOf({ ...BUILT_IN, vocabularies: { ...BUILT_IN.vocabularies, english } })),
    /vocabulary does not match the manifest/,
  );
  const rehashed = BUILT_IN.manifest.replace(hashText(BUILT_IN.vocabularies.english), hashText(english));
  const grown = { ...BUILT_IN, manifest: rehashed, vocabularies: { ...BUILT_IN.vocabularies, english } };
  check.match(modelErrorOf(grown), /embedding.english does not have/);
  const cut = bytes.subarray(0, bytes.length - 4);
  const manifest = BUILT_IN.manifest.replace(hashBytes(bytes), hashBytes(cut));
  check.match(modelErrorOf({ ...BUILT_IN, manifest, weights: toBase64(cut) }), /its weights: tensor/);
});

test("BR79 the exponential function has a relative error below 1e-14 and the same bits on every runtime", () => {
  check.equal([exp(0), exp(-Infinity), exp(Infinity), exp(800), exp(-800)], [1, 0, Infinity, Infinity, 0]);
  check.that(Number.isNaN(exp(NaN)));
  const results = new Float64Array(20_000);
  for (let at = 0; at < results.length; at++) {
    const x = (at - 10_000) / 14.2;
    const value = exp(x);
    results[at] = value;
    const reference = Math.exp(x);
    const error = reference > 1e-300 ? Math.abs(value / reference - 1) : 0;
    check.that(error < 1e-14, `exp(${x}) is off by ${error}`);
  }
  check.equal(hashBytes(new Uint8Array(results.buffer)), EXP_DIGEST);
});

test("BR80 predictions have the same bits on every runtime, and agree with a second implementation", () => {
  const artifact = artifactOf(BUILT_IN);
  check.that(typeof artifact !== "string" && artifact.net !== undefined);
  const { net, vocabularies } = artifact;
  const values = new Float32Array(90);
  for (let at = 0; at < values.length; at++) {
    const math = tokenize(vocabularies.math, `${at % 10} / ${1 + (at % 9)}`);
    check.that(typeof math !== "string");
    const value = predict(net, [at % 10, 1 + (at % 9)], { english: NO_TOKENS, math, physics: NO_TOKENS });
    check.that(value !== null && value === Math.fround(value));
    values[at] = value;
  }
  check.equal(hashBytes(new Uint8Array(values.buffer)), PREDICTIONS_DIGEST);
  check.that(Math.abs((values[63] ?? 0) - plainly(net, [3, 1], tokens(vocabularies.math, "3 / 1"))) < 1e-5);
});

const EXP_DIGEST = "f2854c227dfb0507202d80fe21af555052bf94cd1b22b0fb0e5f6a5182d4b691";
const PREDICTIONS_DIGEST = "95dc5d831b96a548b0af971eacce6833a6fc84c2b30dd187b90e76b5305378c9";

/** A second, simpler implementation of the net, for a text of one channel. */
function plainly(net: Net, figures: readonly number[], math: readonly number[]): number {
  const swish = (x: number): number => x / (1 + Math.exp(-x));
  const layer = ({ inputs, outputs, kernel, bias }: DenseLayer, values: readonly number[]): number[] =>
    Array.from(
      { length: outputs },
      (_, unit) =>
        values.slice(0, inputs).reduce(
          (sum, value, at) => sum + value * Number(kernel[at * outputs + unit]),
          Number(bias[unit]),
        ),
    );
  const left = net.argLayers.reduce((values, each) => layer(each, values).map(swish), [...figures]);
  const { width, rows } = net.embeddings.math;
  const zero = Array<number>(width).fill(0);
  const mean = zero.map((_, at) => math.reduce((sum, id) => sum + Number(rows[id * width + at]), 0) / math.length);
  const [third, fourth, last] = net.joinedLayers as readonly [DenseLayer, DenseLayer, DenseLayer];
  const joined = [...left, ...zero, ...mean, ...zero];
  return Number(layer(last, layer(fourth, layer(third, joined).map(swish)).map(swish))[0]);
}

test("BR81 written tensors are read back exactly, and any bytes give tensors or a reason", () => {
  fc.assert(fc.property(fc.array(fc.array(fc.float({ noNaN: true })), { maxLength: 5 }), (lists) => {
    const tensors = new Map(lists.map((list, at) => [`t${at}`, { shape: [list.length], values: Float64Array.from(list) }]));
    const read = readTensors(writeTensors(tensors));
    check.that(typeof read !== "string");
    check.equal(
      [...read].map(([name, { shape, values }]) => [name, shape, [...values]]),
      [...tensors].map(([name, { shape, values }]) => [name, shape, [...values]]),
    );
  }));
  const good = fromBase64(BUILT_IN.weights) as Uint8Array;
  fc.assert(fc.property(
    fc.oneof(
      fc.uint8Array(),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => {
        const bytes = Uint8Array.from(good);
        bytes[at % 600] = value;
        return bytes;
      }),
    ),
    (bytes) => {
      const read = readTensors(bytes);
      check.that(typeof read === "string" ? read.length > 0 : read.size >= 0);
    },
  ));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => check.equal(fromBase64(toBase64(bytes)), bytes)));
  check.equal([fromBase64("a"), fromBase64("a?==")], [undefined, undefined]);
});
