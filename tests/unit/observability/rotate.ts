/** Writes more to a log file than its maximum size, on the runtime that runs it: `rotate.ts FILE`. */
import process from "node:process";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { rotatingFile } from "../../../src/observability/log-file.ts";
import { openLog } from "../../../src/observability/mod.ts";

const [file = ""] = process.argv.slice(2);
const log = await openLog({ ...DEFAULTS.log, file }, () => process.exit(3), { openFile: rotatingFile });
const text = "z".repeat(1_900);
for (let at = 0; at < 6_000; at++) {
  log.write({ source: "relay", level: "info", text: `${at} ${text}`, at: 0 });
  if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve)); // Why: a file is changed between two writes.
}
await log.close();
