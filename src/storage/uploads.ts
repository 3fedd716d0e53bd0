/**
 * Uploaded files in a folder or in memory, under names that the relay generates: text from a peer never becomes a path.
 *
 * Invariant: a file exists completely or not at all.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkedName, digest, isFileName, PARTIAL_SUFFIX, type UploadStore } from "./upload-store.ts";

export type { UploadStore } from "./upload-store.ts";

/** Uploads in a folder. Removes files that an earlier process did not finish. */
export async function openUploads(path: string): Promise<UploadStore> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (name.endsWith(PARTIAL_SUFFIX)) await rm(join(folder, name), { force: true });
  }
  const pathOf = (file: string) => join(folder, checkedName(file));
  return {
    async save(file, bytes) {
      const partial = pathOf(file) + PARTIAL_SUFFIX;
      try {
        await writeFile(partial, bytes);
        await rename(partial, pathOf(file));
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
      return { sha256: await digest(bytes), bytes: bytes.length };
    },
    async delete(file) {
      await rm(pathOf(file), { force: true });
    },
    async list() {
      const names = (await readdir(folder)).filter(isFileName);
      return await Promise.all(names.map(async (file) => ({ file, at: (await stat(pathOf(file))).mtimeMs })));
    },
    async read(file) {
      if (!isFileName(file)) return undefined;
      return await readFile(pathOf(file)).then((bytes) => new Uint8Array(bytes), undefinedIfAbsent);
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

function undefinedIfAbsent(error: unknown): undefined {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
