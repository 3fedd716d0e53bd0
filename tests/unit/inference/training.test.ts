/** Training, domain detection and unit normalization. */
import fc from "fast-check";
import { artifactOf } from "../../../src/inference/artifact.ts";
import { toBase64 } from "../../../src/core/base64.ts";
import { BUILT_IN } from "../../../src/inference/built-in.ts";
import { detectDomain, normalizeUnits, runTraining, SIZES } from "../../../src/inference/mod.ts";
import { hashBytes } from "../../../src/core/hash.ts";
import type { Json } from "../../../src/core/json.ts";
import { check } from "../../harness/check.ts";
import { test } from "#runner";
import { BrainFixture } from "../services/brain/fixture.ts";
import { divisions, GOLDEN, makeBuiltIn, PLAN_OF_COMMAND } from "./built-in-recipe.ts";

const plan = {
  log: divisions(),
  dataset: "d",
  operation: "safeDiv",
  seed: 1,
  epochs: 20,
  batch: 8,
  rate: 0.01,
  sizes: SIZES.small,
  runId: "r",
  createdUtc: "2026-01-01T00:00:00Z",
  git: { sha: "nogit", dirty: false },
  environment: {},
  notes: "",
};

test("BR82 training reduces the loss, and the same log and seed give the same weights", () => {
  const [first, again, other] = [runTraining(plan), runTraining(plan), runTraining({ ...plan, seed: 2 })];
  check.that(typeof first !== "string" && typeof again !== "string" && typeof other !== "string");
  check.equal(first.files, again.files);
  const weights = "model/surrogate.safetensors";
  check.that(hashBytes(first.files.get(weights) as Uint8Array) !== hashBytes(other.files.get(weights) as Uint8Array));
  const { losses } = first;
  check.that(losses.every(Number.isFinite) && (losses.at(-1) ?? 9) < (losses[0] ?? 0) / 4, losses.join());
});

test("BR82 entries that are not examples are skipped, and a log without examples is refused", () => {
  const entry = (changed: object) =>
    JSON.stringify({ op: "safeDiv", args: [1, 2], res: { ok: true, value: 0.5 }, ...changed });
  const lines = [
    entry({}),
    entry({ op: "other" }),
    entry({ res: { ok: false, value: 1 } }),
    entry({ args: [1] }),
    entry({ args: [1, "2"] }),
    entry({ res: { ok: true, value: null } }),
    entry({ text: 5 }),
    "",
  ];
  const run = runTraining({ ...plan, log: lines.join("\n"), epochs: 1 });
  check.that(typeof run !== "string" && run.examples === 2);
  check.match(String(runTraining({ ...plan, log: "[]" })), /no successful safeDiv/);
  check.match(String(runTraining({ ...plan, log: "{}\nno" })), /line 2 of the log is not JSON/);
});

test("BR82c training reports skipped entries and the error on held-out examples", () => {
  const skipping = JSON.stringify([...JSON.parse(divisions()), { op: "other" }, {}]);
  const run = runTraining({ ...plan, log: skipping, epochs: 60, holdout: 0.1 });
  const without = runTraining({ ...plan, log: skipping, epochs: 60 });
  check.that(typeof run !== "string" && typeof without !== "string" && run.heldOut !== undefined);
  check.equal([run.examples, run.skipped, run.heldOut.examples], [90, 2, 9]);
  check.that(run.heldOut.error < run.heldOut.errorOfMean / 4, `${run.heldOut.error} ${run.heldOut.errorOfMean}`);
  check.equal(without.heldOut, undefined);
  check.equal(run.files, without.files, "the artifact is trained with all examples");
});

/** A trained artifact as the job that reads artifacts returns it. */
function readBack(files: ReadonlyMap<string, string | Uint8Array>) {
  const text = (path: string) => String(files.get(path));
  const weights = files.get("model/surrogate.safetensors");
  check.that(weights instanceof Uint8Array);
  return {
    run_id: "r",
    manifest: text("manifest.json"),
    config: text("tokenizer/tokenizer_config.json"),
    vocabularies: {
      english: text("tokenizer/english_vocab.txt"),
      math: text("tokenizer/math_vocab.txt"),
      physics: text("tokenizer/physics_vocab.txt"),
    },
    weights: toBase64(weights),
  };
}

test("BR82 a trained artifact can be loaded", () => {
  const run = runTraining({ ...plan, epochs: 1 });
  check.that(typeof run !== "string");
  const artifact = artifactOf(readBack(run.files));
  check.that(typeof artifact !== "string" && artifact.net !== undefined, String(artifact));
});

test("BR80 BR82b an artifact that the command trains predicts the same bits on every runtime", () => {
  const run = runTraining({ ...plan, ...PLAN_OF_COMMAND });
  check.that(typeof run !== "string");
  const weights = run.files.get("model/surrogate.safetensors");
  check.that(weights instanceof Uint8Array);
  check.equal(hashBytes(weights), GOLDEN.weights);
  const fixture = new BrainFixture();
  fixture.artifact = readBack(run.files);
  const peer = fixture.peer("ui");
  const predicted = new Float64Array(81);
  for (let at = 0; at < predicted.length; at++) {
    const [left, right] = [Math.floor(at / 9), 1 + (at % 9)];
    const payload = {
      math: `${left} / ${right}`,
      physics: `${left} m / ${right} s`,
      text: at % 2 === 0 ? "six over three" : "",
    };
    const { value } = fixture.ask(peer, { cmd: "Infer", payload })["prediction"] as { readonly value: number };
    predicted[at] = value;
  }
  check.that(new Set(predicted).size > 40, "most of them differ");
  check.equal(hashBytes(new Uint8Array(predicted.buffer)), GOLDEN.predictions);
});

test("BR86 the built-in artifact is the result of its recipe, byte for byte, on every runtime", () => {
  const { run_id: _, ...files } = BUILT_IN;
  check.equal<Json>(makeBuiltIn(), files as unknown as Json);
});

test("BR83 the kind of a text is detected, without the original's errors", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [5, "english"],
    ["Hello world", "english"],
    ["there are rare words", "english"],
    ["2+2", "math"],
    ["2 × 3", "math"],
    ["(1 - 2) / 3%", "math"],
    ["٣ + ٤", "math"],
    ["x^2", "math"],
    ["\\frac{a}{b}", "math"],
    ["d/dx of f", "math"],
    ["sin of an angle", "math"],
    ["9.81 m/s^2", "physics"],
    ["9.81 m/s²", "physics"],
    ["12.V", "physics"],
    ["1e5 Pa", "physics"],
    ["5 kg of flour", "physics"],
    ["5 kgs", "english"],
    ["the force on it", "physics"],
    ["E = mc^2", "math"],
    ["", "english"],
  ];
  for (const [text, domain] of cases) check.equal(detectDomain(text), domain, String(text));
});

test("BR84 units have one normal form, without the original's errors", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["kg m / s^2", "kg m s^-2"],
    ["m⋅kg/s²", "kg m s^-2"],
    ["m/s kg", "kg^-1 m s^-1"],
    ["m / s / s", "m s^-2"],
    ["m²", "m^2"],
    ["s⁻¹", "s^-1"],
    ["m / m", ""],
    ["km * km", "km^2"],
    ["6 N / 3 m", "3^-1 6 N m^-1"],
    ["", ""],
  ];
  for (const [text, form] of cases) check.equal(normalizeUnits(text), form);
  check.equal(normalizeUnits("6 N / 3 m", { expand: true }), "3^-1 6 kg s^-2");
  check.equal(normalizeUnits("J / N", { expand: true }), "m");
  check.equal(normalizeUnits("V A", { expand: true }), normalizeUnits("W", { expand: true }));
  check.equal([normalizeUnits("m^2^3"), normalizeUnits("m^x"), normalizeUnits("^2")], [undefined, undefined, undefined]);
  fc.assert(fc.property(fc.string(), (text) => {
    const form = normalizeUnits(text);
    if (form !== undefined) check.equal(normalizeUnits(form), form);
  }));
});
