/** Writes entries until it is killed, and prints each key when it is stored. */
import { writeSync } from "node:fs";
import { argv } from "node:process";
import { key, sequence } from "../../../src/core/key.ts";
import { openStore } from "../../../src/storage/open-store.ts";

const [, , settings = "", run = ""] = argv;
const store = await openStore(JSON.parse(settings), { onQuarantine: () => {} });
let count = 0;

async function writeOn(): Promise<void> {
  while (true) {
    const name = key("neuro", "kill", `${run}-${sequence(++count)}`);
    await store.put(name, { v: 1, name, padding: "x".repeat(count % 3_000) });
    writeSync(1, `${name}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, writeOn));
