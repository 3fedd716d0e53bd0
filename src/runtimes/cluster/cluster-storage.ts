/** What a cluster keeps in Redis: its directory, and the entries and uploads of each relay. */
import type { Redis } from "ioredis";
import type { ClusterDirectory } from "../../cluster/directory.ts";
import { keyTypes, redisDirectory } from "../../cluster/redis-directory.ts";
import type { Millis } from "../../core/ids.ts";
import type { ClusterSettings } from "../../core/settings.ts";
import { errorText, redactUrl } from "../../core/text.ts";
import type { Store } from "../../engine/mod.ts";
import { connectRedis, openRelayStore, relayUploads } from "../../storage/redis-relay.ts";
import type { StoreHooks } from "../../storage/store.ts";
import type { UploadStore } from "../../storage/upload-store.ts";
import { StoreOpenError } from "../../storage/open-error.ts";
import { StartError } from "../serve-options.ts";

/** A command that has no answer for this long: the server hangs, or the connection to it. */
const CONNECT_MS = 1_000;

/** Where Redis is: `cluster.sentinels` know the present master, or `cluster.url` is it. */
export type RedisSettings = Pick<ClusterSettings, "url" | "prefix" | "sentinels" | "sentinel_master">;

export interface ClusterStoreHooks extends StoreHooks {
  /** Redis refused a write, because another session owns the relay. */
  onFenced(): void;
}

export interface ClusterStorage {
  readonly directory: ClusterDirectory;
  /** The address of this machine towards Redis: other nodes can most likely reach it there. */
  readonly localAddress: string;
  openStore(relay: string, record: string, hooks: ClusterStoreHooks): Promise<Store>;
  openUploads(relay: string, record: string): UploadStore;
  /** By how many milliseconds the clock of Redis is ahead of the one here. */
  clockDifference(): Promise<Millis>;
  /** Makes the connection again. */
  reconnect(): void;
  close(): Promise<void>;
}

/** Connects to Redis, and refuses a server that may lose what it stores. */
export async function openClusterStorage(
  { url, prefix, sentinels, sentinel_master: name }: RedisSettings,
  warn: (text: string) => void,
): Promise<ClusterStorage> {
  let client: Redis;
  try {
    client = await connectRedis(url, {
      connectTimeout: CONNECT_MS,
      retryStrategy: (times) => Math.min(50 * times, 300),
      // Why also then the URL: its user, password and database are those of the master.
      ...(sentinels.length > 0 && { name, sentinels: sentinels.map(endpointOf), sentinelRetryStrategy: () => 200 }),
    });
    await checkServer(client, warn);
  } catch (error) {
    if (error instanceof StoreOpenError) throw new StartError(`cluster.url: ${error.message}`);
    throw error;
  }
  return {
    directory: redisDirectory(client, prefix),
    localAddress: client.stream?.localAddress ?? "127.0.0.1",
    openStore(relay, record, { onQuarantine, onFenced }) {
      const fenced = (): Promise<false> => {
        onFenced();
        return Promise.resolve(false);
      };
      return openRelayStore(client, { prefix, relay, record, onFenced: fenced }, { onQuarantine });
    },
    openUploads: (relay, record) => relayUploads(client, { prefix, relay, record }),
    async clockDifference() {
      const before = Date.now();
      const [seconds, microseconds] = await client.time();
      return Number(seconds) * 1_000 + Number(microseconds) / 1_000 - (before + Date.now()) / 2;
    },
    reconnect: () => client.disconnect(true),
    close: () => Promise.resolve(client.disconnect()),
  };

  async function checkServer(client: Redis, warn: (text: string) => void): Promise<void> {
    const setting = async (name: string): Promise<string> =>
      // Why errors are ignored: hosted servers refuse the command.
      String((await client.config("GET", name).catch(() => []) as unknown[])[1] ?? "");
    const place = sentinels.length > 0 ? `the master ${name} of ${sentinels.join(", ")}` : redactUrl(url);
    try {
      if (/^cluster_enabled:1/m.test(await client.info("cluster"))) {
        throw new StartError(
          `cluster.url: ${place} is a Redis Cluster, which has no scripts over several keys; use a single server or Sentinel`,
        );
      }
      const policy = await setting("maxmemory-policy");
      if (policy !== "" && policy !== "noeviction") {
        throw new StartError(
          `cluster.url: ${place} has maxmemory-policy ${policy}, so it may delete entries; set it to noeviction`,
        );
      }
      for (const [key, expected] of Object.entries(keyTypes(prefix))) {
        const type = await client.type(key);
        if (type === "none" || type === expected) continue;
        throw new StartError(
          `cluster.prefix: ${place} has a ${type} at the key ${key}, which is not of a cluster; set another prefix`,
        );
      }
      if (await setting("appendonly") === "no") {
        warn(
          `cluster.url: ${place} has appendonly no, so entries are lost when it restarts; set appendonly yes and appendfsync always`,
        );
      }
    } catch (error) {
      client.disconnect();
      if (error instanceof StartError) throw error;
      throw new StartError(`cluster.url: ${place}: ${errorText(error)}`, { cause: error });
    }
  }
}

/** A sentinel, written as `host:port`. */
function endpointOf(text: string): { readonly host: string; readonly port: number } {
  const end = text.lastIndexOf(":");
  return { host: text.slice(0, end).replace(/^\[|\]$/g, ""), port: Number(text.slice(end + 1)) };
}
