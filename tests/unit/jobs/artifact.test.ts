/** Reading an artifact from a folder: which run, which files, and nothing else. */
import { test } from "#runner";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ArtifactFiles, artifactOf } from "../../../src/inference/artifact.ts";
import { BUILT_IN } from "../../../src/inference/built-in.ts";
import { fromBase64 } from "../../../src/core/base64.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { readArtifact } from "../../../src/jobs/artifact.ts";
import { check } from "../../harness/check.ts";

async function withRoot(run: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "neuro-relay-artifact-"));
  try {
    await run(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

async function putRun(root: string, run: string, manifest: string = BUILT_IN.manifest): Promise<void> {
  await put(join(root, run, "manifest.json"), manifest);
  await put(join(root, run, "tokenizer/tokenizer_config.json"), BUILT_IN.config);
  for (const [channel, text] of Object.entries(BUILT_IN.vocabularies)) {
    await put(join(root, run, `tokenizer/${channel}_vocab.txt`), text);
  }
  await put(join(root, run, "model/surrogate.safetensors"), fromBase64(BUILT_IN.weights) ?? "");
}

const read = (root: string, run_id: string): Promise<Json> => readArtifact({ root, run_id });
const why = async (root: string, run_id: string): Promise<string> =>
  String(((await read(root, run_id)) as JsonObject)["why"]);

test("BR85 a run is read from its folder, by its name", async () => {
  await withRoot(async (root) => {
    await putRun(root, "2026-01-01T00-00-00Z_nogit");
    check.equal<Json>(await read(root, "2026-01-01T00-00-00Z_nogit"), {
      ...BUILT_IN,
      vocabularies: { ...BUILT_IN.vocabularies },
      run_id: "2026-01-01T00-00-00Z_nogit",
    });
  });
});

test("BR85 latest is the last by name of the runs that have a readable manifest", async () => {
  await withRoot(async (root) => {
    check.match(await why(root, "latest"), /No runs available in artifacts root/);
    check.match(await why(join(root, "missing"), "latest"), /No runs available in artifacts root/);
    for (const run of ["2026-01-01T00-00-00Z_a", "2026-02-01T00-00-00Z_b", ".zzz-being-written"]) await putRun(root, run);
    await mkdir(join(root, "zzz"));
    await put(join(root, "zzzz/manifest.json"), "{");
    await put(join(root, "zzzzz"), "a file");
    check.equal(((await read(root, "latest")) as JsonObject)["run_id"], "2026-02-01T00-00-00Z_b");
  });
});

test("BR74d the current run is not read again, and a root without runs is reported", async () => {
  await withRoot(async (root) => {
    check.equal((await readArtifact({ root, run_id: "latest", current: null }) as JsonObject)["no_run"], true);
    await putRun(root, "run");
    check.equal<Json>(await readArtifact({ root, run_id: "latest", current: "run" }), { unchanged: true });
    check.equal(((await readArtifact({ root, run_id: "latest", current: "old" })) as JsonObject)["run_id"], "run");
  });
});

test("BR85 vocabularies are found by their old name in the manifest, and at the usual place; other models have no weights", async () => {
  await withRoot(async (root) => {
    const files = { english: "english_vocab.txt", math: "math_vocab.txt", physics: "physics_vocab.txt" };
    for (
      const [run, tokenizer] of [["a", { files }], ["b", {}], ["c", { dir: "tokenizer", vocab_files: files }]] as const
    ) {
      await putRun(root, run, JSON.stringify({ tokenizer, model: { format: "keras", path: "model/keras.keras" } }));
      const { vocabularies, weights } = (await read(root, run)) as JsonObject;
      check.equal<Json>([vocabularies ?? 0, weights ?? 0], [{ ...BUILT_IN.vocabularies }, ""]);
    }
  });
});

test("BR85 nothing outside the run's folder is read, whatever its name or its manifest", async () => {
  await withRoot(async (root) => {
    await putRun(root, "runs/good");
    for (const run of ["../runs/good", "..", "runs/good", "", "a\\b", "/etc"]) {
      check.match(await why(root, run), /is no run id/);
    }
    await put(join(root, "secret.txt"), "secret");
    const runs = join(root, "runs");
    for (const path of ["../../secret.txt", join(root, "secret.txt")]) {
      await putRun(runs, "bad", JSON.stringify({ tokenizer: { vocab_files: { english: path } }, model: {} }));
      check.match(await why(runs, "bad"), /leads out of the run/);
    }
    await putRun(runs, "linked", JSON.stringify({ tokenizer: { vocab_files: { english: "linked.txt" } }, model: {} }));
    await symlink(join(root, "secret.txt"), join(runs, "linked/linked.txt"));
    check.match(await why(runs, "linked"), /leads out of the run/);
  });
});

test("BR85 the error names the missing file", async () => {
  await withRoot(async (root) => {
    await putRun(root, "run");
    await rm(join(root, "run/tokenizer/math_vocab.txt"));
    check.match(await why(root, "run"), /tokenizer\/math_vocab.txt is missing/);
    await put(join(root, "run/manifest.json"), "[]");
    check.match(await why(root, "run"), /manifest.json is not a JSON object/);
    await rm(join(root, "run/manifest.json"));
    check.match(await why(root, "run"), /manifest.json is missing/);
  });
});

test("BR78b without its weights a run still gives the tokenizers, and the reason", async () => {
  await withRoot(async (root) => {
    await putRun(root, "run");
    await rm(join(root, "run/model/surrogate.safetensors"));
    const artifact = artifactOf((await read(root, "run")) as unknown as ArtifactFiles);
    check.that(typeof artifact !== "string" && artifact.net === undefined);
    check.match(artifact.modelError ?? "", /model\/surrogate.safetensors is missing/);
  });
});
