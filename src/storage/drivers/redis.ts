/**
 * A Redis server. Only the relay's own keys are touched; one relay to a database.
 *
 * A command fails at once while the server is away: the sender is told so, and the connection comes back by itself. What was under
 * way when it went is not sent again, for its sender was told no. A server that hangs is waited for: to give up here would let
 * what it was sent pile up, while the writer knows a bound.
 */
import { createStorage, type Driver } from "unstorage";
import type { Redis } from "ioredis";
import { OpenFailure } from "../failure.ts";
import type { Backend } from "../store.ts";

const KEYS_PER_SCAN = 1_000;
/** At the start a server has so long for each answer. */
const ANSWER_MS = 5_000;

/** Connects to the server. Throws an `OpenFailure` when it cannot be reached, or does not answer. */
export async function openRedis(url: string): Promise<Backend> {
  const redisDriver = await importDriver();
  const driver = redisDriver({
    url,
    base: "neuro-relay",
    scanCount: KEYS_PER_SCAN,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    connectTimeout: ANSWER_MS,
  });
  const client = driver.getInstance?.();
  if (client === undefined) throw new OpenFailure("the redis driver of unstorage has no client");
  try {
    await ready(client);
  } catch (error) {
    client.disconnect();
    throw new OpenFailure(`no Redis at ${withoutPassword(url)}: ${messageOf(error)}`, { cause: error });
  }
  // Why: a lost server shows as failed commands; without a listener every attempt to reconnect would be printed.
  client.on("error", () => undefined);
  return {
    storage: createStorage({ driver: { ...driver, getKeys: (base) => listKeys(driver, client, base) } }),
    isHonest: true,
  };
}

/** Why a bound of our own: a server that hangs takes connections, and says nothing on them. */
function ready(client: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it does not answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    client.once("ready", resolve).once("error", reject);
    client.once("ready", () => clearTimeout(late)).once("error", () => clearTimeout(late));
  });
}

/** Keys are listed at the start only, when nothing else is asked. */
async function listKeys(driver: Driver, client: Redis, base: string): Promise<string[]> {
  client.options.commandTimeout = ANSWER_MS;
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
    throw new OpenFailure("queue.backend redis needs the package ioredis; install it with `bun add ioredis`", {
      cause: error,
    });
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//***@");
}

/** A failed connection to several addresses has its reasons inside. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
