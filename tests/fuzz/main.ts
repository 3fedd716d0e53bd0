/**
 * Says nonsense at every listener: `bun run fuzz --inputs 100000 --seed 1`. Exit status 1 when anything threw, panicked, disturbed
 * others or piled up.
 */
import { argv, exit } from "node:process";
import { TARGETS } from "./targets.ts";
import { type Found, type Fuzz, fuzzFrames } from "./frames.ts";
import { GROWTH_BYTES_MAX } from "./memory.ts";
import { fuzzRequests } from "./requests.ts";

function valueOf(name: string): string | undefined {
  const at = argv.indexOf(`--${name}`);
  return at < 0 ? undefined : argv[at + 1];
}

const fuzz: Fuzz = { inputs: Number(valueOf("inputs") ?? 10_000), seed: Number(valueOf("seed") ?? 1) };
let isWell = true;

async function run(name: string, act: () => Promise<Found>): Promise<void> {
  const began = performance.now();
  const { inputs, breaches, growthBytes } = await act();
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const found = growthBytes > GROWTH_BYTES_MAX ? [...breaches, "what is held grows"] : breaches;
  console.log(`| ${name} | ${inputs} | ${seconds} s | ${(growthBytes / 1_048_576).toFixed(1)} MiB | ${found.length} |`);
  for (const breach of found) console.log(`  ${breach}`);
  isWell &&= found.length === 0;
}

console.log("| door | inputs | time | growth | breaches |\n| --- | --- | --- | --- | --- |");
for (const listener of TARGETS) await run(listener.name, () => fuzzFrames(listener, fuzz));
await run("requests", () => fuzzRequests(fuzz));
exit(isWell ? 0 : 1);
