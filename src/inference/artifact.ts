/**
 * Artifacts: three vocabularies and a net, from the files of one training run.
 *
 * A job reads the files; this file verifies them. Weights are used only if their hash is the one in the manifest. Without usable
 * weights, and with a manifest for another model format, an artifact gives tokens and no predictions.
 */
import { hashBytes, hashText } from "../core/hash.ts";
import { isObject, type Json, type JsonObject, parsePlainJson } from "../core/json.ts";
import { fromBase64 } from "../core/base64.ts";
import { ARCHITECTURE, type Net, netOf } from "./net.ts";
import { readTensors } from "./safetensors.ts";
import { CHANNELS, type PerChannel, perChannel, readVocabulary, type Standardize, type Vocabulary } from "./tokenizer.ts";

export interface Artifact {
  readonly runId: string;
  readonly vocabularies: PerChannel<Vocabulary>;
  /** Undefined for a model that only other programs can run, and for damaged weights. */
  readonly net: Net | undefined;
  /** Why the weights cannot be used; undefined if they can, or if the model is one of another program. */
  readonly modelError: string | undefined;
}

/** The contents of the files of one run. */
export interface ArtifactFiles {
  readonly run_id: string;
  readonly manifest: string;
  /** The configuration of the tokenizer; empty if there is none. */
  readonly config: string;
  readonly vocabularies: PerChannel<string>;
  /** The weights as base64; empty if the manifest names none that can be used, or if they could not be read. */
  readonly weights: string;
  /** Why the weights could not be read. */
  readonly weights_error?: string;
}

const DEPTH_MAX = 32;

/** True for the output of the job that reads artifacts. */
export function isArtifactFiles(value: Json | undefined): value is Json & ArtifactFiles {
  if (!isObject(value)) return false;
  const { run_id, manifest, config, weights, weights_error = "", vocabularies } = value;
  const texts = [
    run_id,
    weights_error,
    manifest,
    config,
    weights,
    ...(isObject(vocabularies) ? CHANNELS.map((each) => vocabularies[each]) : []),
  ];
  return texts.length === 5 + CHANNELS.length && texts.every((text) => typeof text === "string");
}

/** The artifact in some files, or the reason why the files are not an artifact. */
export function artifactOf(files: ArtifactFiles): Artifact | string {
  const manifest = parsePlainJson(files.manifest, DEPTH_MAX);
  if (!isObject(manifest)) return "its manifest is not a JSON object";
  const { model: described } = manifest;
  const model = isObject(described) ? described : {};
  const standardize = standardizeOf(parsePlainJson(files.config || "{}", DEPTH_MAX));
  const vocabularies = perChannel((channel) =>
    readVocabulary(files.vocabularies[channel], channel === "english" ? standardize : "none")
  );
  for (const channel of CHANNELS) {
    const read = vocabularies[channel];
    if (typeof read === "string") return `the ${channel} vocabulary: ${read}`;
  }
  const read = perChannel((channel) => vocabularies[channel] as Vocabulary); // Why the cast: reasons were returned above.
  const tokenizers = { runId: files.run_id, vocabularies: read };
  if (model["format"] !== "safetensors") return { ...tokenizers, net: undefined, modelError: undefined };
  const mismatch = vocabularyMismatch(manifest, files);
  if (mismatch !== undefined) return mismatch;
  const net = files.weights_error ?? weightsOf(model, files.weights, read);
  // Why the tokenizers are kept: they do not depend on the weights.
  return typeof net === "string"
    ? { ...tokenizers, net: undefined, modelError: net }
    : { ...tokenizers, net, modelError: undefined };
}

function standardizeOf(config: Json | undefined): Standardize {
  const meta = isObject(config) ? config["meta"] : undefined;
  const asked = isObject(meta) ? meta["english_standardize"] : undefined;
  return asked === "lower_pad_punctuation" ? asked : "none";
}

/** Each word has its row of weights, so a changed vocabulary makes the weights wrong. */
function vocabularyMismatch({ tokenizer }: JsonObject, { vocabularies }: ArtifactFiles): string | undefined {
  const { vocab_files: names, hashes } = isObject(tokenizer) ? tokenizer : {};
  for (const channel of CHANNELS) {
    const name = isObject(names) ? names[channel] : undefined;
    const wanted = isObject(hashes) && typeof name === "string" ? hashes[name] : undefined;
    if (wanted !== `sha256:${hashText(vocabularies[channel])}`) {
      return `the hash of the ${channel} vocabulary does not match the manifest`;
    }
  }
  return undefined;
}

function weightsOf(model: JsonObject, weights: string, vocabularies: PerChannel<Vocabulary>): Net | string {
  const { arch, path, hashes } = model;
  if (arch !== ARCHITECTURE) return `its architecture is not ${ARCHITECTURE}`;
  const bytes = fromBase64(weights);
  if (bytes === undefined || bytes.length === 0) return "its weights are missing";
  const wanted = isObject(hashes) && typeof path === "string" ? hashes[path] : undefined;
  if (wanted !== `sha256:${hashBytes(bytes)}`) return "the hash of its weights does not match the manifest";
  const tensors = readTensors(bytes);
  return typeof tensors === "string" ? `its weights: ${tensors}` : netOf(tensors, vocabularies);
}
