/**
 * The entries of one relay in one hash of Redis. Every write names the record of the relay's owner, and is refused if that is not the
 * record in Redis any more: whatever a process believes, it writes nothing after another one has taken the relay over.
 */
import { Buffer } from "node:buffer";
import type { Redis } from "ioredis";
import type { Driver } from "unstorage";

/** KEYS own, entries; ARGV relay, record, field, value. */
const PUT = `
if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[2], ARGV[3], ARGV[4])
return 1`;

/** KEYS own, entries; ARGV relay, record, field. */
const DELETE = `
if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('hdel', KEYS[2], ARGV[3])
return 1`;

/** Which relay's entries are written, and by whom. */
export interface HashOwner {
  readonly prefix: string;
  readonly relay: string;
  /** The owner's record, `<session> <epoch>`. */
  readonly record: string;
  /** Called when a write is refused. Returns true if the record is the owner's again, so that the write can be repeated. */
  onFenced?(): Promise<boolean>;
}

/** A write was refused because another process owns the relay. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/** The hash with the entries of a relay. */
export const entriesKey = (prefix: string, relay: string): string => `${prefix}:e:${relay}`;
/** The hash with the records of all relays. */
export const ownersKey = (prefix: string): string => `${prefix}:own`;

interface FencedCommands {
  relayPut(...words: readonly (string | Buffer)[]): Promise<number>;
  relayDelete(...words: readonly string[]): Promise<number>;
}

/** Writes of the fields of one hash in the name of the relay's owner. Each rejects with a `FencedError` if that is another one now. */
export interface FencedWriter {
  put(field: string, value: string | Uint8Array): Promise<void>;
  delete(field: string): Promise<void>;
}

export function fencedWriter(client: Redis, owner: HashOwner, hash: string): FencedWriter {
  const { prefix, relay, record } = owner;
  const own = ownersKey(prefix);
  client.defineCommand("relayPut", { numberOfKeys: 2, lua: PUT });
  client.defineCommand("relayDelete", { numberOfKeys: 2, lua: DELETE });
  const commands = client as unknown as FencedCommands; // Why the cast: the type does not know the commands that were just defined.
  const fenced = async (write: () => Promise<number>): Promise<void> => {
    if (await write() === 1) return;
    if (await owner.onFenced?.() === true && await write() === 1) return;
    throw new FencedError(`another process has taken over the relay ${relay} in Redis; this one writes nothing any more`);
  };
  return {
    put(field, value) {
      const content = typeof value === "string" ? value : Buffer.from(value);
      return fenced(() => commands.relayPut(own, hash, relay, record, field, content));
    },
    delete: (field) => fenced(() => commands.relayDelete(own, hash, relay, record, field)),
  };
}

export function redisHashDriver(client: Redis, owner: HashOwner): Driver {
  const entries = entriesKey(owner.prefix, owner.relay);
  const writer = fencedWriter(client, owner, entries);
  return {
    name: "redis-hash",
    hasItem: async (item) => await client.hexists(entries, item) === 1,
    getItem: (item) => client.hget(entries, item),
    getItemRaw: (item) => client.hget(entries, item),
    setItem: (item, value) => writer.put(item, value),
    setItemRaw: (item, value: string) => writer.put(item, value),
    removeItem: (item) => writer.delete(item),
    getKeys: () => client.hkeys(entries),
  };
}
