import { test } from "#runner";
import { serve } from "../../../src/runtimes/bun.ts";
import { check } from "../../harness/check.ts";
import { testSettings } from "./bun-stage.ts";
import { echoRoom } from "./echo-room.ts";
import { MemoryStore, memoryUploads } from "./memory.ts";

test("QU94 a store that opens and then does not work is a sentence, and nothing stays open", async () => {
  const store = new MemoryStore();
  store.put = () => Promise.reject(new Error("no space left"));
  const options = { services: [echoRoom("neuro")], store, uploads: memoryUploads(), log: () => {} };
  const started = serve(testSettings(), { ...options, print: () => check.that(false, "nothing is ready") });
  await check.rejects(started, /^StartError: queue: what is kept there cannot be used: no space left$/);
  check.that(store.isClosed);
});
