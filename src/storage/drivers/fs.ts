/**
 * One file an entry: unstorage's `fs-lite`, below a folder that nobody else writes to.
 *
 * It makes a folder for each segment of a key; the empty ones that deletes leave behind would pile up, so they are taken away.
 *
 * Invariant: no folder is taken away while a write below it is under way.
 */
import { rmdirSync } from "node:fs";
import { readdir, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createStorage, type Driver } from "unstorage";
import fsLite from "unstorage/drivers/fs-lite";
import { lock } from "../lock.ts";
import type { Backend } from "../store.ts";

export async function openFs(path: string): Promise<Backend> {
  const folder = resolve(path);
  const { release } = lock(folder);
  const entries = join(folder, "entries");
  try {
    await sweep(entries);
    const storage = createStorage({ driver: tidyDriver(entries) });
    storage.mount("quarantine", fsLite({ base: join(folder, "quarantine") }));
    return { storage, release };
  } catch (error) {
    release();
    throw error;
  }
}

function tidyDriver(base: string): Driver {
  const driver = fsLite({ base });
  const writing = new Set<string>();
  return {
    ...driver,
    async setItemRaw(key, value, options) {
      writing.add(key);
      try {
        await driver.setItemRaw?.(key, value, options);
      } finally {
        writing.delete(key);
      }
    },
    async removeItem(key, options) {
      await driver.removeItem?.(key, options);
      const folder = key.slice(0, key.lastIndexOf(":") + 1);
      if (folder === "" || writing.values().some((one) => one.startsWith(folder))) return;
      removeIfEmpty(join(base, folder.replaceAll(":", "/")));
    },
  };
}

/** Why not asynchronously: no write may begin between the question and the act. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Why: it is not empty, which only the attempt can tell.
  }
}

/** Takes away the empty folders below one. */
async function sweep(folder: string): Promise<void> {
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of inside) {
    if (!entry.isDirectory()) continue;
    const below = join(folder, entry.name);
    await sweep(below);
    await rmdir(below).catch(() => undefined);
  }
}
