/**
 * A Redis server. Only keys of the relay are used. Each process needs a database of its own; its relays have prefixes.
 *
 * While the server is unreachable, commands fail at once, and the client reconnects by itself. A command that was in progress when
 * the connection broke is not repeated, because its sender got an error. A server that hangs is waited for: a timeout here
 * would let commands accumulate, whereas the engine's writer limits them.
 */
import { createStorage, type Driver } from "unstorage";
import type { Redis } from "ioredis";
import { errorText, redactUrl } from "../../core/text.ts";
import { StoreOpenError } from "../open-error.ts";
import type { StoreBackend } from "../store.ts";

const KEYS_PER_SCAN = 1_000;
/** How long the server may take for each reply while the relay starts. */
const REPLY_MS = 5_000;

/** Connects to the server. Throws a `StoreOpenError` when it cannot be reached or does not reply. */
export async function openRedis(url: string, relay?: string): Promise<StoreBackend> {
  const redisDriver = await importDriver();
  const driver = redisDriver({
    url,
    base: relay === undefined ? "neuro-relay" : `neuro-relay-of:${relay}`,
    scanCount: KEYS_PER_SCAN,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    connectTimeout: REPLY_MS,
  });
  const client = driver.getInstance?.();
  if (client === undefined) throw new StoreOpenError("the redis driver of unstorage has no client");
  try {
    await ready(client);
  } catch (error) {
    client.disconnect();
    throw new StoreOpenError(`no Redis at ${redactUrl(url)}: ${errorText(error)}`, { cause: error });
  }
  // Why: a lost server shows in failed commands. Without a listener, ioredis prints every attempt to reconnect.
  client.on("error", () => undefined);
  return {
    storage: createStorage({ driver: { ...driver, getKeys: (base) => listKeys(driver, client, base) } }),
    reportsFailures: true,
  };
}

/** Why a timeout: a server that hangs accepts connections and sends nothing. */
function ready(client: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it did not reply within ${REPLY_MS} ms`)), REPLY_MS);
    client.once("ready", resolve).once("error", reject);
    client.once("ready", () => clearTimeout(late)).once("error", () => clearTimeout(late));
  });
}

/** Lists the keys with a timeout, which can be set for all commands because only this one runs at the start. */
async function listKeys(driver: Driver, client: Redis, base: string): Promise<string[]> {
  client.options.commandTimeout = REPLY_MS;
  try {
    return await driver.getKeys(base, {});
  } finally {
    delete client.options.commandTimeout;
  }
}

async function importDriver(): Promise<typeof import("unstorage/drivers/redis").default> {
  try {
    return (await import("unstorage/drivers/redis")).default;
  } catch (error) {
    throw new StoreOpenError("queue.backend redis needs the package ioredis; install it with `bun add ioredis`", {
      cause: error,
    });
  }
}
