/**
 * A Redis server. Only the relay's own keys are touched; one relay to a database.
 *
 * A command fails at once while the server is away: the sender is told so, and the connection comes back by itself.
 */
import { createStorage } from "unstorage";
import { OpenFailure } from "../failure.ts";
import type { Backend } from "../store.ts";

const KEYS_PER_SCAN = 1_000;

export async function openRedis(url: string): Promise<Backend> {
  const redisDriver = await importDriver();
  const driver = redisDriver({
    url,
    base: "neuro-relay",
    scanCount: KEYS_PER_SCAN,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 5_000,
  });
  const client = driver.getInstance?.();
  if (client === undefined) throw new OpenFailure("the redis driver of unstorage has no client");
  try {
    await new Promise<void>((resolve, reject) => client.once("ready", resolve).once("error", reject));
  } catch (error) {
    client.disconnect();
    throw new OpenFailure(`no Redis at ${withoutPassword(url)}: ${messageOf(error)}`, { cause: error });
  }
  // Why: a lost server shows as failed commands; without a listener every attempt to reconnect would be printed.
  client.on("error", () => undefined);
  return { storage: createStorage({ driver }), isHonest: true };
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
