/** Deno's own key-value store, in a file of the queue's folder. */
import { join, resolve } from "node:path";
import { createStorage } from "unstorage";
import denoKv from "unstorage/drivers/deno-kv";
import { OpenFailure } from "../failure.ts";
import { lock } from "../lock.ts";
import type { Backend } from "../store.ts";

/** Deno takes 64 KiB for a value, in which a few bytes are its own. */
export const ENTRY_BYTES_MAX: number = 65_536 - 16;

export async function openDenoKv(path: string): Promise<Backend> {
  const folder = resolve(path);
  const { release } = lock(folder);
  const driver = denoKv({ path: join(folder, "entries.kv") });
  try {
    await driver.getInstance?.();
  } catch (error) {
    release();
    const why = error instanceof Error ? error.message : String(error);
    throw new OpenFailure(`queue.backend deno-kv needs Deno with --unstable-kv: ${why}`, { cause: error });
  }
  return { storage: createStorage({ driver }), entryBytesMax: ENTRY_BYTES_MAX, release };
}
