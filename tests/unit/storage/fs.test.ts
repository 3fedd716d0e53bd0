import { test } from "#runner";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { key } from "../../../src/core/key.ts";
import { check } from "../../harness/check.ts";
import { fs, type Quarantined } from "./backends.ts";

const name = key("neuro", "case", "one");

/** Makes an entry unreadable. Why by a link to itself: reading it fails for every user, root included. */
async function makeUnreadable(file: string): Promise<void> {
  await rm(file);
  await symlink(file, file);
}

test("ST14 ST22 an unreadable entry is reported and moved to the quarantine, and others are read (fs)", async () => {
  for (const others of [[], [key("neuro", "case", "two")]]) {
    const fixture = await fs.make();
    const quarantined: Quarantined = [];
    const store = await fixture.open(quarantined);
    for (const one of [name, ...others]) await store.put(one, { v: 1 });
    await makeUnreadable(join(fixture.settings.path, "entries", name));
    check.equal((await store.read([name, ...others])).map((entry) => entry.key), others);
    check.equal(quarantined.map(([key]) => key), [name]);
    check.match(quarantined[0]?.[1] ?? "", /^unreadable: .*ELOOP[^;]*$/);
    check.equal(await store.keys(key("neuro")), others);
    check.equal(await readdir(join(fixture.settings.path, "quarantine/neuro/case")), ["one.1"]);
    await store.close();
    await fixture.clear();
  }
});

test("ST22 an entry that becomes readable again is not quarantined (fs)", async () => {
  const fixture = await fs.make();
  const quarantined: Quarantined = [];
  const store = await fixture.open(quarantined);
  await store.put(name, { v: 1 });
  const file = join(fixture.settings.path, "entries", name);
  await makeUnreadable(file);
  await writeFile(`${file}.whole`, '{"v":1}');
  const reading = store.read([name]);
  await rename(`${file}.whole`, file); // Why: in one operation, so that no attempt finds the entry absent.
  check.equal([(await reading).length, quarantined], [1, []]);
  await store.close();
  await fixture.clear();
});

test("ST14 a delete without effect is an error, and the key stays listed (fs)", async () => {
  const fixture = await fs.make();
  const store = await fixture.open();
  await store.put(name, { v: 1 });
  const file = join(fixture.settings.path, "entries", name);
  await rm(file);
  await mkdir(join(file, "inside"), { recursive: true });
  await check.rejects(store.delete(name), /EISDIR|EPERM/);
  check.equal(await store.keys(key("neuro")), [name]);
  await store.close();
  await fixture.clear();
});

test("ST15 empty folders are removed (fs)", async () => {
  const fixture = await fs.make();
  const store = await fixture.open();
  const names = Array.from({ length: 200 }, (_, index) => key("neuro", "record", `r${index}`, "1"));
  await Promise.all(names.map((one) => store.put(one, { v: 1 })));
  await Promise.all(names.map((one) => store.delete(one)));
  check.equal(await readdir(join(fixture.settings.path, "entries/neuro/record")), []);
  await store.close();
  await (await fixture.open()).close();
  check.that(!existsSync(join(fixture.settings.path, "entries/neuro")));
  await fixture.clear();
});

test("ST15 concurrent writes and deletes do not remove each other's folders (fs)", async () => {
  const fixture = await fs.make();
  const store = await fixture.open();
  const lane = async (lane: number): Promise<void> => {
    for (let round = 0; round < 60; round++) {
      const own = key("neuro", "shared", ...(lane % 2 ? [] : ["deeper"]), `${lane}-${round}`);
      await store.put(own, { v: 1 });
      await store.delete(own);
    }
  };
  await Promise.all([1, 2, 3, 4].map(lane));
  check.equal(await store.keys(key("neuro")), []);
  await store.close();
  await fixture.clear();
});

test("ST9 a quarantined entry can be found (fs)", async () => {
  const fixture = await fs.make();
  await fixture.writeRaw("neuro/case/torn", '{"v":1');
  const quarantined: Quarantined = [];
  const store = await fixture.open(quarantined);
  await store.read([key("neuro", "case", "torn")]);
  check.equal(quarantined, [["neuro/case/torn", "torn: not JSON"]]);
  check.equal(await readdir(join(fixture.settings.path, "quarantine/neuro/case")), ["torn.1"]);
  await store.close();
  await fixture.clear();
});

test("ST21 a write that breaks off leaves no torn entry (fs)", async () => {
  const fixture = await fs.make();
  const script = fileURLToPath(new URL("large-write.ts", import.meta.url));
  // Why a limit on files: it ends the write after 32 KiB, as a kill or a full disk may.
  const words = ["-c", 'ulimit -f 64; exec "$@"', "sh", process.execPath, script, JSON.stringify(fixture.settings)];
  const { stdout } = spawnSync("sh", words, { encoding: "utf8" });
  check.that(!stdout.includes("stored"), stdout);
  const quarantined: Quarantined = [];
  const store = await fixture.open(quarantined);
  check.equal(await store.keys(key("neuro")), []);
  check.equal(await store.read([key("neuro", "case", "large")]), []);
  check.equal(quarantined, []);
  check.equal(await readdir(join(fixture.settings.path, "partial")), []);
  await store.close();
  await fixture.clear();
});
