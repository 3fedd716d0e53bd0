import { test } from "#runner";
import { rawKey } from "../../../src/core/ids.ts";
import { measuredStore } from "../../../src/storage/measured-store.ts";
import { check } from "../../harness/check.ts";
import { MemoryStore } from "../runtimes/memory-store.ts";

test("OB63 each operation of the store is measured, and one that fails is counted as failed and fails as before", async () => {
  const memory = new MemoryStore();
  const measured: string[] = [];
  const store = measuredStore(memory, (operation, seconds, isFailed) => {
    check.that(seconds >= 0 && seconds < 10);
    measured.push(`${operation} ${isFailed ? "failed" : "done"}`);
  });
  const key = rawKey("a/b");
  await store.put(key, 1);
  check.equal([await store.keys(rawKey("a")), await store.read([key])], [[key], [{ key, value: 1 }]]);
  await store.delete(key);
  memory.gate = Promise.reject(new Error("full"));
  check.match(String(await store.put(key, 2).catch((error: Error) => error.message)), /full/);
  check.equal(measured, ["put done", "keys done", "read done", "delete done", "put failed"]);
});
