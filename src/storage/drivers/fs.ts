/**
 * One file an entry: unstorage's `fs-lite`, below a folder that nobody else writes to.
 *
 * It makes a folder for each segment of a key; the empty ones that deletes leave behind would pile up, so they are taken away, and
 * a write that finds its folder just taken away makes it again.
 */
import { readdir, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
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
  const write = driver.setItemRaw?.bind(driver);
  return {
    ...driver,
    async setItemRaw(key, value, options) {
      try {
        await write?.(key, value, options);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        await write?.(key, value, options);
      }
    },
    async removeItem(key, options) {
      await driver.removeItem?.(key, options);
      // Why: only the attempt can tell without a race whether the folder is empty.
      await rmdir(dirname(join(base, key.replaceAll(":", "/")))).catch(() => undefined);
    },
  };
}

const isNotFound = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

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
