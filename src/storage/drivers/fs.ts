/**
 * One file an entry: unstorage's `fs-lite`, below a folder that nobody else writes to.
 *
 * It makes a folder for each segment of a key; the empty ones that deletes leave behind would pile up, so they are taken away.
 *
 * Invariant: no folder is taken away while a write below it is under way.
 */
import { rmdirSync } from "node:fs";
import { readdir, rmdir, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createStorage, type Driver } from "unstorage";
import fsLite from "unstorage/drivers/fs-lite";
import { lock } from "../lock.ts";
import type { Backend } from "../store.ts";

/** Opens the folder, and makes it where there is none. Throws an `OpenFailure` when it is not to be had. */
export async function openFs(path: string): Promise<Backend> {
  const folder = resolve(path);
  const { release } = lock(folder);
  const entries = join(folder, "entries");
  try {
    const storage = createStorage({ driver: tidyDriver(entries, await sweep(entries)) });
    storage.mount("quarantine", fsLite({ base: join(folder, "quarantine") }));
    return { storage, release, isHonest: true };
  } catch (error) {
    release();
    throw error;
  }
}

/** `filled` is how many files each folder holds, by its path below the base, with a colon at the end. */
function tidyDriver(base: string, filled: Map<string, number>): Driver {
  const driver = fsLite({ base });
  const writing = new Set<string>();
  return {
    ...driver,
    async setItemRaw(key, value, options) {
      writing.add(key);
      const folder = folderOf(key);
      filled.set(folder, (filled.get(folder) ?? 0) + 1);
      try {
        await driver.setItemRaw?.(key, value, options);
      } finally {
        writing.delete(key);
      }
    },
    // Why not the driver's own: it keeps quiet about what it could not remove.
    async removeItem(key) {
      await unlink(placeOf(base, key)).catch(unlessAbsent);
      const folder = folderOf(key);
      const left = (filled.get(folder) ?? 1) - 1;
      filled.set(folder, left);
      if (left > 0 || folder === "" || writing.values().some((one) => one.startsWith(folder))) return;
      filled.delete(folder);
      removeIfEmpty(placeOf(base, folder));
    },
  };
}

/** Why not `join`: that takes longer than the call that the path is for, and our keys need no tidying. */
const placeOf = (base: string, key: string): string => `${base}/${key.replaceAll(":", "/")}`;

const folderOf = (key: string): string => key.slice(0, key.lastIndexOf(":") + 1);

function unlessAbsent(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

/** Why not asynchronously: no write may begin between the question and the act. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Why: it is not empty, which only the attempt can tell.
  }
}

/** Takes away the empty folders below one, and counts the files in the others. */
async function sweep(folder: string): Promise<Map<string, number>> {
  const filled = new Map<string, number>();
  const visit = async (at: string, name: string): Promise<void> => {
    let files = 0;
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory()) files++;
      else {
        await visit(join(at, entry.name), `${name}${entry.name}:`);
        await rmdir(join(at, entry.name)).catch(() => undefined);
      }
    }
    filled.set(name, files);
  };
  await visit(folder, "");
  return filled;
}
