import { test } from "#runner";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { hashBytes } from "../../../src/core/hash.ts";
import { key } from "../../../src/core/key.ts";
import { openStorage } from "../../../src/runtimes/open-ports.ts";
import { openStore } from "../../../src/storage/open-store.ts";
import { deleteOrphanedUploads } from "../../../src/storage/orphaned-uploads.ts";
import { memoryUploads, openUploads, type UploadStore } from "../../../src/storage/uploads.ts";
import { check } from "../../harness/check.ts";

const bytes = new Uint8Array([0, 1, 2, 255]);

async function keepsFiles(uploads: UploadStore): Promise<void> {
  check.equal(await uploads.save("0-1.bin", bytes), { sha256: hashBytes(bytes), bytes: 4 });
  check.equal(await uploads.read("0-1.bin"), bytes);
  check.equal(await uploads.read("0-2.bin"), undefined);
  await uploads.delete("0-1.bin");
  await uploads.delete("0-1.bin");
  check.equal(await uploads.read("0-1.bin"), undefined);
  for (const name of ["../x", "a/b", "", ".", "A.bin", "x.part", "x".repeat(121)]) {
    await check.rejects(uploads.save(name, bytes), /invalid file name/);
  }
}

test("ST17 uploads are stored completely, under generated names only (memory)", () => keepsFiles(memoryUploads()));

test("ST17 uploads are stored completely, under generated names only (folder)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-uploads-"));
  await writeFile(join(folder, "0-9.bin.part"), "half");
  await keepsFiles(await openUploads(folder));
  check.equal(await readdir(folder), []);
  await rm(folder, { recursive: true });
});

test("ST17 a saved file does not change with the buffer it was saved from", async () => {
  const uploads = memoryUploads();
  const own = bytes.slice();
  await uploads.save("a", own);
  own[0] = 9;
  check.equal(await uploads.read("a"), bytes);
});

test("ST20 orphaned uploads older than uploads.ttl are deleted; younger, recorded and foreign files stay", async () => {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-uploads-"));
  const id = (count: number) => `1700000000000-100000000${count}`;
  const [old, recorded, young] = [0, 1, 2].map((count) => `upload-${id(count)}.bin`);
  const foreign = ["notes.txt", "upload-x.bin", `upload-${id(3)}`, `upload-${id(4)}.bin.part2`];
  const now = Date.now();
  for (const name of [old, recorded, young, ...foreign]) {
    await writeFile(join(folder, name ?? ""), "x");
    if (name !== young) await utimes(join(folder, name ?? ""), 0, 0);
  }
  const store = await openStore({ ...DEFAULTS.queue, backend: "memory" }, { onQuarantine: () => {} });
  await store.put(key("intermediary", "upload", id(1)), { v: 1 });
  check.equal(await deleteOrphanedUploads(store, await openUploads(folder), { ttl: 60_000, now }), 1);
  check.equal((await readdir(folder)).sort(), [recorded, young, ...foreign].sort());
  check.equal(await deleteOrphanedUploads(store, await openUploads(folder), { ttl: 60_000, now: now + 120_000 }), 1);
  check.equal((await readdir(folder)).sort(), [recorded, ...foreign].sort());
  await rm(folder, { recursive: true });
});

test("ST20 no folder is created for uploads before the first one", async () => {
  const store = await openStore({ ...DEFAULTS.queue, backend: "memory" }, { onQuarantine: () => {} });
  const away = { ...memoryUploads(), list: () => Promise.reject(new Error("no disk")) };
  await check.rejects(deleteOrphanedUploads(store, away, { ttl: 1, now: 1 }), /no disk/);
  const path = join(tmpdir(), `neuro-relay-none-${Date.now()}`);
  const settings = { ...DEFAULTS, uploads: { ...DEFAULTS.uploads, path } };
  const { uploads } = await openStorage(settings, { store }, () => {});
  check.equal(await uploads.list?.(), []);
  await check.rejects(readdir(path), /ENOENT/);
});
