/** `Infer`: requests, tokens, weights, predictions, and what they are recorded as. */
import fc from "fast-check";
import { type ArtifactFiles, artifactOf } from "../../../../../src/inference/artifact.ts";
import { fromBase64, toBase64 } from "../../../../../src/core/base64.ts";
import { BUILT_IN } from "../../../../../src/inference/built-in.ts";
import { exp } from "../../../../../src/inference/exp.ts";
import { readTensors, writeTensors } from "../../../../../src/inference/safetensors.ts";
import {
  NO_TOKENS,
  type PerChannel,
  readVocabulary,
  type TokenIds,
  tokenize,
  type Vocabulary,
} from "../../../../../src/inference/tokenizer.ts";
import { type DenseLayer, type Net, predict } from "../../../../../src/inference/net.ts";
import { hashBytes, hashText } from "../../../../../src/core/hash.ts";
import { toRequestId } from "../../../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainStage } from "../fixture.ts";

const EMPTY = { ids: [], length: 0 };
const withBuiltIn = () => {
  const stage = new BrainStage({ artifact: "built-in" });
  return { stage, peer: stage.peer("ui") };
};
const withFiles = (files: Json) => {
  const stage = new BrainStage();
  stage.artifact = files;
  return { stage, peer: stage.peer("ui") };
};
const filesOf = (changed: Partial<ArtifactFiles> = {}): JsonObject =>
  ({ ...BUILT_IN, vocabularies: { ...BUILT_IN.vocabularies }, ...changed }) as JsonObject;

test("BR70 without an artifact Infer answers with its five keys, no tokens and no prediction", () => {
  const stage = new BrainStage();
  const peer = stage.peer("ui");
  const payload = { text: "hello", math: "2+2", physics: "g=9.8" };
  const reply = stage.ask(peer, { cmd: "Infer", trace_id: "t", payload });
  check.equal(reply, {
    type: "infer_result",
    trace_id: "t",
    routing: { english: true, math: true, physics: true },
    tokens: { english: EMPTY, math: EMPTY, physics: EMPTY },
    prediction: { value: null },
  });
  check.equal(stage.ask(peer, { cmd: "Infer", payload: { text: 5 } })["type"], "infer_result");
});

test("BR70 with an artifact the channels that are used have 64 tokens, and there is a prediction", () => {
  const { stage, peer } = withBuiltIn();
  const reply = stage.ask(peer, { cmd: "Infer", trace_id: "t", payload: { math: "6 / 3", text: "  " } });
  const { english, math, physics } = reply["tokens"] as unknown as PerChannel<TokenIds>;
  check.equal([math.ids.length, math.length], [64, 3]);
  check.equal([english.ids.length, english.length], [64, 0]);
  check.equal(physics, EMPTY);
  check.equal(reply["routing"], { english: true, math: true, physics: false });
  check.that(typeof (reply["prediction"] as JsonObject)["value"] === "number");
});

test("BR71 what counts as given is what the original took for true", () => {
  const { stage, peer } = withFiles({ why: "none" });
  const cases: readonly (readonly [Json, boolean])[] = [
    ["0", true],
    [" ", true],
    [5, true],
    [[0], true],
    [{ a: 1 }, true],
    ["", false],
    [0, false],
    [[], false],
    [{}, false],
    [null, false],
    [false, false],
  ];
  for (const [text, english] of cases) {
    const { routing } = stage.ask(peer, { cmd: "Infer", payload: { text } });
    check.equal(routing, { english, math: false, physics: false });
  }
});

test("BR72 the trace id is the first of trace_id and trace that is given, of any kind, else trace-none", () => {
  const { stage, peer } = withBuiltIn();
  const trace = (fields: JsonObject) => stage.ask(peer, { cmd: "Infer", ...fields })["trace_id"];
  check.equal(trace({}), "trace-none");
  check.equal(trace({ trace: "b" }), "b");
  check.equal(trace({ trace_id: 0, trace: { deep: 1 } }), { deep: 1 });
  check.equal(trace({ trace_id: 7, trace: "b" }), 7);
});

test("BR73 a payload that is no object is refused without, a text that cannot be read with the trace id", () => {
  const { stage, peer } = withBuiltIn();
  for (const [payload, type] of [[null, "NoneType"], [[], "list"], ["x", "str"], [5, "int"]] as const) {
    const reply = stage.ask(peer, { cmd: "Infer", trace_id: "t", payload });
    check.equal(Object.keys(reply), ["error"]);
    check.match(String(reply["error"]), new RegExp(`'${type}' object has no attribute 'get'`));
  }
  for (const text of [5, ["one"], { a: 1 }, true, "\ud800"]) {
    const reply = stage.ask(peer, { cmd: "Infer", trace_id: "t", payload: { text } });
    check.equal([Object.keys(reply), reply["trace_id"]], [["error", "trace_id"], "t"]);
  }
});

test("BR74 requests that come before the artifact is read wait for it, in order", () => {
  const { stage, peer } = withFiles(filesOf());
  for (const trace_id of ["a", "b"]) stage.send(peer, { cmd: "Infer", trace_id, payload: { math: "1" } });
  stage.send(peer, { cmd: "Ping" });
  check.equal(stage.seen(peer), []);
  stage.settle();
  check.equal(stage.seen(peer).map(({ trace_id, type }) => trace_id ?? type), ["a", "b", "Pong"]);
  check.equal(stage.observations.filter(({ is }) => is === "artifact_loaded").length, 1);
});

test("BR74 another artifact is read once the settings name one, and requests wait for it", () => {
  const stage = new BrainStage({ artifact: "first" });
  const peer = stage.peer("ui");
  const infer = { cmd: "Infer", payload: { math: "6 / 3" } };
  check.equal(stage.ask(peer, infer)["prediction"], { value: null });
  stage.artifact = filesOf();
  const { settings } = stage.harness;
  stage.harness.step({ is: "configured", settings: { ...settings, brain: { ...settings.brain, covenant: "off" } } });
  check.equal(stage.ask(peer, infer)["prediction"], { value: null });
  stage.harness.step({ is: "configured", settings: { ...settings, brain: { ...settings.brain, artifact: "second" } } });
  stage.send(peer, infer);
  check.equal(stage.seen(peer), []);
  stage.settle();
  const [reply] = stage.seen(peer);
  check.that(typeof (reply?.["prediction"] as JsonObject)["value"] === "number");
});

test("BR75 each prediction is on record under its trace id before its reply leaves; the last one counts", () => {
  const { stage, peer } = withBuiltIn();
  stage.ask(peer, { cmd: "Infer", trace_id: "test-123", payload: { text: "one" } });
  const payload = { text: "one over two", math: "1 / 2", physics: "9 m/s" };
  const reply = stage.ask(peer, { cmd: "Infer", trace_id: "test-123", payload });
  stage.pass(1_000);
  const read = (at: BrainStage): JsonObject => {
    at.harness.step({
      is: "requested",
      requestId: toRequestId("1"),
      principal: { by: "test", scopes: [] },
      request: { of: "brain", get: "prediction", trace_id: "test-123" },
    });
    for (const effect of at.harness.take()) {
      if (effect.do !== "load") continue;
      const entries = effect.keys.map((key) => ({ key, value: at.disk.get(key) ?? null }));
      at.harness.step({ is: "loaded", token: effect.token, entries });
    }
    const answer = at.harness.take().find((effect) => effect.do === "respond");
    return answer?.do === "respond" ? answer.body as JsonObject : {};
  };
  for (const at of [stage, stage.restart()]) {
    const { ts, ...row } = read(at);
    check.match(String(ts), /^\d{4}-\d\d-\d\dT.*Z$/);
    check.equal<Json>(row as Json, {
      v: 1,
      trace_id: "test-123",
      run_id: "built-in",
      routing: { english: true, math: true, physics: true },
      token_lengths: { english: 3, math: 3, physics: 2 },
      prediction: (reply["prediction"] as JsonObject)["value"] ?? null,
    });
  }
  check.equal([...stage.disk.keys()].filter((key) => key.startsWith("brain/prediction/")).length, 1);
});

test("BR75 a prediction that cannot be recorded is answered all the same", () => {
  const { stage, peer } = withBuiltIn();
  stage.store = () => "fail";
  check.equal(stage.ask(peer, { cmd: "Infer", payload: { math: "1" } })["type"], "infer_result");
});

test("BR75 one fact is observed for each successful prediction, before its reply", () => {
  const { stage, peer } = withBuiltIn();
  stage.ask(peer, { cmd: "Infer", payload: { text: 5 } });
  stage.ask(peer, { cmd: "Infer", trace_id: "t", payload: { math: "1" } });
  const facts = stage.observations.filter(({ is }) => is === "inferred");
  check.equal(facts.length, 1);
});

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

test("BR76 words are what lies between ASCII white space, as they are; unknown ones are 1 and the first is 2", () => {
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

test("BR77 the leading pair of special lines is no pair of words; empty and repeated lines are refused", () => {
  check.equal(tokens(vocabulary("", "[UNK]", "a", "b"), "a b [UNK]"), [2, 3, 1]);
  check.equal(tokens(vocabulary("[UNK]", "a"), "a [UNK]"), [3, 2]);
  check.equal(tokens(vocabulary("a\r", "b"), "a b"), [2, 3]);
  check.equal(tokens(vocabulary(" a", "b"), "b"), [3]);
  for (const text of ["", "\n[UNK]\n", "a\n\nb", "\na", "a\nb\na", "\n\n"]) {
    check.equal(typeof readVocabulary(text, "none"), "string", JSON.stringify(text));
  }
});

test("BR78 weights are used only with the hash of the manifest, and only if they fit the vocabularies", () => {
  check.that(typeof artifactOf(BUILT_IN) !== "string");
  const bytes = fromBase64(BUILT_IN.weights) as Uint8Array;
  for (const at of [0, 20, bytes.length >> 1, bytes.length - 1]) {
    const flipped = Uint8Array.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    check.match(String(artifactOf({ ...BUILT_IN, weights: toBase64(flipped) })), /hash of its weights/);
  }
  const english = `${BUILT_IN.vocabularies.english}more\n`;
  check.match(
    String(artifactOf({ ...BUILT_IN, vocabularies: { ...BUILT_IN.vocabularies, english } })),
    /not the manifest's/,
  );
  const rehashed = BUILT_IN.manifest.replace(hashText(BUILT_IN.vocabularies.english), hashText(english));
  const grown = { ...BUILT_IN, manifest: rehashed, vocabularies: { ...BUILT_IN.vocabularies, english } };
  check.match(String(artifactOf(grown)), /embedding.english has not/);
  const cut = bytes.subarray(0, bytes.length - 4);
  const manifest = BUILT_IN.manifest.replace(hashBytes(bytes), hashBytes(cut));
  check.match(String(artifactOf({ ...BUILT_IN, manifest, weights: toBase64(cut) })), /its weights: tensor/);
});

test("BR78 an artifact that cannot be used is said to be so, and predictions are null", () => {
  for (const files of [filesOf({ weights: "" }), filesOf({ manifest: "no" }), { nonsense: true }]) {
    const { stage, peer } = withFiles(files);
    const reply = stage.ask(peer, { cmd: "Infer", payload: { math: "1" } });
    check.equal([reply["prediction"], (reply["tokens"] as JsonObject)["math"]] as Json, [{ value: null }, EMPTY]);
    check.that(stage.observations.some(({ is }) => is === "artifact_refused"));
  }
});

test("BR87 of a manifest for another program the vocabularies are used, and there is no prediction", () => {
  for (const format of ["saved_model", "keras"]) {
    const { stage, peer } = withFiles(filesOf({ manifest: JSON.stringify({ model: { format } }), weights: "" }));
    const reply = stage.ask(peer, { cmd: "Infer", payload: { math: "6 / 3" } });
    check.equal(reply["prediction"], { value: null });
    check.equal(((reply["tokens"] as JsonObject)["math"] as JsonObject)["length"], 3);
  }
});

test("BR79 the exponential function is right to a few units in the last place, and the same bytes everywhere", () => {
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

test("BR80 predictions are the same bytes everywhere, and what a plain reading of the net gives", () => {
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

/** The same net once more, as simply as it can be said, for a text of one channel. */
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
  const left = net.figures.reduce((values, each) => layer(each, values).map(swish), [...figures]);
  const { width, rows } = net.embeddings.math;
  const zero = Array<number>(width).fill(0);
  const mean = zero.map((_, at) => math.reduce((sum, id) => sum + Number(rows[id * width + at]), 0) / math.length);
  const [third, fourth, last] = net.joined as readonly [DenseLayer, DenseLayer, DenseLayer];
  const joined = [...left, ...zero, ...mean, ...zero];
  return Number(layer(last, layer(fourth, layer(third, joined).map(swish)).map(swish))[0]);
}

test("BR81 tensors that are written are read back to the last bit, and any bytes are tensors or a reason", () => {
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
