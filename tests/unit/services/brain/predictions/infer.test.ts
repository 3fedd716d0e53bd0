/** `Infer`: requests, the artifact, and stored predictions. */
import { toRequestId } from "../../../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../../../src/core/json.ts";
import type { ArtifactFiles } from "../../../../../src/inference/artifact.ts";
import { BUILT_IN } from "../../../../../src/inference/built-in.ts";
import type { PerChannel, TokenIds } from "../../../../../src/inference/tokenizer.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainFixture } from "../fixture.ts";

const EMPTY = { ids: [], length: 0 };
const withBuiltIn = () => {
  const fixture = new BrainFixture({ artifact: "built-in" });
  return { harness: fixture, peer: fixture.peer("ui") };
};
const withFiles = (files: Json) => {
  const fixture = new BrainFixture();
  fixture.artifact = files;
  return { harness: fixture, peer: fixture.peer("ui") };
};
const filesOf = (changed: Partial<ArtifactFiles> = {}): JsonObject =>
  ({ ...BUILT_IN, vocabularies: { ...BUILT_IN.vocabularies }, ...changed }) as JsonObject;

test("BR70 without an artifact Infer replies with its five keys, no tokens and null", () => {
  const fixture = new BrainFixture();
  const peer = fixture.peer("ui");
  const payload = { text: "hello", math: "2+2", physics: "g=9.8" };
  const reply = fixture.ask(peer, { cmd: "Infer", trace_id: "t", payload });
  check.equal(reply, {
    type: "infer_result",
    trace_id: "t",
    routing: { english: true, math: true, physics: true },
    tokens: { english: EMPTY, math: EMPTY, physics: EMPTY },
    prediction: { value: null },
  });
  check.equal(fixture.ask(peer, { cmd: "Infer", payload: { text: 5 } })["type"], "infer_result");
});

test("BR70b with an artifact, used channels have 64 token ids, and there is a prediction", () => {
  const { harness: fixture, peer } = withBuiltIn();
  const reply = fixture.ask(peer, { cmd: "Infer", trace_id: "t", payload: { math: "6 / 3", text: "  " } });
  const { english, math, physics } = reply["tokens"] as unknown as PerChannel<TokenIds>;
  check.equal([math.ids.length, math.length], [64, 3]);
  check.equal([english.ids.length, english.length], [64, 0]);
  check.equal(physics, EMPTY);
  check.equal(reply["routing"], { english: true, math: true, physics: false });
  check.that(typeof (reply["prediction"] as JsonObject)["value"] === "number");
});

test("BR71 a text is given if Python takes it for true", () => {
  const { harness: fixture, peer } = withFiles({ why: "none" });
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
    const { routing } = fixture.ask(peer, { cmd: "Infer", payload: { text } });
    check.equal(routing, { english, math: false, physics: false });
  }
});

test("BR72 the trace id is the first truthy of trace_id and trace, of any type, else trace-none", () => {
  const { harness: fixture, peer } = withBuiltIn();
  const trace = (fields: JsonObject) => fixture.ask(peer, { cmd: "Infer", ...fields })["trace_id"];
  check.equal(trace({}), "trace-none");
  check.equal(trace({ trace: "b" }), "b");
  check.equal(trace({ trace_id: 0, trace: { deep: 1 } }), { deep: 1 });
  check.equal(trace({ trace_id: 7, trace: "b" }), 7);
});

test("BR73 an invalid payload is refused without, an invalid text with the trace id", () => {
  const { harness: fixture, peer } = withBuiltIn();
  for (const [payload, type] of [[null, "NoneType"], [[], "list"], ["x", "str"], [5, "int"]] as const) {
    const reply = fixture.ask(peer, { cmd: "Infer", trace_id: "t", payload });
    check.equal(Object.keys(reply), ["error"]);
    check.match(String(reply["error"]), new RegExp(`'${type}' object has no attribute 'get'`));
  }
  for (const text of [5, ["one"], { a: 1 }, true, "\ud800"]) {
    const reply = fixture.ask(peer, { cmd: "Infer", trace_id: "t", payload: { text } });
    check.equal([Object.keys(reply), reply["trace_id"]], [["error", "trace_id"], "t"]);
  }
});

test("BR74 requests that arrive before the artifact has been read wait, in order", () => {
  const { harness: fixture, peer } = withFiles(filesOf());
  for (const trace_id of ["a", "b"]) fixture.send(peer, { cmd: "Infer", trace_id, payload: { math: "1" } });
  fixture.send(peer, { cmd: "Ping" });
  check.equal(fixture.seen(peer), []);
  fixture.settle();
  check.equal(fixture.seen(peer).map(({ trace_id, type }) => trace_id ?? type), ["a", "b", "Pong"]);
  check.equal(fixture.observations.filter(({ is }) => is === "artifact_loaded").length, 1);
});

test("BR74b a changed brain.artifact is read, and requests wait for it", () => {
  const fixture = new BrainFixture({ artifact: "first" });
  const peer = fixture.peer("ui");
  const infer = { cmd: "Infer", payload: { math: "6 / 3" } };
  check.equal(fixture.ask(peer, infer)["prediction"], { value: null });
  fixture.artifact = filesOf();
  const { settings } = fixture.harness;
  fixture.harness.step({ is: "configured", settings: { ...settings, brain: { ...settings.brain, covenant: "off" } } });
  check.equal(fixture.ask(peer, infer)["prediction"], { value: null });
  fixture.harness.step({ is: "configured", settings: { ...settings, brain: { ...settings.brain, artifact: "second" } } });
  fixture.send(peer, infer);
  check.equal(fixture.seen(peer), []);
  fixture.settle();
  const [reply] = fixture.seen(peer);
  check.that(typeof (reply?.["prediction"] as JsonObject)["value"] === "number");
});

test("BR74c without a run the built-in artifact predicts", () => {
  const { harness: fixture, peer } = withFiles({ no_run: true, why: "No runs available in artifacts root" });
  const { prediction } = fixture.ask(peer, { cmd: "Infer", payload: { math: "6 / 3" } });
  check.that(typeof (prediction as JsonObject)["value"] === "number");
});

test("BR74d with brain.artifact latest a newer run is used once it has been read, and the current one until then", () => {
  const { harness: fixture, peer } = withFiles({ no_run: true });
  const infer = { cmd: "Infer", payload: { math: "6 / 3" } };
  const jobs = () => fixture.ask(peer, infer) && fixture.jobs;
  check.equal(jobs(), 1);
  fixture.pass(59_000);
  check.equal(jobs(), 1, "no more than once a minute");
  fixture.artifact = filesOf({ run_id: "newer", manifest: JSON.stringify({ model: { format: "keras" } }), weights: "" });
  fixture.pass(1_000);
  const value = (reply: JsonObject) => (reply["prediction"] as JsonObject)["value"];
  check.that(typeof value(fixture.ask(peer, infer)) === "number", "the current run answers while the newer one is read");
  check.equal(value(fixture.ask(peer, infer)), null, "the newer run cannot predict");
  for (const output of [{ unchanged: true }, { no_run: true }, { why: "away" }]) {
    fixture.artifact = output;
    fixture.pass(60_000);
    for (let count = 0; count < 2; count++) {
      check.equal(value(fixture.ask(peer, infer)), null, "the current run stays in use");
    }
  }
  check.equal(fixture.observations.filter(({ is }) => is === "artifact_loaded").length, 2);
});

test("BR70c Infer takes args", () => {
  const { harness: fixture, peer } = withBuiltIn();
  const value = (fields: JsonObject) =>
    (fixture.ask(peer, { cmd: "Infer", payload: { math: "6 / 3" }, ...fields })["prediction"] as JsonObject)["value"];
  check.equal(value({}), value({ args: [0, 0] }));
  check.that(Math.abs(Number(value({ args: [6, 3] })) - 2) < 0.2, "the built-in artifact was trained with divisions");
  for (const args of [null, [1], [1, "2"], [1, 2, 3], "12"]) {
    const { code, path } = fixture.ask(peer, { cmd: "Infer", args });
    check.equal([code, path], ["BadParams", "args"]);
  }
});

test("BR75 each prediction is stored under its trace id before its reply is sent, replacing the previous one", () => {
  const { harness: fixture, peer } = withBuiltIn();
  fixture.ask(peer, { cmd: "Infer", trace_id: "test-123", payload: { text: "one" } });
  const payload = { text: "one over two", math: "1 / 2", physics: "9 m/s" };
  const reply = fixture.ask(peer, { cmd: "Infer", trace_id: "test-123", payload });
  fixture.pass(1_000);
  const read = (at: BrainFixture): JsonObject => {
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
  for (const at of [fixture, fixture.restart()]) {
    const { ts, ...row } = read(at);
    check.match(String(ts), /^\d{4}-\d\d-\d\dT.*Z$/);
    check.equal<Json>(row as Json, {
      trace_id: "test-123",
      run_id: "built-in",
      routing: { english: true, math: true, physics: true },
      token_lengths: { english: 3, math: 3, physics: 2 },
      prediction: reply["prediction"] ?? null,
    });
  }
  check.equal([...fixture.disk.keys()].filter((key) => key.startsWith("brain/prediction/")).length, 1);
});

test("BR75c GetPrediction returns the last prediction under a trace id, also after a restart", () => {
  const { harness: fixture, peer } = withBuiltIn();
  for (const math of ["1 / 2", "6 / 3"]) fixture.ask(peer, { cmd: "Infer", trace_id: { deep: 1 }, payload: { math } });
  const { prediction } = fixture.ask(peer, { cmd: "Infer", trace: "other", payload: { text: "one" } });
  for (const at of [fixture, fixture.restart()]) {
    const reader = at.peer("reader");
    const found = at.ask(reader, { cmd: "GetPrediction", trace: "other", request_id: 7 });
    check.match(String(found["ts"]), /^\d{4}-\d\d-\d\dT.*Z$/);
    check.equal<Json>({ ...found, ts: "" } as Json, {
      type: "Prediction",
      trace_id: "other",
      run_id: "built-in",
      routing: { english: true, math: false, physics: false },
      token_lengths: { english: 1, math: 0, physics: 0 },
      prediction: prediction ?? null,
      ts: "",
      request_id: 7,
    });
    check.equal(at.ask(reader, { cmd: "GetPrediction", trace_id: { deep: 1 } })["type"], "Prediction");
    check.equal(at.ask(reader, { cmd: "GetPrediction", trace_id: "none" }), {
      error: "no prediction is stored for trace 'none'",
    });
  }
});

test("BR75b a prediction that cannot be stored is answered unchanged", () => {
  const { harness: fixture, peer } = withBuiltIn();
  fixture.store = () => "fail";
  check.equal(fixture.ask(peer, { cmd: "Infer", payload: { math: "1" } })["type"], "infer_result");
});

test("BR75 each prediction is observed once, before its reply", () => {
  const { harness: fixture, peer } = withBuiltIn();
  fixture.ask(peer, { cmd: "Infer", payload: { text: 5 } });
  fixture.ask(peer, { cmd: "Infer", trace_id: "t", payload: { math: "1" } });
  const facts = fixture.observations.filter(({ is }) => is === "inferred");
  check.equal(facts.length, 1);
});

test("BR78 the reason why an artifact is refused is observed, and predictions are null", () => {
  for (const files of [filesOf({ manifest: "no" }), { nonsense: true }]) {
    const { harness: fixture, peer } = withFiles(files);
    const reply = fixture.ask(peer, { cmd: "Infer", payload: { math: "1" } });
    check.equal([reply["prediction"], (reply["tokens"] as JsonObject)["math"]] as Json, [{ value: null }, EMPTY]);
    check.that(fixture.observations.some(({ is }) => is === "artifact_refused"));
  }
});

test("BR78b damaged weights do not disable the tokenizers", () => {
  const [first = "", ...rest] = BUILT_IN.weights;
  for (const weights of ["", `${first === "A" ? "B" : "A"}${rest.join("")}`]) {
    const { harness: fixture, peer } = withFiles(filesOf({ weights }));
    const reply = fixture.ask(peer, { cmd: "Infer", payload: { math: "6 / 3" } });
    check.equal(reply["prediction"], { value: null });
    check.equal(((reply["tokens"] as JsonObject)["math"] as JsonObject)["length"], 3);
    check.that(fixture.observations.some(({ is }) => is === "artifact_refused"), "the reason is observed");
  }
});

test("BR87 from a manifest with another model format only the vocabularies are used", () => {
  for (const format of ["saved_model", "keras"]) {
    const { harness: fixture, peer } = withFiles(filesOf({ manifest: JSON.stringify({ model: { format } }), weights: "" }));
    const reply = fixture.ask(peer, { cmd: "Infer", payload: { math: "6 / 3" } });
    check.equal(reply["prediction"], { value: null });
    check.equal(((reply["tokens"] as JsonObject)["math"] as JsonObject)["length"], 3);
  }
});
