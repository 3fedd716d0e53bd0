/** Deno's own key-value store, in a file of the queue's folder. */
import { join, resolve } from "node:path";
import { createStorage, type Driver } from "unstorage";
import denoKv from "unstorage/drivers/deno-kv";
import { errorText } from "../../core/text.ts";
import { lockFolder } from "../folder-lock.ts";
import { StoreOpenError } from "../open-error.ts";
import type { StoreBackend } from "../store.ts";

/** Deno's limit for a value is 64 KiB, including some bytes of its own. */
export const ENTRY_BYTES_MAX: number = 65_536 - 16;

export async function openDenoKv(path: string): Promise<StoreBackend> {
  const folder = resolve(path);
  const { release, verify } = lockFolder(folder);
  const driver = denoKv({ path: join(folder, "entries.kv") });
  try {
    await driver.getInstance?.();
  } catch (error) {
    release();
    throw new StoreOpenError(`queue.backend deno-kv needs Deno with --unstable-kv: ${errorText(error)}`, { cause: error });
  }
  return { storage: createStorage({ driver: verified(driver, verify) }), entryBytesMax: ENTRY_BYTES_MAX, release };
}

/** The same driver, whose writes fail if another process writes there. */
function verified(driver: Driver, verify: () => void): Driver {
  const { setItem, setItemRaw, removeItem } = driver;
  return {
    ...driver,
    async setItem(...write) {
      verify();
      await setItem?.(...write);
    },
    async setItemRaw(...write) {
      verify();
      await setItemRaw?.(...write);
    },
    async removeItem(...write) {
      verify();
      await removeItem?.(...write);
    },
  };
}
