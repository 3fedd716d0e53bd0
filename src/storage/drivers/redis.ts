/**
 * A Redis server with the queues of the relays of one process, each in a hash. Other programs may use the same database.
 *
 * Only one process writes. Its record names its session, and so does its connection: while Redis lists a connection of that name that
 * was used within `SILENT_SECONDS`, another process is refused. Otherwise it takes the record over, and every later write of the first one
 * is refused by Redis itself (`redis-hash.ts`).
 *
 * While the server is unreachable, commands fail at once, and the client reconnects by itself. A command that was in progress when
 * the connection broke is not repeated, because its sender got an error. A server that hangs is waited for: a timeout here
 * would let commands accumulate, whereas the engine's writer limits them.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { pid } from "node:process";
import { createStorage } from "unstorage";
import type { Redis, RedisOptions } from "ioredis";
import { errorText, redactUrl } from "../../core/text.ts";
import { StoreOpenError } from "../open-error.ts";
import type { StoreBackend } from "../store.ts";
import { entriesKey, ownersKey, redisHashDriver } from "./redis-hash.ts";

export const PREFIX = "neuro-relay";
/** The only relay that earlier versions had. */
const DEFAULT_RELAY = "default";
const KEYS_PER_SCAN = 1_000;
/** How long the server may take for each reply while the relay starts. */
const REPLY_MS = 5_000;
/** A connection is used at least this often, as a sign of life. */
const PING_MS = 10_000;
/** A connection that was silent for longer belongs to a process that hangs, or to a machine that is gone. */
const SILENT_SECONDS = 30;

/** KEYS own, epoch; ARGV relay, the record that was seen or an empty text, session. Returns the new record, or false. */
const TAKE = `
if (redis.call('hget', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return false end
local record = ARGV[3] .. ' ' .. redis.call('hincrby', KEYS[2], ARGV[1], 1)
redis.call('hset', KEYS[1], ARGV[1], record)
return record`;

/** KEYS own; ARGV relay, record. */
const LEAVE = `
if redis.call('hget', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('hdel', KEYS[1], ARGV[1]) end`;

/** KEYS an entry as versions before this layout stored it, the hash; ARGV its field. */
const MOVE = `
local value = redis.call('get', KEYS[1])
if value then redis.call('hsetnx', KEYS[2], ARGV[1], value) redis.call('del', KEYS[1]) end`;

/** Connects to the server. Throws a `StoreOpenError` when it cannot be reached, does not reply, or another process writes there. */
export async function openRedis(url: string, relay: string = DEFAULT_RELAY): Promise<StoreBackend> {
  const session = newSession();
  const client = await connectRedis(url, { connectionName: session });
  const keys = { own: ownersKey(PREFIX), epoch: `${PREFIX}:epoch`, entries: entriesKey(PREFIX, relay) };
  const take = async (seen: string): Promise<string | undefined> => {
    const taken = await client.eval(TAKE, 2, keys.own, keys.epoch, relay, seen, session);
    return typeof taken === "string" ? taken : undefined;
  };
  try {
    client.options.commandTimeout = REPLY_MS; // Why for all commands: only these run at the start.
    const seen = await client.hget(keys.own, relay) ?? "";
    const holder = await liveHolder(client, seen);
    const record = holder === undefined ? await take(seen) : undefined;
    if (record === undefined) throw inUse(url, holder ?? "a process that starts as well");
    if (relay === DEFAULT_RELAY) await moveOldEntries(client, keys.entries);
    delete client.options.commandTimeout;
    const ping = setInterval(() => client.ping().catch(() => undefined), PING_MS);
    ping.unref();
    // Why the same record again: it is missing after a loss of data in Redis, and this process is still the only writer.
    const restore = async () => await client.hsetnx(keys.own, relay, record) === 1;
    const driver = redisHashDriver(client, { prefix: PREFIX, relay, record, onFenced: restore });
    const dispose = async (): Promise<void> => {
      clearInterval(ping);
      await client.eval(LEAVE, 1, keys.own, relay, record).catch(() => undefined);
      client.disconnect();
    };
    return { storage: createStorage({ driver: { ...driver, dispose } }), reportsFailures: true };
  } catch (error) {
    client.disconnect();
    if (error instanceof StoreOpenError) throw error;
    throw new StoreOpenError(`no Redis at ${redactUrl(url)}: ${errorText(error)}`, { cause: error });
  }
}

/** `<host>.<process>.<start>.<random>`: the name of a connection has no spaces, and `processOf` tells the operator what it says. */
const newSession = (): string =>
  [hostname().replaceAll(/[^A-Za-z0-9_-]/g, "-"), pid, Date.now().toString(36), randomUUID().slice(0, 8)].join(".");

function processOf(session: string): string {
  const [host, process, start = ""] = session.split(".");
  return `process ${process} since ${new Date(Number.parseInt(start, 36) || 0).toISOString()} on ${host}`;
}

const inUse = (url: string, holder: string): StoreOpenError =>
  new StoreOpenError(`the queue in ${redactUrl(url)} is in use by ${holder}: only one relay may write there`, {
    isInUse: true,
  });

/** Connects. Throws a `StoreOpenError` when the server cannot be reached or does not reply. */
export async function connectRedis(url: string, options: RedisOptions): Promise<Redis> {
  const Client = await importClient();
  const client = new Client(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 1,
    connectTimeout: REPLY_MS,
    ...options,
  });
  // Why: a lost server shows in failed commands. Without a listener, ioredis prints every attempt to reconnect.
  client.on("error", () => undefined);
  try {
    await ready(client);
  } catch (error) {
    client.disconnect();
    throw new StoreOpenError(`no Redis at ${redactUrl(url)}: ${errorText(error)}; correct \`queue.url\``, { cause: error });
  }
  return client;
}

/** Why a timeout: a server that hangs accepts connections and sends nothing. */
function ready(client: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it did not reply within ${REPLY_MS} ms`)), REPLY_MS);
    client.once("ready", resolve).once("error", reject);
    client.once("ready", () => clearTimeout(late)).once("error", () => clearTimeout(late));
  });
}

/** The process whose session is in the record and whose connection is alive, as text for the operator; undefined if there is none. */
async function liveHolder(client: Redis, record: string): Promise<string | undefined> {
  const [session = ""] = record.split(" ");
  // Why errors count as nobody: some hosted servers refuse the command. The record alone keeps two writers apart.
  return session === "" ? undefined : holderIn(String(await client.client("LIST").catch(() => "")), session);
}

/** The same in the output of `CLIENT LIST`. */
export function holderIn(list: string, session: string): string | undefined {
  for (const line of list.split("\n")) {
    const { name, idle, addr } = Object.fromEntries(line.split(" ").map((word) => word.split("=", 2)));
    if (name === session && Number(idle) < SILENT_SECONDS) return `${processOf(session)} (${addr})`;
  }
  return undefined;
}

/**
 * Earlier versions stored each entry under a key of its own. They are moved one by one, so an interrupted move continues. A move that was
 * completed is remembered, because finding such keys means going through the whole database.
 */
async function moveOldEntries(client: Redis, entries: string): Promise<void> {
  const moved = `${PREFIX}:moved`;
  if (await client.hexists(moved, DEFAULT_RELAY) === 1) return;
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", `${PREFIX}:*`, "COUNT", KEYS_PER_SCAN, "TYPE", "string");
    cursor = next;
    for (const key of keys) {
      const item = key.slice(PREFIX.length + 1);
      if (!item.startsWith("dead:")) await client.eval(MOVE, 2, key, entries, item);
    }
  } while (cursor !== "0");
  await client.hset(moved, DEFAULT_RELAY, "1");
}

async function importClient(): Promise<typeof import("ioredis").Redis> {
  try {
    return (await import("ioredis")).Redis;
  } catch (error) {
    throw new StoreOpenError("queue.backend redis needs the package ioredis; install it with `bun add ioredis`", {
      cause: error,
    });
  }
}
