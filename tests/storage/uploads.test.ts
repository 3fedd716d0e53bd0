import { test } from "#runner";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashBytes } from "../../src/core/hash.ts";
import { memoryUploads, openUploads, type UploadStore } from "../../src/storage/uploads.ts";
import { check } from "../harness/check.ts";

const bytes = new Uint8Array([0, 1, 2, 255]);

async function keepsFiles(uploads: UploadStore): Promise<void> {
  check.equal(await uploads.save("0-1.bin", bytes), { sha256: hashBytes(bytes), bytes: 4 });
  check.equal(await uploads.read("0-1.bin"), bytes);
  check.equal(await uploads.read("0-2.bin"), undefined);
  await uploads.discard("0-1.bin");
  await uploads.discard("0-1.bin");
  check.equal(await uploads.read("0-1.bin"), undefined);
  for (const name of ["../x", "a/b", "", ".", "A.bin", "x.part", "x".repeat(121)]) {
    await check.rejects(uploads.save(name, bytes), /not a file name of ours/);
  }
}

test("ST17 uploads are kept whole under names of ours and no others (memory)", () => keepsFiles(memoryUploads()));

test("ST17 uploads are kept whole under names of ours and no others (folder)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-uploads-"));
  await writeFile(join(folder, "0-9.bin.part"), "half");
  await keepsFiles(await openUploads(folder));
  check.equal(await readdir(folder), []);
  await rm(folder, { recursive: true });
});

test("ST17 what a saved file holds does not change with the bytes it was made of", async () => {
  const uploads = memoryUploads();
  const own = bytes.slice();
  await uploads.save("a", own);
  own[0] = 9;
  check.equal(await uploads.read("a"), bytes);
});
