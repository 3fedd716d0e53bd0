import { test } from "#runner";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { key, sequence } from "../../../src/core/key.ts";
import { check } from "../../harness/check.ts";
import { sqlite } from "./backends.ts";

/** The number of commits in a write-ahead log: frames that contain the size of the database. */
async function commitsIn(file: string): Promise<number> {
  const log = new DataView((await readFile(file)).buffer);
  const frameBytes = 24 + log.getUint32(8);
  let commits = 0;
  for (let at = 32; at + frameBytes <= log.byteLength; at += frameBytes) if (log.getUint32(at + 4) > 0) commits++;
  return commits;
}

test("ST16 the writes of one turn of the event loop are one transaction (sqlite)", async () => {
  const fixture = await sqlite.make();
  const store = await fixture.open();
  const log = join(fixture.settings.path, "entries.sqlite-wal");
  const before = await commitsIn(log);
  await Promise.all(Array.from({ length: 100 }, (_, index) => store.put(key("neuro", "case", sequence(index)), { v: 1 })));
  check.equal(await commitsIn(log), before + 1);
  await store.put(key("neuro", "case", "later"), { v: 1 });
  check.equal(await commitsIn(log), before + 2);
  await store.close();
  await fixture.clear();
});

test("ST16 writes take effect in order (sqlite)", async () => {
  const fixture = await sqlite.make();
  const store = await fixture.open();
  const name = key("neuro", "case", "one");
  const put = store.put(name, { v: 1 });
  await Promise.all([put, store.delete(name)]);
  check.equal(await store.read([name]), []);
  await store.close();
  await fixture.clear();
});

test("ST9 ST18 a database of a newer version, or a file that is no database, is refused and not changed (sqlite)", async () => {
  const fixture = await sqlite.make();
  await (await fixture.open()).close();
  const file = join(fixture.settings.path, "entries.sqlite");
  const database = new DatabaseSync(file);
  database.exec("pragma user_version = 99");
  database.close();
  await check.rejects(fixture.open(), /written by a newer program/);
  await fixture.clear();
  const other = await sqlite.make();
  await writeFile(join(other.settings.path, "entries.sqlite"), "this is no database, whatever its name says".repeat(100));
  await check.rejects(other.open(), /cannot use .*entries\.sqlite/);
  await check.rejects(other.open(), /cannot use .*entries\.sqlite/);
  await other.clear();
});
