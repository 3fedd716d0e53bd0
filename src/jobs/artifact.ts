/**
 * The job `artifact`: reads the files of one training run, or of the latest.
 *
 * Reading only: whether they fit together, and have the hashes that the manifest names, is checked by the service that started the job.
 *
 * Invariants: A1 no file outside the run's own folder is read, whatever the run's name or the manifest contains; A2 the bytes that are read
 * are
 * bounded; A3 the latest run is the last by name among the folders with a manifest; other files and folders are ignored.
 */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { WEIGHTS_BYTES_MAX } from "../core/limits.ts";
import { errorText, utf8 } from "../core/text.ts";

const CHANNELS = ["english", "math", "physics"] as const;
const LATEST = "latest";
const TEXT_BYTES_MAX = 8 * 1_048_576;

/** Resolves with the texts of the run, its weights as base64; rejects with an error that names the missing file. */
export async function readArtifact(input: Json): Promise<Json> {
  const { root, run_id: wanted, current } = isObject(input) ? input : {};
  if (typeof root !== "string" || typeof wanted !== "string") throw new Error("a root and a run id are wanted");
  try {
    const run = wanted === LATEST ? await latestRun(root) : named(wanted);
    if (run === undefined) return { no_run: true, why: "No runs available in artifacts root" };
    if (run === current) return { unchanged: true };
    return await readRun(join(root, run), run);
  } catch (error) {
    return { why: errorText(error) };
  }
}

function named(run: string): string {
  if (run === "" || run.includes("/") || run.includes("\\") || run.startsWith(".")) throw new Error(`${run} is no run id`);
  return run;
}

/** The last run by name that has a manifest. */
async function latestRun(root: string): Promise<string | undefined> {
  const folders = await readdir(root).catch(() => []);
  for (const run of folders.filter((name) => !name.startsWith(".")).sort().reverse()) {
    const manifest = await readFile(join(root, run, "manifest.json"), "utf8").catch(() => "");
    if (isObject(parsed(manifest))) return run;
  }
  return undefined;
}

async function readRun(folder: string, run: string): Promise<Json> {
  const manifest = await textOf(folder, ["manifest.json"]);
  const described = parsed(manifest);
  if (!isObject(described)) throw new Error("manifest.json is not a JSON object");
  const tokenizer = part(described, "tokenizer");
  const model = part(described, "model");
  const vocabularies: Record<string, string> = {};
  for (const channel of CHANNELS) vocabularies[channel] = await textOf(folder, placesOf(tokenizer, channel));
  const configFile = pathIn(tokenizer, "config_file") ?? "tokenizer/tokenizer_config.json";
  const config = await textOf(folder, [configFile, `tokenizer/${configFile}`]).catch(() => "");
  const files = { run_id: run, manifest, config, vocabularies };
  if (model["format"] !== "safetensors") return { ...files, weights: "" };
  try {
    return { ...files, weights: await weightsOf(folder, pathIn(model, "path")) };
  } catch (error) {
    // Why not rejected: the tokenizers can be used without the weights.
    return { ...files, weights: "", weights_error: errorText(error) };
  }
}

/** Possible paths of a vocabulary: the manifest's, under the current or the old field name, or the usual path. */
function placesOf(tokenizer: JsonObject, channel: string): readonly string[] {
  const names = [pathIn(part(tokenizer, "vocab_files"), channel), pathIn(part(tokenizer, "files"), channel)];
  const named = names.find((name) => name !== undefined) ?? `${channel}_vocab.txt`;
  return [named, join(pathIn(tokenizer, "dir") ?? "tokenizer", named)];
}

async function weightsOf(folder: string, path: string | undefined): Promise<string> {
  if (path === undefined) throw new Error("the manifest names no file of weights");
  return (await bytesOf(folder, [path], WEIGHTS_BYTES_MAX)).toString("base64");
}

async function textOf(folder: string, places: readonly string[]): Promise<string> {
  const bytes = await bytesOf(folder, places, TEXT_BYTES_MAX);
  const text = utf8(bytes);
  if (text === undefined) throw new Error(`${places[0]} is not UTF-8`);
  return text;
}

/** The bytes of the first path at which a file exists. */
async function bytesOf(folder: string, places: readonly string[], bytesMax: number): Promise<Buffer> {
  for (const place of places) {
    const path = await inside(folder, place);
    if (path === undefined) continue;
    if ((await stat(path)).size > bytesMax) throw new Error(`${place} is larger than ${bytesMax} bytes`);
    return await readFile(path);
  }
  throw new Error(`${places[0]} is missing`);
}

/** The real path of a file of the folder; undefined when it is not there. Links that lead elsewhere are refused. */
async function inside(folder: string, place: string): Promise<string | undefined> {
  if (isAbsolute(place) || place.split(/[/\\]/).includes("..")) throw new Error(`${place} leads out of the run`);
  const path = await realpath(join(folder, place)).catch(() => undefined);
  if (path === undefined) return undefined;
  if (!path.startsWith((await realpath(folder)) + sep)) throw new Error(`${place} leads out of the run`);
  return path;
}

const part = (of: JsonObject, name: string): JsonObject => {
  const found = of[name];
  return isObject(found) ? found : {};
};

function pathIn(of: JsonObject, name: string): string | undefined {
  const found = of[name];
  return typeof found === "string" && found !== "" ? found : undefined;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
