/**
 * The recipe of the built-in artifact, so that it can be reproduced.
 *
 * `bun tests/unit/inference/built-in-recipe.ts > src/inference/built-in.ts && deno fmt src/inference/built-in.ts`
 */
import { toBase64 } from "../../../src/core/base64.ts";
import { runTraining, SIZES } from "../../../src/inference/mod.ts";
import { check } from "../../harness/check.ts";

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] as const;
const LINE = 110;

/** Small divisions, each described in one of three ways. */
export function divisions(): string {
  const entries: unknown[] = [];
  for (let left = 0; left <= 9; left++) {
    for (let right = 1; right <= 9; right++) {
      const texts = [
        `${left} / ${right}`,
        `${left} m / ${right} s is ${left} m/s by ${right}`,
        `${WORDS[left]} over ${WORDS[right]}`,
      ];
      entries.push({
        op: "safeDiv",
        args: [left, right],
        res: { ok: true, value: left / right },
        text: texts[(left + right) % 3],
      });
    }
  }
  return JSON.stringify(entries);
}

/** The files of the artifact as texts. */
export function makeBuiltIn(): { manifest: string; config: string; vocabularies: Record<string, string>; weights: string } {
  const run = runTraining({
    log: divisions(),
    dataset: "small divisions",
    operation: "safeDiv",
    seed: 1,
    epochs: 60,
    batch: 8,
    rate: 0.01,
    sizes: SIZES.small,
    runId: "built-in",
    createdUtc: "2026-11-24T00:00:00Z",
    git: { sha: "nogit", dirty: false },
    environment: {},
    notes: "comes with the program",
  });
  check.that(typeof run !== "string");
  const text = (path: string): string => String(run.files.get(path) ?? "");
  const weights = run.files.get("model/surrogate.safetensors");
  check.that(weights instanceof Uint8Array);
  return {
    manifest: text("manifest.json"),
    config: text("tokenizer/tokenizer_config.json"),
    vocabularies: Object.fromEntries(
      ["english", "math", "physics"].map((each) => [each, text(`tokenizer/${each}_vocab.txt`)]),
    ),
    weights: toBase64(weights),
  };
}

/** The plan of `neuro-relay brain train log.json --epochs 2 --size small` with the log `divisions()`. */
export const PLAN_OF_COMMAND = {
  log: divisions(),
  dataset: "log.json",
  operation: "safeDiv",
  seed: 1,
  epochs: 2,
  batch: 32,
  rate: 0.001,
  sizes: SIZES.small,
};

/** The hashes of the weights and predictions that this plan gives on every runtime. */
export const GOLDEN = {
  weights: "eefbcedbe03d2c62fbf9c613834a9da2d82e5fbcf60194be1dd1b5ea7d54cd1f",
  predictions: "0d51f9f6933f70832bd0e1abc4159a71c4fd878b5f6e4b99117f4309dd982f0b",
} as const;

/** The source of `built-in.ts`. */
function builtInSource(): string {
  const { weights, manifest, config, vocabularies } = makeBuiltIn();
  const lines = weights.match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  const quoted = (text: string): string => JSON.stringify(text);
  return [
    "/** The artifact that is part of the program: small, for places without files. Made by `tests/unit/inference/built-in-recipe.ts`. */",
    'import type { ArtifactFiles } from "./artifact.ts";',
    "",
    "/** The contents of its files. */",
    "export const BUILT_IN: ArtifactFiles = {",
    '  run_id: "built-in",',
    "  manifest: [",
    ...manifest.split("\n").map((line) => `    ${quoted(line)},`),
    '  ].join("\\n"),',
    "  config: [",
    ...config.split("\n").map((line) => `    ${quoted(line)},`),
    '  ].join("\\n"),',
    "  vocabularies: {",
    ...Object.entries(vocabularies).map(([name, text]) =>
      `    ${name}: [${text.split("\n").map(quoted).join(", ")}].join("\\n"),`
    ),
    "  },",
    "  weights: [",
    ...lines.map((line) => `    ${quoted(line)},`),
    '  ].join(""),',
    "};",
    "",
  ].join("\n");
}

if (import.meta.main) console.log(builtInSource().trimEnd());
