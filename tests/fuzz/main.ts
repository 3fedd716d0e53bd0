/**
 * Fuzzes every listener: `bun run fuzz --inputs 100000 --seed 1`. The exit status is 1 when anything threw, panicked, affected other
 * peers or accumulated.
 */
import { argv, exit } from "node:process";
import { TARGETS } from "./targets.ts";
import { fuzzFrames, type FuzzOptions, type FuzzResult } from "./frames.ts";
import { GROWTH_BYTES_MAX } from "./memory.ts";
import { fuzzRequests } from "./requests.ts";

function valueOf(name: string): string | undefined {
  const at = argv.indexOf(`--${name}`);
  return at < 0 ? undefined : argv[at + 1];
}

const fuzz: FuzzOptions = { inputs: Number(valueOf("inputs") ?? 10_000), seed: Number(valueOf("seed") ?? 1) };
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

console.log("| target | inputs | time | growth | violations |\n| --- | --- | --- | --- | --- |");
for (const listener of TARGETS) await run(listener.name, () => fuzzFrames(listener, fuzz));
await run("requests", () => fuzzRequests(fuzz));
exit(isWell ? 0 : 1);
