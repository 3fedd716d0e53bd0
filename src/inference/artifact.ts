/**
 * What predictions are made with: three vocabularies and a net, read from the files of one training run.
 *
 * Reading the files is somebody else's; here they are judged. Weights are used only if their hash is the manifest's, and a manifest
 * of another format gives the tokens and no predictions.
 */
import { hashBytes, hashText } from "../core/hash.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../core/json.ts";
import { fromBase64 } from "../core/base64.ts";
import { ARCHITECTURE, type Net, netOf } from "./net.ts";
import { readTensors } from "./safetensors.ts";
import { CHANNELS, type PerChannel, perChannel, readVocabulary, type Standardize, type Vocabulary } from "./tokenizer.ts";

export interface Artifact {
  readonly runId: string;
  readonly vocabularies: PerChannel<Vocabulary>;
  /** Absent for models that only other programs can run. */
  readonly net: Net | undefined;
}

/** The files of one run, as they were read. */
export interface ArtifactFiles {
  readonly run_id: string;
  readonly manifest: string;
  /** The tokenizer's own settings; empty when there are none. */
  readonly config: string;
  readonly vocabularies: PerChannel<string>;
  /** Base64 of the file of weights; empty when the manifest names none that could be used. */
  readonly weights: string;
}

const DEPTH_MAX = 32;

/** True for files as a job hands them over. */
export function isArtifactFiles(value: Json | undefined): value is Json & ArtifactFiles {
  if (!isObject(value)) return false;
  const { run_id, manifest, config, weights, vocabularies } = value;
  const texts = [
    run_id,
    manifest,
    config,
    weights,
    ...(isObject(vocabularies) ? CHANNELS.map((each) => vocabularies[each]) : []),
  ];
  return texts.length === 4 + CHANNELS.length && texts.every((text) => typeof text === "string");
}

/** The artifact in some files, or in words why there is none. */
export function artifactOf(files: ArtifactFiles): Artifact | string {
  const manifest = parseJson(files.manifest, DEPTH_MAX);
  if (!isObject(manifest)) return "its manifest is not a JSON object";
  const { model: described } = manifest;
  const model = isObject(described) ? described : {};
  const standardize = standardizeOf(parseJson(files.config || "{}", DEPTH_MAX));
  const vocabularies = perChannel((channel) =>
    readVocabulary(files.vocabularies[channel], channel === "english" ? standardize : "none")
  );
  for (const channel of CHANNELS) {
    const read = vocabularies[channel];
    if (typeof read === "string") return `the vocabulary of ${channel}: ${read}`;
  }
  const read = perChannel((channel) => vocabularies[channel] as Vocabulary); // Why: those that are texts have just left.
  if (model["format"] !== "safetensors") return { runId: files.run_id, vocabularies: read, net: undefined };
  const net = vocabularyMismatch(manifest, files) ?? weightsOf(model, files.weights, read);
  return typeof net === "string" ? net : { runId: files.run_id, vocabularies: read, net };
}

function standardizeOf(config: Json | undefined): Standardize {
  const meta = isObject(config) ? config["meta"] : undefined;
  const asked = isObject(meta) ? meta["english_standardize"] : undefined;
  return asked === "lower_pad_punctuation" ? asked : "none";
}

/** Rows of weights belong to words, so a vocabulary that was changed makes the weights wrong. */
function vocabularyMismatch({ tokenizer }: JsonObject, { vocabularies }: ArtifactFiles): string | undefined {
  const { vocab_files: names, hashes } = isObject(tokenizer) ? tokenizer : {};
  for (const channel of CHANNELS) {
    const name = isObject(names) ? names[channel] : undefined;
    const wanted = isObject(hashes) && typeof name === "string" ? hashes[name] : undefined;
    if (wanted !== `sha256:${hashText(vocabularies[channel])}`) return `the vocabulary of ${channel} is not the manifest's`;
  }
  return undefined;
}

function weightsOf(model: JsonObject, weights: string, vocabularies: PerChannel<Vocabulary>): Net | string {
  const { arch, path, hashes } = model;
  if (arch !== ARCHITECTURE) return `its architecture is not ${ARCHITECTURE}`;
  const bytes = fromBase64(weights);
  if (bytes === undefined || bytes.length === 0) return "its weights are missing";
  const wanted = isObject(hashes) && typeof path === "string" ? hashes[path] : undefined;
  if (wanted !== `sha256:${hashBytes(bytes)}`) return "the hash of its weights is not the manifest's";
  const tensors = readTensors(bytes);
  return typeof tensors === "string" ? `its weights: ${tensors}` : netOf(tensors, vocabularies);
}
