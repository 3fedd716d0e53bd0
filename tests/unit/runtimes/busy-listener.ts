/** A process that is busy nearly all the time, with a listener that accepts: prints whether the probe ended it. */
import { createServer } from "node:net";
import process from "node:process";
import { untilEnded } from "../../../src/runtimes/deno/accept-probe.ts";

const PROBE_MS = 100;
const BUSY_MS = 95;
const TIMES = 40;

const server = createServer((socket) => socket.destroy());
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
let ended = "no";
void untilEnded(server, PROBE_MS).then((reason) => (ended = reason));
let times = 0;
setInterval(() => {
  for (const end = performance.now() + BUSY_MS; performance.now() < end;);
  if (++times < TIMES && ended === "no") return;
  console.log(`ended: ${ended}`);
  process.exit(0);
}, PROBE_MS);
