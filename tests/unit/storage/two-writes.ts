/** Writes two entries, and prints a line before and after each. Traced by `synced.test.ts`. */
import { writeSync } from "node:fs";
import { argv } from "node:process";
import { key } from "../../../src/core/key.ts";
import { openStore } from "../../../src/storage/open-store.ts";

const store = await openStore(JSON.parse(argv[2] ?? ""), { onQuarantine: () => {} });
for (const name of ["one", "two"]) {
  writeSync(1, `asked ${name}\n`);
  await store.put(key("neuro", "case", name), { v: 1 });
  writeSync(1, `stored ${name}\n`);
}
