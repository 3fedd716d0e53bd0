/** A relay with echo rooms as a process of its own, for tests of signals and exit codes. */
import { serve, untilStopped } from "../../../src/runtimes/bun.ts";
import { testSettings } from "./bun-stage.ts";
import { echoRoom, stubbornRoom } from "./echo-room.ts";
import { MemoryStore, memoryUploads } from "./memory.ts";

const settings = testSettings((change) => (change.shutdown.grace = 60_000));
const room = process.argv[2] === "stubborn" ? stubbornRoom("neuro") : echoRoom("neuro");
const served = await serve(settings, { services: [room], store: new MemoryStore(), uploads: memoryUploads() });
await untilStopped(served);
console.log("stopped");
process.exit(0);
