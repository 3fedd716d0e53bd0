/** Opens the backend that the settings name. A backend is imported only when it is used. */
import { assertNever } from "../core/assert.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { Store } from "../engine/ports.ts";
import { StoreOpenError } from "./open-error.ts";
import { makeStore, type StoreBackend, type StoreHooks } from "./store.ts";

export { StoreOpenError } from "./open-error.ts";
export type { StoreHooks } from "./store.ts";

/**
 * Opens the store; rejects with a `StoreOpenError` when it is unavailable. `relay` is the name of a relay that shares a server with others; those
 * with folders have one each.
 */
export async function openStore(settings: QueueSettings, hooks: StoreHooks, relay?: string): Promise<Store> {
  const backend = await openBackend(settings, relay);
  try {
    return await makeStore(backend, hooks);
  } catch (error) {
    backend.release?.();
    throw error;
  }
}

async function openBackend(settings: QueueSettings, relay: string | undefined): Promise<StoreBackend> {
  switch (settings.backend) {
    case "memory":
      return (await import("./drivers/memory.ts")).openMemory();
    case "fs":
      return (await import("./drivers/fs.ts")).openFs(settings.path);
    case "sqlite":
      return (await import("./drivers/sqlite.ts")).openSqlite(settings.path);
    case "redis":
      return (await import("./drivers/redis.ts")).openRedis(settings.url, relay);
    case "deno-kv":
      return (await import("./drivers/deno-kv.ts")).openDenoKv(settings.path);
    case "durable-object":
      throw new StoreOpenError("queue.backend durable-object exists on Cloudflare Workers only; use fs or sqlite here");
    default:
      return assertNever(settings.backend);
  }
}
