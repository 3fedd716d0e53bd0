/** A relay with echo services as a process on Deno. */
import { serve, untilStopped } from "../../../src/runtimes/deno/serve.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { echoService } from "./echo-service.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";
import { MemoryStore } from "./memory-store.ts";

const free = <Block extends { port: number }>(block: Block): Block => ({ ...block, port: 0 });
const settings = {
  ...DEFAULTS,
  intermediary: free(DEFAULTS.intermediary),
  "nakurity-backend": free(DEFAULTS["nakurity-backend"]),
  brain: free(DEFAULTS.brain),
  web: { ...free(DEFAULTS.web), token: "web-token-of-the-tests" },
  queue: { ...DEFAULTS.queue, backend: "memory" as const },
};
const services = [echoService("intermediary"), echoService("neuro"), echoService("brain")];
const served = await serve(settings, { services, store: new MemoryStore(), uploads: memoryUploads() });
setTimeout(() => {
  throw new Error("nobody catches this");
}, 50);
void Promise.reject(new Error("nor this"));
await untilStopped(served);
Deno.exit(0);
