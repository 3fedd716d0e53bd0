/** The lock of a folder whose file somebody deletes. */
import { test } from "#runner";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { key } from "../../../src/core/key.ts";
import { check } from "../../harness/check.ts";
import { fs, sqlite } from "./backends.ts";

const [mine, more, theirs] = [key("neuro", "case", "mine"), key("neuro", "case", "more"), key("neuro", "case", "theirs")];
const IN_USE = /is in use by process \d+ since .*only one relay may write there/;

for (const backend of [fs, sqlite]) {
  test(`ST11b deleting the lock file lets no two processes write (${backend.name})`, async () => {
    const fixture = await backend.make();
    const lock = join(fixture.settings.path, "lock");
    const store = await fixture.open();
    await rm(lock);
    await store.put(mine, { v: 1 });
    await check.rejects(fixture.open(), IN_USE);
    await rm(lock);
    const second = await fixture.open();
    await second.put(theirs, { v: 2 });
    await check.rejects(store.put(more, { v: 3 }), IN_USE);
    await check.rejects(store.delete(mine), IN_USE);
    check.equal(await second.keys(key("neuro")), [mine, theirs]);
    await second.close();
    await store.close();
    await fixture.clear();
  });
}
