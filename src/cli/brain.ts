/** `brain train`: trains an artifact for `Infer` with a log of operations. */
import { Command, InvalidArgumentError, Option } from "commander";
import { execFileSync } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { platform, versions } from "node:process";
import { runIdOf, runTraining, SIZES, type TrainingPlan, type TrainingRun } from "../inference/mod.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { errorText } from "../core/text.ts";
import { CliError } from "./cli-error.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";

interface TrainOptions extends ConfigurationOptions {
  readonly root?: string;
  readonly op: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly size: keyof typeof SIZES;
  readonly runId?: string;
  readonly holdout: number;
  readonly notes: string;
  readonly json?: true;
}

export function brainCommand(): Command {
  const train = withConfiguration(new Command("train"))
    .description("train an artifact for Infer; the same log and seed give the same weights, byte for byte")
    .argument("<log>", "log of operations and their results: a JSON list, or one JSON object per line")
    .option("--root <folder>", "folder of all training runs (default: brain.artifacts_root)")
    .option("--op <name>", "operation to learn", "safeDiv")
    .option("--seed <number>", "random seed", whole(0), 1)
    .option("--epochs <number>", "number of training epochs", whole(1), 10)
    .option("--batch <number>", "examples per optimization step", whole(1), 32)
    .option("--rate <number>", "learning rate", rate, 0.001)
    .option("--holdout <share>", "share of the examples to measure the error with, 0 for none", share, 0.1)
    .addOption(new Option("--size <size>", "size of the net").choices(Object.keys(SIZES)).default("full"))
    .option("--run-id <name>", "name of the run (default: time and commit)")
    .option("--notes <text>", "free text for the manifest", "")
    .option("--json", "print JSON")
    .action(run);
  return new Command("brain").description("train artifacts for the Brain's predictions").addCommand(train);
}

const whole = (least: number) => (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InvalidArgumentError(`expected a whole number, at least ${least}`);
  }
  return value;
};

function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError("expected a number between 0 and 1");
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError("expected a number from 0 to below 1");
  return value;
}

async function run(log: string, options: TrainOptions): Promise<void> {
  const root = options.root ?? (await readConfiguration(options)).settings.brain.artifacts_root;
  const text = await readFile(log, "utf8").catch((error: unknown) => {
    throw new CliError([`${log}: cannot be read: ${errorText(error)}`]);
  });
  const plan = planOf(text, basename(log), options);
  if (/[/\\]|^\./.test(plan.runId)) {
    throw new CliError([`${plan.runId}: a run id must not contain a slash or begin with a dot`]);
  }
  const reportEpoch = options.json
    ? () => {}
    : (epoch: number, loss: number) => console.log(`epoch ${epoch}: mean squared error ${loss}`);
  const made = runTraining(plan, reportEpoch);
  if (typeof made === "string") throw new CliError([`${log}: ${made}`]);
  const folder = join(root, plan.runId);
  await write(folder, made);
  await addToIndex(join(dirname(root), "registry.json"), plan, made.manifest);
  report(made, { folder, runId: plan.runId, isJson: options.json === true });
}

interface ReportOptions {
  readonly folder: string;
  readonly runId: string;
  readonly isJson: boolean;
}

function report({ examples, skipped, losses, heldOut }: TrainingRun, { folder, runId, isJson }: ReportOptions): void {
  if (isJson) {
    const held_out = heldOut === undefined ? null : {
      examples: heldOut.examples,
      error: heldOut.error,
      error_of_mean: heldOut.errorOfMean,
    };
    return console.log(JSON.stringify({ run_id: runId, folder, examples, skipped, losses, held_out }));
  }
  console.log(`trained with ${examples} of ${examples + skipped} entries, skipped ${skipped}: ${folder}`);
  if (heldOut === undefined) return;
  const { error, errorOfMean } = heldOut;
  console.log(
    `mean squared error on ${heldOut.examples} held-out examples: ${error} (always predicting the mean: ${errorOfMean})`,
  );
}

function planOf(log: string, dataset: string, options: TrainOptions): TrainingPlan {
  const { op: operation, seed, epochs, batch, rate, size, holdout, notes } = options;
  const createdUtc = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const sha = git("rev-parse", "HEAD");
  const environment = {
    runtime: `${"bun" in versions ? "bun" : "deno"} ${versions["bun"] ?? versions["deno"] ?? ""}`,
    platform,
  };
  return {
    log,
    dataset,
    operation,
    seed,
    epochs,
    batch,
    rate,
    holdout,
    sizes: SIZES[size],
    runId: options.runId ?? runIdOf(createdUtc, sha),
    createdUtc,
    git: { sha: sha === "" ? "nogit" : sha, dirty: git("status", "--porcelain") !== "" },
    environment,
    notes: notes === "" ? `op ${operation}, seed ${seed}, batch ${batch}, rate ${rate}` : notes,
  };
}

/** The output of a git command; empty if it fails. */
function git(...words: readonly string[]): string {
  try {
    return execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

/** Writes a run. Why through a temporary folder: a relay that starts meanwhile must not find half a run. */
async function write(folder: string, { files }: TrainingRun): Promise<void> {
  const draft = join(dirname(folder), `.${basename(folder)}.${crypto.randomUUID()}`);
  try {
    for (const [path, content] of files) {
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await writeFile(join(draft, path), content);
    }
    await rename(draft, folder);
  } catch (error) {
    // Why its error is ignored: a folder that cannot be written cannot be deleted either, and only the first error matters.
    await rm(draft, { recursive: true, force: true }).catch(() => {});
    throw new CliError([`${folder}: cannot be written: ${errorText(error)}`]);
  }
}

/** Adds a run to the index of all runs. */
async function addToIndex(index: string, { runId, createdUtc }: TrainingPlan, manifest: JsonObject): Promise<void> {
  const text = await readFile(index, "utf8").catch(() => "{}");
  const earlier: unknown = parsed(text);
  if (!isObject(earlier)) throw new CliError([`${index}: is not a JSON object, so the run was not added to it`]);
  const { git, training, tokenizer, model } = manifest;
  const entry = { run_id: runId, created_utc: createdUtc, git, training, tokenizer, model };
  await writeFile(`${index}.new`, `${JSON.stringify({ ...earlier, [runId]: entry }, null, 2)}\n`);
  await rename(`${index}.new`, index);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
