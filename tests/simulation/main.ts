/**
 * Plays seeds by the thousand: `bun tests/simulation/main.ts --seeds 1000 --from 5000`; or one, with all that was said:
 * `--seed 42 --trace`. `--without crash,panic` leaves out kinds of trouble, to find out which of them a failure takes.
 */
import { argv, exit } from "node:process";
import { play, type Trouble, TROUBLES } from "./play.ts";

function valueOf(name: string): string | undefined {
  const at = argv.indexOf(`--${name}`);
  return at < 0 ? undefined : argv[at + 1];
}

const only = valueOf("seed");
const from = Number(only ?? valueOf("from") ?? 1);
const count = only === undefined ? Number(valueOf("seeds") ?? 200) : 1;
const left = (valueOf("without") ?? "").split(",");
const without: readonly Trouble[] = TROUBLES.filter((kind) => left.includes(kind));
const isTraced = argv.includes("--trace");

let failed = 0;
const began = performance.now();
for (let seed = from; seed < from + count; seed++) {
  const { breaches, hash } = await play({ seed, without, ...(isTraced && { onTrace: (line) => console.log(line) }) });
  if (breaches.length > 0) {
    failed++;
    console.log(`seed ${seed} (${hash}): ${breaches.length} breaches\n  ${breaches.slice(0, 12).join("\n  ")}`);
  } else if (only !== undefined) console.log(`seed ${seed} (${hash}): all is well`);
}
console.log(`${count - failed} of ${count} seeds are well, in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
exit(failed === 0 ? 0 : 1);
