import { test } from "#runner";
import { RelayAlarms } from "../../../src/runtimes/relay-alarms.ts";
import { check } from "../../harness/check.ts";
import { MemoryStore } from "./memory-store.ts";

const SECOND_MS = 1_000;

test("RT89 the alarms of an earlier process are known, and none is lost when it is killed while it replaces one", async () => {
  const store = new MemoryStore();
  const failures: string[] = [];
  const open = () => RelayAlarms.open({ store, failed: (key) => void failures.push(key) });
  const first = await open();
  first.set("show-1", 5_000);
  first.set("show-2", 7_000);
  first.set("show-2", 3_000);
  first.set("gone", 1_000);
  first.set("gone", undefined);
  await first.written(SECOND_MS);
  const second = await open();
  check.equal([second.size, second.due(2_999), second.due(5_000)], [2, [], ["show-1", "show-2"]]);
  const remove = store.delete.bind(store);
  store.delete = () => Promise.reject(new Error("killed"));
  second.set("show-1", 9_000);
  await second.written(SECOND_MS);
  check.equal([failures.length, second.due(5_000)], [1, ["show-2"]]);
  const third = await open();
  check.equal(third.due(5_000), ["show-1", "show-2"], "the earlier one holds");
  store.delete = remove;
  third.set("show-1", undefined);
  await third.written(SECOND_MS);
  check.equal((await open()).due(Infinity), ["show-2"]);
});

test("RT89 an alarm that is set back and forth is stored as it was set last", async () => {
  const store = new MemoryStore();
  const put = store.put.bind(store);
  store.put = (key, value) => {
    check.that(!store.entries.has(key), "no key is written twice");
    return put(key, value);
  };
  const alarms = await RelayAlarms.open({ store, failed: () => check.that(false) });
  for (const at of [1, 2, 1, undefined, 1, 2, 1]) alarms.set("show", at);
  await alarms.written(SECOND_MS);
  check.equal((await RelayAlarms.open({ store, failed() {} })).due(1), ["show"]);
});
