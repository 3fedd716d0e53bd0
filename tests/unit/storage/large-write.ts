/** Writes an entry of 900 kB. Run by `fs.test.ts` with a limit on the size of files. */
import { argv } from "node:process";
import { key } from "../../../src/core/key.ts";
import { openStore } from "../../../src/storage/open-store.ts";

const store = await openStore(JSON.parse(argv[2] ?? ""), { onQuarantine: () => {} });
const stored = store.put(key("neuro", "case", "large"), { v: 1, text: "x".repeat(900_000) });
await stored.then(() => console.log("stored"), (error: unknown) => console.log(`refused: ${error}`));
