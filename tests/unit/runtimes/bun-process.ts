/** A relay with echo services as a separate process, for tests of signals and exit codes. */
import { serve, untilStopped } from "../../../src/runtimes/bun/serve.ts";
import { testSettings } from "./bun-relay.ts";
import { echoService, neverDrainedService } from "./echo-service.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";
import { MemoryStore } from "./memory-store.ts";

const settings = testSettings((change) => (change.shutdown.grace = 60_000));
const service = process.argv[2] === "stubborn" ? neverDrainedService("neuro") : echoService("neuro");
const served = await serve(settings, { services: [service], store: new MemoryStore(), uploads: memoryUploads() });
await untilStopped(served);
console.log("stopped");
process.exit(0);
