/**
 * Uploaded files: bytes under names that the relay makes, so no peer's text ever becomes a path.
 *
 * Invariant: a file is there whole or not at all.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkedName, digest, isFileName, PART, type UploadStore } from "./upload.ts";

export type { UploadStore } from "./upload.ts";

/** Uploads in a folder. What an earlier process left half-written is removed. */
export async function openUploads(path: string): Promise<UploadStore> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (name.endsWith(PART)) await rm(join(folder, name), { force: true });
  const place = (file: string) => join(folder, checkedName(file));
  return {
    async save(file, bytes) {
      const part = place(file) + PART;
      try {
        await writeFile(part, bytes);
        await rename(part, place(file));
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
      return { sha256: await digest(bytes), bytes: bytes.length };
    },
    async delete(file) {
      await rm(place(file), { force: true });
    },
    async list() {
      const names = (await readdir(folder)).filter(isFileName);
      return await Promise.all(names.map(async (file) => ({ file, at: (await stat(place(file))).mtimeMs })));
    },
    async read(file) {
      if (!isFileName(file)) return undefined;
      return await readFile(place(file)).then((bytes) => new Uint8Array(bytes), absent);
    },
  };
}

/** Uploads that end with the process. */
export function memoryUploads(): UploadStore {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    async save(file, bytes) {
      files.set(checkedName(file), bytes.slice());
      return { sha256: await digest(bytes), bytes: bytes.length };
    },
    delete(file) {
      files.delete(file);
      return Promise.resolve();
    },
    list: () => Promise.resolve([...files.keys()].map((file) => ({ file, at: 0 }))),
    read: (file) => Promise.resolve(files.get(file)),
  };
}

function absent(error: unknown): undefined {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
