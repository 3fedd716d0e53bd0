/** A relay with echo rooms as a process on Deno. */
import { serve, untilStopped } from "../../../src/runtimes/deno.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { echoRoom } from "./echo-room.ts";
import { MemoryStore, memoryUploads } from "./memory.ts";

const free = <Block extends { port: number }>(block: Block): Block => ({ ...block, port: 0 });
const settings = {
  ...DEFAULTS,
  intermediary: free(DEFAULTS.intermediary),
  "nakurity-backend": free(DEFAULTS["nakurity-backend"]),
  brain: free(DEFAULTS.brain),
  web: { ...free(DEFAULTS.web), token: "web-token-of-the-tests" },
  queue: { ...DEFAULTS.queue, backend: "memory" as const },
};
const services = [echoRoom("intermediary"), echoRoom("neuro"), echoRoom("brain")];
const served = await serve(settings, { services, store: new MemoryStore(), uploads: memoryUploads() });
setTimeout(() => {
  throw new Error("nobody catches this");
}, 50);
void Promise.reject(new Error("nor this"));
await untilStopped(served);
Deno.exit(0);
