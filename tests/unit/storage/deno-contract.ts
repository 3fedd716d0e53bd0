/** Runs the contract on Deno and prints a line for each case. Run by `deno.test.ts` with `--unstable-kv`. */
import { denoKv, fs, sqlite } from "./backends.ts";
import { contract } from "./contract.ts";
import { killCase } from "./kill-case.ts";

for (const kind of [fs, sqlite, denoKv]) {
  for (const { name, needs, run } of [...contract, killCase]) {
    if (needs !== undefined && !needs(kind)) continue;
    const fixture = await kind.make();
    const failure = await run(fixture, kind).then(() => undefined, (error: unknown) => error);
    await fixture.clear();
    if (failure === undefined) console.log(`ok ${name} (${kind.name})`);
    else console.log(`FAILED ${name} (${kind.name})`, failure);
  }
}
console.log("done");
