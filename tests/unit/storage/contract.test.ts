import { test } from "#runner";
import { find } from "../../harness/machine.ts";
import { type BackendKind, fs, memory, redisOn, sqlite } from "./backends.ts";
import { contract } from "./contract.ts";
import { killCase } from "./kill-case.ts";

const cases = [...contract, killCase];

function register(kind: BackendKind, make: BackendKind["make"] = kind.make): void {
  for (const { name, needs, run } of cases) {
    if (needs !== undefined && !needs(kind)) continue;
    test(`${name} (${kind.name})`, async () => {
      const fixture = await make();
      try {
        await run(fixture, kind);
      } finally {
        await fixture.clear();
      }
    }, { timeoutMs: 60_000 });
  }
}

for (const kind of [memory, fs, sqlite]) register(kind);

const program = find("redis-server");
if (program === undefined) console.log("skipped: the contract of redis, for there is no redis-server here");
else register(await redisOn(program));
