/**
 * Fuzzes every listener: `bun run fuzz --inputs 100000 --seed 1`. With `--sockets` it attacks relays over real sockets instead, with
 * 300,000 inputs in total unless `--inputs` says otherwise. The exit status is 1 when anything threw, panicked, affected other peers or
 * accumulated.
 */
import { argv, exit } from "node:process";
import { TARGETS } from "./targets.ts";
import { fuzzFrames, type FuzzOptions, type FuzzResult } from "./frames.ts";
import { GROWTH_BYTES_MAX } from "./memory.ts";
import { fuzzRequests } from "./requests.ts";
import { chaos, RUNTIMES } from "./sockets/chaos.ts";

function valueOf(name: string): string | undefined {
  const at = argv.indexOf(`--${name}`);
  return at < 0 ? undefined : argv[at + 1];
}

const SOCKET_INPUTS = 300_000;
const isOnSockets = argv.includes("--sockets");
const inputs = Number(valueOf("inputs") ?? (isOnSockets ? SOCKET_INPUTS : 10_000));
const fuzz: FuzzOptions = { inputs, seed: Number(valueOf("seed") ?? 1) };
let isWell = true;

async function run(name: string, act: () => Promise<FuzzResult>): Promise<void> {
  const began = performance.now();
  const { inputs, violations, growthBytes } = await act();
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const found = growthBytes > GROWTH_BYTES_MAX ? [...violations, "what is held grows"] : violations;
  console.log(`| ${name} | ${inputs} | ${seconds} s | ${(growthBytes / 1_048_576).toFixed(1)} MiB | ${found.length} |`);
  for (const violation of found) console.log(`  ${violation}`);
  isWell &&= found.length === 0;
}

/** Attacks a relay on each runtime with its share of the inputs. */
async function attackAll(): Promise<void> {
  console.log(
    "| runtime | inputs | round trips | worst, ms | resident, MB | violations |\n| --- | --- | --- | --- | --- | --- |",
  );
  for (const runtime of RUNTIMES) {
    const { counts, trips, worstMs, residentMb, violations } = await chaos({
      inputs: Math.ceil(inputs / RUNTIMES.length),
      seed: fuzz.seed,
      runtime,
    });
    const listed = (figures: Readonly<Record<string, number>>): string =>
      Object.entries(figures).map(([name, figure]) => `${name} ${figure.toFixed(0)}`).join(", ");
    console.log(
      `| ${runtime} | ${listed(counts)} | ${listed(trips)} | ${listed(worstMs)} | ${
        residentMb.toFixed(0)
      } | ${violations.length} |`,
    );
    for (const violation of violations) console.log(`  ${violation}`);
    isWell &&= violations.length === 0;
  }
}

async function fuzzAll(): Promise<void> {
  console.log("| target | inputs | time | growth | violations |\n| --- | --- | --- | --- | --- |");
  for (const listener of TARGETS) await run(listener.name, () => fuzzFrames(listener, fuzz));
  await run("requests", () => fuzzRequests(fuzz));
}

await (isOnSockets ? attackAll() : fuzzAll());
exit(isWell ? 0 : 1);
