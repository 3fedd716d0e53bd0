/**
 * One file for each entry: unstorage's `fs-lite` in a folder that no other process writes to.
 *
 * Each segment of a key is a folder. Folders that deletes leave empty are removed, because they would accumulate.
 *
 * Invariants: F1 an entry exists completely or not at all: it is written to `partial/` and renamed; F2 no folder is removed while a
 * file below it is being written.
 */
import { rmdirSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { createStorage, type Driver } from "unstorage";
import fsLite from "unstorage/drivers/fs-lite";
import { lockFolder } from "../folder-lock.ts";
import type { StoreBackend } from "../store.ts";

/** Opens the folder, which is created if necessary. Throws a `StoreOpenError` when it is unavailable. */
export async function openFs(path: string): Promise<StoreBackend> {
  const folder = resolve(path);
  const { release, verify } = lockFolder(folder);
  const entries = join(folder, "entries");
  const partial = join(folder, "partial");
  try {
    await rm(partial, { recursive: true, force: true }); // Why: an earlier process may have been killed while it wrote.
    await mkdir(partial, { recursive: true });
    const storage = createStorage({ driver: tidyDriver({ entries, partial, verify }, await removeEmptyFolders(entries)) });
    storage.mount("quarantine", fsLite({ base: join(folder, "quarantine") }));
    const move = (from: string, to: string) => renameTo(pathOf(entries, from), pathOf(folder, to));
    return { storage, move, release, reportsFailures: true };
  } catch (error) {
    release();
    throw error;
  }
}

interface Folders {
  readonly entries: string;
  /** For files that are being written. In the same file system, so that a file can be renamed to its place. */
  readonly partial: string;
  /** Throws if another process writes there. */
  verify(): void;
}

/** `fileCounts` holds the number of files in each folder, by its path below the base with a colon at the end. */
function tidyDriver({ entries: base, partial, verify }: Folders, fileCounts: Map<string, number>): Driver {
  const driver = fsLite({ base });
  const writing = new Set<string>();
  let count = 0;
  return {
    ...driver,
    async setItemRaw(key, value) {
      verify();
      writing.add(key);
      const folder = folderOf(key);
      fileCounts.set(folder, (fileCounts.get(folder) ?? 0) + 1);
      const file = `${partial}/${++count}`;
      try {
        await writeFile(file, value);
        await renameTo(file, pathOf(base, key));
      } catch (error) {
        fileCounts.set(folder, (fileCounts.get(folder) ?? 1) - 1);
        await rm(file, { force: true }).catch(() => undefined);
        throw error;
      } finally {
        writing.delete(key);
      }
    },
    // Why not the driver's own: it hides that it could not remove a file.
    async removeItem(key) {
      verify();
      await unlink(pathOf(base, key)).catch(unlessAbsent);
      const folder = folderOf(key);
      const left = (fileCounts.get(folder) ?? 1) - 1;
      fileCounts.set(folder, left);
      if (left > 0 || folder === "" || writing.values().some((one) => one.startsWith(folder))) return;
      fileCounts.delete(folder);
      removeIfEmpty(pathOf(base, folder));
    },
  };
}

/** Why not `join`: it takes longer than the system call, and our keys are normalised already. */
const pathOf = (base: string, key: string): string => `${base}/${key.replaceAll(":", "/")}`;

const folderOf = (key: string): string => key.slice(0, key.lastIndexOf(":") + 1);

/** Renames a file, and creates the folder of its new path only if it does not exist, which is rare. */
async function renameTo(file: string, path: string): Promise<void> {
  try {
    await rename(file, path);
  } catch (error) {
    unlessAbsent(error);
    await mkdir(dirname(path), { recursive: true });
    await rename(file, path);
  }
}

function unlessAbsent(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

/** Why synchronously: no write may begin between the check and the removal. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Why: the folder is not empty, which only the attempt shows.
  }
}

/** Removes the empty folders below one, and counts the files in the others. */
async function removeEmptyFolders(folder: string): Promise<Map<string, number>> {
  const fileCounts = new Map<string, number>();
  const visit = async (at: string, name: string): Promise<void> => {
    let files = 0;
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory()) files++;
      else {
        await visit(join(at, entry.name), `${name}${entry.name}:`);
        await rmdir(join(at, entry.name)).catch(() => undefined);
      }
    }
    fileCounts.set(name, files);
  };
  await visit(folder, "");
  return fileCounts;
}
