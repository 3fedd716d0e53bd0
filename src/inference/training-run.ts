/** One training run: from a log of operations to the files of an artifact. */
import { hashBytes, hashText } from "../core/hash.ts";
import type { JsonObject } from "../core/json.ts";
import { type Example, readExamples } from "./examples.ts";
import { ARCHITECTURE } from "./net.ts";
import { seededRandom, shuffle } from "../core/random.ts";
import { writeTensors } from "./safetensors.ts";
import {
  CHANNELS,
  type PerChannel,
  perChannel,
  readVocabulary,
  type Vocabulary,
  wordsOf,
  writeVocabulary,
} from "./tokenizer.ts";
import { meanSquaredError, train, type TrainingOptions, type TrainingResult } from "./train.ts";

/** The input of a run. Its time, commit and environment change only the manifest. */
export interface TrainingPlan extends TrainingOptions {
  /** The text of the log, and its name in the manifest. */
  readonly log: string;
  readonly dataset: string;
  readonly operation: string;
  readonly runId: string;
  readonly createdUtc: string;
  readonly git: { readonly sha: string; readonly dirty: boolean };
  readonly environment: JsonObject;
  readonly notes: string;
  /** The share of the examples that is held out to measure the error; 0 by default. */
  readonly holdout?: number;
}

/** The files of a run by their path in the run's folder, and the loss of each epoch. */
export interface TrainingRun {
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly manifest: JsonObject;
  readonly examples: number;
  /** Entries of the log that are not examples. */
  readonly skipped: number;
  readonly losses: readonly number[];
  /** Undefined if no examples were held out. */
  readonly heldOut: HeldOutError | undefined;
}

/** Mean squared errors on examples that the net was not trained with. */
export interface HeldOutError {
  readonly examples: number;
  readonly error: number;
  /** The error of always predicting the mean. A useful net is below it. */
  readonly errorOfMean: number;
}

const WEIGHTS = "model/surrogate.safetensors";
const CONFIG = "tokenizer/tokenizer_config.json";
/** A vocabulary must not be empty: this word is used if no text is of its kind. */
const PLACEHOLDER_WORD = "[NONE]";
const WORDS_MAX = 20_000;

const vocabularyPath = (channel: string): string => `tokenizer/${channel}_vocab.txt`;

/** Trains a net, or returns the reason why it cannot. */
export function runTraining(
  plan: TrainingPlan,
  onEpoch: (epoch: number, loss: number) => void = () => {},
): TrainingRun | string {
  const log = readExamples(plan.log, plan.operation);
  if (typeof log === "string") return log;
  const { examples, skipped } = log;
  if (examples.length === 0) return `the log has no successful ${plan.operation} with two numbers`;
  const trained = trainOn(examples, plan, onEpoch);
  if (typeof trained === "string") return trained;
  const { texts, parameters, losses } = trained;
  const weights = writeTensors(new Map(parameters.map(({ name, tensor }) => [name, tensor])));
  const manifest = manifestOf(plan, texts, weights);
  const config = { version: 1, domains: [...CHANNELS], vocab_files: { ...perChannel(vocabularyPath) } };
  const files = new Map<string, string | Uint8Array>([
    ["manifest.json", `${JSON.stringify(manifest, null, 2)}\n`],
    [CONFIG, `${JSON.stringify(config, null, 2)}\n`],
    ...CHANNELS.map((channel) => [vocabularyPath(channel), texts[channel]] as const),
    [WEIGHTS, weights],
  ]);
  return { files, manifest, examples: examples.length, skipped, losses, heldOut: heldOutError(examples, plan) };
}

interface TrainedNet extends TrainingResult {
  readonly vocabularies: PerChannel<Vocabulary>;
  /** The vocabularies as files. */
  readonly texts: PerChannel<string>;
}

function trainOn(
  examples: readonly Example[],
  plan: TrainingPlan,
  onEpoch: (epoch: number, loss: number) => void = () => {},
): TrainedNet | string {
  const texts = perChannel((channel) => writeVocabulary(wordsIn(examples.map((example) => example.texts[channel]))));
  const read = perChannel((channel) => readVocabulary(texts[channel], "none"));
  const unreadable = CHANNELS.map((channel) => read[channel]).find((each) => typeof each === "string");
  if (typeof unreadable === "string") return unreadable;
  const vocabularies = read as PerChannel<Vocabulary>; // Why the cast: reasons were returned above.
  return { ...train({ examples, vocabularies }, plan, onEpoch), vocabularies, texts };
}

/**
 * The error on examples that the net was not trained with. For this, a second net is trained with the others; the artifact is trained
 * with all examples.
 */
function heldOutError(examples: readonly Example[], plan: TrainingPlan): HeldOutError | undefined {
  const shuffled = [...examples];
  shuffle(shuffled, seededRandom(plan.seed));
  const heldOut = shuffled.splice(0, Math.floor(examples.length * (plan.holdout ?? 0)));
  if (heldOut.length === 0 || shuffled.length === 0) return undefined;
  const trained = trainOn(shuffled, plan);
  if (typeof trained === "string") return undefined;
  const mean = shuffled.reduce((sum, { target }) => sum + target, 0) / shuffled.length;
  const squares = heldOut.map(({ target }) => (target - mean) * (target - mean));
  return {
    examples: heldOut.length,
    error: meanSquaredError(trained.net, heldOut, trained.vocabularies),
    errorOfMean: squares.reduce((sum, square) => sum + square, 0) / heldOut.length,
  };
}

/** The words of some texts, the most frequent first. Equally frequent words are in reverse alphabetical order, as in Keras. */
function wordsIn(texts: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text, "none")) counts.set(word, (counts.get(word) ?? 0) + 1);
  const sorted = [...counts].sort(([left, many], [right, more]) => more - many || (left < right ? 1 : -1));
  return counts.size === 0 ? [PLACEHOLDER_WORD] : sorted.slice(0, WORDS_MAX).map(([word]) => word);
}

function manifestOf(plan: TrainingPlan, texts: PerChannel<string>, weights: Uint8Array): JsonObject {
  const hashes = Object.fromEntries(
    CHANNELS.map((channel) => [vocabularyPath(channel), `sha256:${hashText(texts[channel])}`]),
  );
  return {
    schema_version: 1,
    run_id: plan.runId,
    created_utc: plan.createdUtc,
    git: { ...plan.git },
    environment: plan.environment,
    tokenizer: {
      dir: "tokenizer",
      config_file: CONFIG,
      vocab_files: { ...perChannel(vocabularyPath) },
      hashes,
    },
    model: {
      format: "safetensors",
      path: WEIGHTS,
      arch: ARCHITECTURE,
      hashes: { [WEIGHTS]: `sha256:${hashBytes(weights)}` },
    },
    training: { dataset: plan.dataset, epochs: plan.epochs, notes: plan.notes },
  };
}

/** `2026-11-23T03-37-19Z_1a2b3c4d`: ids sort by time. */
export function runIdOf(createdUtc: string, sha: string): string {
  const stamp = createdUtc.replace(/\.\d+Z$/, "Z").replaceAll(":", "-");
  return `${stamp}_${/^[0-9a-f]{8}/.test(sha) ? sha.slice(0, 8) : "nogit"}`;
}
