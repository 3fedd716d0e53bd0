/** A relay with an echo service on every listener, as a process on Bun or Deno. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";
import { echoService } from "./echo-service.ts";
import { MemoryStore } from "./memory-store.ts";

// Why a variable: each type checker knows only the types of its own runtime.
const runtime: string = "Deno" in globalThis ? "deno" : "bun";
const { serve, untilStopped } = await import(`../../../src/runtimes/${runtime}/serve.ts`);
const free = <Block extends { port: number }>(block: Block): Block => ({ ...block, port: 0, enabled: true });
const settings = {
  ...DEFAULTS,
  intermediary: free(DEFAULTS.intermediary),
  "nakurity-backend": free(DEFAULTS["nakurity-backend"]),
  "intercept-proxy": free(DEFAULTS["intercept-proxy"]),
  brain: free(DEFAULTS.brain),
  web: { ...free(DEFAULTS.web), token: "web-token-of-the-tests" },
  // Why so large: an echo service has no greeting, so the first message may have any size.
  limits: { ...DEFAULTS.limits, greeting_bytes: 2 * DEFAULTS.limits.message_bytes },
  uploads: { ...DEFAULTS.uploads, file_bytes: DEFAULTS.limits.message_bytes },
  queue: { ...DEFAULTS.queue, backend: "memory" as const },
};
const services = (["intermediary", "neuro", "brain", "proxy"] as const).map(echoService);
await untilStopped(await serve(settings, { services, store: new MemoryStore(), uploads: memoryUploads() }));
process.exit(0);
