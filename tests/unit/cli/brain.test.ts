/** `brain train` as a process, and the artifact as the relay reads it. */
import { test } from "#runner";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { artifactOf, isArtifactFiles } from "../../../src/inference/artifact.ts";
import { hashBytes } from "../../../src/core/hash.ts";
import { readArtifact } from "../../../src/jobs/artifact.ts";
import { check } from "../../harness/check.ts";
import { denoPath } from "../../harness/machine.ts";
import { divisions, GOLDEN } from "../inference/built-in-recipe.ts";
import { CliFolder } from "./cli-process.ts";

const TRAIN = ["brain", "train", "log.json", "--epochs", "2", "--size", "small", "--root", "artifacts/runs"];

test(
  "BR88 brain train writes an artifact that can be loaded, adds it to the index, and is reproducible",
  async () => {
    const place = await CliFolder.make({ "log.json": divisions() });
    const first = await place.run([...TRAIN, "--run-id", "first"]);
    check.equal([first.status, first.errors], [0, ""]);
    check.match(
      first.out,
      /epoch 2: mean squared error [\d.]+\ntrained with 90 of 90 entries, skipped 0: artifacts\/runs\/first\nmean squared error on 9 held-out examples: [\d.]+ \(always predicting the mean: [\d.]+\)\n/,
    );
    const second = await place.run([...TRAIN, "--run-id", "second", "--json"]);
    const { examples, skipped, held_out } = JSON.parse(second.out);
    check.equal([examples, skipped, held_out.examples], [90, 0, 9]);
    const root = join(place.folder, "artifacts/runs");
    const weights = (run: string) => readFile(join(root, run, "model/surrogate.safetensors"));
    check.that((await weights("first")).equals(await weights("second")));
    check.equal(hashBytes(await weights("first")), GOLDEN.weights, "the golden hash of this plan");
    const files = await readArtifact({ root, run_id: "latest" });
    check.that(isArtifactFiles(files) && files.run_id === "second");
    const artifact = artifactOf(files);
    check.that(typeof artifact !== "string" && artifact.net !== undefined);
    const index = JSON.parse(await readFile(join(place.folder, "artifacts/registry.json"), "utf8"));
    check.equal(Object.keys(index), ["first", "second"]);
    check.equal(Object.keys(index.first), ["run_id", "created_utc", "git", "training", "tokenizer", "model"]);
    await place.remove();
  },
  { timeoutMs: 60_000 },
);

test("BR80 BR82b brain train gives the same weights on Deno", async () => {
  const place = await CliFolder.make({ "log.json": divisions() });
  const flags = ["run", "--allow-all", "--no-check", "--node-modules-dir=manual"];
  const { status, errors } = await place.run([...TRAIN, "--run-id", "there"], {}, [denoPath(), ...flags]);
  check.equal([status, errors], [0, ""]);
  const weights = await readFile(join(place.folder, "artifacts/runs/there/model/surrogate.safetensors"));
  check.equal(hashBytes(weights), GOLDEN.weights);
  await place.remove();
}, { timeoutMs: 60_000 });

test("BR88 brain train reports an error in one line", async () => {
  const place = await CliFolder.make({ "log.json": divisions(), "empty.json": "[]", "bad.json": "{}\nno" });
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["missing.json"], /^missing\.json: cannot be read: .*no such file.*\n$/],
    [["empty.json"], /^empty\.json: the log has no successful safeDiv with two numbers\n$/],
    [["bad.json"], /^bad\.json: line 2 of the log is not JSON\n$/],
    [["log.json", "--run-id", "../out"], /^\.\.\/out: a run id must not contain a slash/],
    [["log.json", "--epochs", "0"], /expected a whole number, at least 1/],
    [["log.json", "--holdout", "1"], /expected a number from 0 to below 1/],
    [["log.json", "--size", "huge"], /Allowed choices are full, small/],
  ];
  for (const [words, says] of cases) {
    const { status, errors } = await place.run(["brain", "train", ...words, "--root", "runs"]);
    check.equal(status, 2, words.join(" "));
    check.match(errors, says);
  }
  await place.remove();
}, { timeoutMs: 60_000 });

test("BR88 brain train reports in one line that it has no permission to write", async () => {
  const place = await CliFolder.make({ "log.json": divisions() });
  const rights = ["--no-prompt", "--allow-env", `--allow-read=${place.folder}`];
  const flags = ["run", ...rights, "--no-check", "--node-modules-dir=manual"];
  const { status, errors } = await place.run([...TRAIN, "--run-id", "there"], {}, [denoPath(), ...flags]);
  check.equal(status, 2, errors);
  check.match(errors, /^artifacts\/runs\/there: cannot be written: Requires write access [^\n]*\n$/);
  await place.remove();
}, { timeoutMs: 60_000 });
