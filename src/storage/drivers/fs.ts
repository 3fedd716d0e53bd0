/**
 * One file for each entry: unstorage's `fs-lite` in a folder that no other process writes to.
 *
 * `fs-lite` creates a folder for each segment of a key. Folders that deletes leave empty are removed, or they would accumulate.
 *
 * Invariant: no folder is removed while a file below it is being written.
 */
import { rmdirSync } from "node:fs";
import { readdir, rmdir, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createStorage, type Driver } from "unstorage";
import fsLite from "unstorage/drivers/fs-lite";
import { lockFolder } from "../folder-lock.ts";
import type { Backend } from "../store.ts";

/** Opens the folder, which is created if necessary. Throws a `StoreOpenError` when it is unavailable. */
export async function openFs(path: string): Promise<Backend> {
  const folder = resolve(path);
  const { release } = lockFolder(folder);
  const entries = join(folder, "entries");
  try {
    const storage = createStorage({ driver: tidyDriver(entries, await removeEmptyFolders(entries)) });
    storage.mount("quarantine", fsLite({ base: join(folder, "quarantine") }));
    return { storage, release, reportsFailures: true };
  } catch (error) {
    release();
    throw error;
  }
}

/** `fileCounts` holds the number of files in each folder, by its path below the base with a colon at the end. */
function tidyDriver(base: string, fileCounts: Map<string, number>): Driver {
  const driver = fsLite({ base });
  const writing = new Set<string>();
  return {
    ...driver,
    async setItemRaw(key, value, options) {
      writing.add(key);
      const folder = folderOf(key);
      fileCounts.set(folder, (fileCounts.get(folder) ?? 0) + 1);
      try {
        await driver.setItemRaw?.(key, value, options);
      } finally {
        writing.delete(key);
      }
    },
    // Why not the driver's own: it hides that it could not remove a file.
    async removeItem(key) {
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
