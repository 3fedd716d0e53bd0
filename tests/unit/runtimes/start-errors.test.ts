import { test } from "#runner";
import { serve } from "../../../src/runtimes/bun/serve.ts";
import { check } from "../../harness/check.ts";
import { testSettings } from "./bun-relay.ts";
import { echoService } from "./echo-service.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";
import { MemoryStore } from "./memory-store.ts";

test("QU94 a store that opens but does not work is reported in one sentence, and nothing stays open", async () => {
  const store = new MemoryStore();
  store.put = () => Promise.reject(new Error("no space left"));
  const options = { services: [echoService("neuro")], store, uploads: memoryUploads(), log: () => {} };
  const started = serve(testSettings(), { ...options, print: () => check.that(false, "nothing is ready") });
  await check.rejects(started, /^StartError: queue: the stored entries cannot be used: no space left$/);
  check.that(store.isClosed);
});
