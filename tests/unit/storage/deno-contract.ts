/** Runs the contract under Deno and prints one line a case: run by `deno.test.ts`, with `--unstable-kv`. */
import { denoKv, fs, sqlite } from "./backends.ts";
import { contract } from "./contract.ts";
import { killCase } from "./kill-case.ts";

for (const kind of [fs, sqlite, denoKv]) {
  for (const { name, needs, run } of [...contract, killCase]) {
    if (needs !== undefined && !needs(kind)) continue;
    const ground = await kind.make();
    const failure = await run(ground, kind).then(() => undefined, (error: unknown) => error);
    await ground.clear();
    if (failure === undefined) console.log(`ok ${name} (${kind.name})`);
    else console.log(`FAILED ${name} (${kind.name})`, failure);
  }
}
console.log("done");
