/** The data of one relay of a cluster in Redis: its entries and its uploads. Writes are refused once another session owns the relay. */
import type { Redis } from "ioredis";
import { createStorage } from "unstorage";
import type { Store } from "../engine/ports.ts";
import { fencedWriter, type HashOwner, redisHashDriver } from "./drivers/redis-hash.ts";
import { connectRedis } from "./drivers/redis.ts";
import { makeStore, type StoreHooks } from "./store.ts";
import { checkedName, digest, isFileName, type UploadStore } from "./upload-store.ts";

export { connectRedis };
export type { HashOwner };

/** Opens the entries of a relay over a connection that other relays use as well. */
export const openRelayStore = (client: Redis, owner: HashOwner, hooks: StoreHooks): Promise<Store> =>
  makeStore({ storage: createStorage({ driver: redisHashDriver(client, owner) }), reportsFailures: true }, hooks);

/** The uploads of a relay, each in a field of one hash. */
export function relayUploads(client: Redis, owner: HashOwner): UploadStore {
  const files = `${owner.prefix}:u:${owner.relay}`;
  const writer = fencedWriter(client, owner, files);
  return {
    async save(file, bytes) {
      await writer.put(checkedName(file), bytes);
      return { sha256: await digest(bytes), bytes: bytes.length };
    },
    delete: (file) => writer.delete(checkedName(file)),
    async read(file) {
      const bytes = isFileName(file) ? await client.hgetBuffer(files, file) : null;
      return bytes === null ? undefined : new Uint8Array(bytes);
    },
    list: async () => (await client.hkeys(files)).map((file) => ({ file, at: 0 })),
  };
}
