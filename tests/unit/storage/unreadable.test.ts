/** Reads that fail: of single keys, and of the whole backend. */
import { test } from "#runner";
import { createStorage, type Driver } from "unstorage";
import memoryDriver from "unstorage/drivers/memory";
import { key } from "../../../src/core/key.ts";
import { makeStore } from "../../../src/storage/store.ts";
import { check } from "../../harness/check.ts";
import type { Quarantined } from "./backends.ts";

const [one, two] = [key("neuro", "case", "one"), key("neuro", "case", "two")];

/** A store whose driver fails to read the items that `fails` names. */
async function faultyStore(fails: (item: string) => boolean) {
  const quarantined: Quarantined = [];
  const driver = memoryDriver();
  const read = (item: string) => {
    if (fails(item)) throw new Error(`cannot read ${item}`);
    return driver.getItemRaw?.(item, {});
  };
  const faulty: Driver = { ...driver, getItem: (item) => read(item) as null, getItemRaw: read };
  const hooks = { onQuarantine: (key: string, why: string) => void quarantined.push([key, why]) };
  const store = await makeStore({ storage: createStorage({ driver: faulty }) }, hooks);
  for (const name of [one, two]) await store.put(name, { v: 1 });
  return { store, quarantined };
}

test("ST22 a key that cannot be read affects no other key, and is ignored where it cannot be moved", async () => {
  const { store, quarantined } = await faultyStore((item) => item.endsWith("one"));
  check.equal((await store.read([one, two])).map((entry) => entry.key), [two]);
  check.equal(await store.keys(key("neuro")), [two]);
  check.match(
    quarantined.map((one) => one.join(": ")).join(),
    /^neuro\/case\/one: unreadable: cannot read .*; it stays in place/,
  );
  check.equal(await store.read([two]), [{ key: two, value: { v: 1 } }]);
});

test("ST22 reads at the same time find out once whether the backend works", async () => {
  const { store, quarantined } = await faultyStore((item) => item.startsWith("neuro"));
  check.equal(await Promise.all([store.read([one]), store.read([two])]), [[], []]);
  check.equal(quarantined.length, 2);
});

test("ST22 while the whole backend fails, a read fails and nothing is quarantined", async () => {
  let isBroken = true;
  const { store, quarantined } = await faultyStore(() => isBroken);
  await check.rejects(store.read([one, two]), /cannot read neuro:case:one/);
  await check.rejects(store.read([one]), /cannot read neuro:case:one/);
  isBroken = false;
  check.equal((await store.read([one, two])).length, 2);
  check.equal(quarantined, []);
});
