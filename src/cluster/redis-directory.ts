/**
 * The directory in Redis 6.2 or later, or Valkey. Keys, with the prefix `P`:
 *
 * | key | type | content |
 * | --- | --- | --- |
 * | `P:nodes` | hash | session: `<beats> <place>` |
 * | `P:dead:<session>` | string, for a day | this session was declared dead |
 * | `P:own` | hash | relay: `<session> <epoch>` |
 * | `P:epoch` | hash | relay: its last epoch; never deleted |
 * | `P:alarms` | sorted set | relay without an owner, by the time when it has to run again, in milliseconds since 1970 |
 * | `P:e:<relay>` | hash | the entries of a relay (`storage/drivers/redis-hash.ts`) |
 *
 * Each script is atomic. Nothing expires by Redis' clock except `dead`, so a clock that is set there decides nothing.
 */
import type { Redis } from "ioredis";
import {
  type Beat,
  type Claimed,
  type ClusterDirectory,
  type NameTaken,
  type OwnershipRecord,
  parseRecord,
  recordText,
  RELEASED,
} from "./directory.ts";
import type { Millis } from "../core/ids.ts";
import type { BeatReply, ObservedMember } from "./membership.ts";
import { nodeOf } from "./placement.ts";

const DEAD_SECONDS = 86_400;

/**
 * KEYS nodes, dead, alarms; ARGV session, beats, place, node. Returns false if the session is dead, another session of the node as text, or
 * all members with the earliest alarm. Why in one script: a request costs a node at rest more than everything else.
 */
const BEAT = `
if redis.call('exists', KEYS[2]) == 1 then return false end
if redis.call('hexists', KEYS[1], ARGV[1]) == 0 then
  for _, session in ipairs(redis.call('hkeys', KEYS[1])) do
    if string.match(session, '^(.*)%.') == ARGV[4] then return session .. ' ' .. redis.call('hget', KEYS[1], session) end
  end
end
redis.call('hset', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return {redis.call('hgetall', KEYS[1]), redis.call('zrange', KEYS[3], 0, 0, 'WITHSCORES')[2]}`;

/** KEYS nodes, dead; ARGV session, beats, seconds. */
const EXPIRE = `
local known = redis.call('hget', KEYS[1], ARGV[1])
if not known or string.match(known, '^(%d+) ') ~= ARGV[2] then return 0 end
redis.call('hdel', KEYS[1], ARGV[1])
redis.call('set', KEYS[2], '1', 'EX', ARGV[3])
return 1`;

/** KEYS own, epoch, nodes, alarms; ARGV relay, by, from, released. Returns false, or the epoch and whether it was released. */
const CLAIM = `
if redis.call('hexists', KEYS[3], ARGV[2]) == 0 then return false end
local record = redis.call('hget', KEYS[1], ARGV[1])
local holder = record and string.match(record, '^(%S+)')
local isOwn = holder == ARGV[2] and record == ARGV[3]
if holder and holder ~= ARGV[4] and not isOwn then
  if holder ~= ARGV[3] or redis.call('hexists', KEYS[3], holder) == 1 then return false end
end
local epoch = redis.call('hincrby', KEYS[2], ARGV[1], 1)
redis.call('hset', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. epoch)
redis.call('zrem', KEYS[4], ARGV[1])
return {epoch, holder == ARGV[4] and 1 or 0}`;

/** KEYS own; ARGV relay, record, its successor. */
const RELEASE = `
if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
return 1`;

/** KEYS own, alarms; ARGV relay, record, the time of its alarm or an empty text. */
const STOP = `
if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('hdel', KEYS[1], ARGV[1])
if ARGV[3] ~= '' then redis.call('zadd', KEYS[2], ARGV[3], ARGV[1]) end
return 1`;

/** The keys of a directory, with their types in Redis. */
export const keyTypes = (prefix: string): Readonly<Record<string, "hash" | "zset">> => ({
  [`${prefix}:nodes`]: "hash",
  [`${prefix}:own`]: "hash",
  [`${prefix}:epoch`]: "hash",
  [`${prefix}:alarms`]: "zset",
});

/** The directory below a prefix. Each promise rejects if Redis is unavailable. */
export function redisDirectory(client: Redis, prefix: string): ClusterDirectory {
  const [nodes, own, epochs, alarms] = [`${prefix}:nodes`, `${prefix}:own`, `${prefix}:epoch`, `${prefix}:alarms`];
  const deadKey = (session: string): string => `${prefix}:dead:${session}`;
  const run = scriptRunner(client);
  return {
    async beat({ session, count, place }: Beat): Promise<BeatReply | NameTaken> {
      const reply = await run(BEAT, [nodes, deadKey(session), alarms], [session, String(count), place, nodeOf(session)]);
      const [by] = typeof reply === "string"
        ? membersIn([reply.split(" ", 1)[0] ?? "", reply.slice(reply.indexOf(" ") + 1)])
        : [];
      if (by !== undefined) return { is: "nameTaken", by };
      if (!Array.isArray(reply)) return { is: "dead" };
      const [members, alarmAt]: readonly unknown[] = reply;
      return {
        is: "alive",
        members: Array.isArray(members) ? membersIn(members.map(String)) : [],
        alarmAt: alarmAt === undefined ? undefined : Number(alarmAt),
      };
    },
    members: async () => membersIn(Object.entries(await client.hgetall(nodes)).flat()),
    async expire(session, count) {
      return await run(EXPIRE, [nodes, deadKey(session)], [session, String(count), String(DEAD_SECONDS)]) === 1;
    },
    async claim(relay, by, from): Promise<Claimed | undefined> {
      const reply = await run(CLAIM, [own, epochs, nodes, alarms], [relay, by, from, RELEASED]);
      if (!Array.isArray(reply)) return undefined;
      return { record: { session: by, epoch: Number(reply[0]) }, isClean: reply[1] === 1 };
    },
    async release(relay, record) {
      return await run(RELEASE, [own], [relay, recordText(record), recordText({ ...record, session: RELEASED })]) === 1;
    },
    async stop(relay, record, alarmAt) {
      return await run(STOP, [own, alarms], [relay, recordText(record), alarmAt === undefined ? "" : String(alarmAt)]) ===
        1;
    },
    async alarms() {
      const found = new Map<string, Millis>();
      const reply = await client.zrange(alarms, 0, -1, "WITHSCORES");
      for (let at = 0; at + 1 < reply.length; at += 2) found.set(reply[at] ?? "", Number(reply[at + 1]));
      return found;
    },
    due: (now, countMax) => client.zrangebyscore(alarms, "-inf", now, "LIMIT", 0, countMax),
    async ownerOf(relay) {
      return parseRecord(await client.hget(own, relay));
    },
    async records() {
      const records = new Map<string, OwnershipRecord>();
      for (const [relay, text] of Object.entries(await client.hgetall(own))) {
        const record = parseRecord(text);
        if (record !== undefined) records.set(relay, record);
      }
      return records;
    },
    async leave(session) {
      await client.hdel(nodes, session);
    },
  };
}

function membersIn(reply: readonly string[]): readonly ObservedMember[] {
  const members: ObservedMember[] = [];
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const [session = "", text = ""] = reply.slice(at, at + 2);
    const [, count, place = ""] = /^(\d+) (.*)$/.exec(text) ?? [];
    if (count !== undefined) members.push({ session, place, count: Number(count) });
  }
  return members;
}

/** Runs scripts by their hash, and sends the text of one that the server does not know. */
function scriptRunner(
  client: Redis,
): (script: string, keys: readonly string[], args: readonly string[]) => Promise<unknown> {
  const commands = new Map<string, string>();
  return (script, keys, args) => {
    let name = commands.get(script);
    if (name === undefined) {
      commands.set(script, name = `script${commands.size + 1}`);
      client.defineCommand(name, { numberOfKeys: keys.length, lua: script });
    }
    // Why the cast: `defineCommand` adds a method that its type does not know.
    const command = (client as unknown as Record<string, (...words: readonly string[]) => Promise<unknown>>)[name];
    return command?.apply(client, [...keys, ...args]) ?? Promise.reject(new Error("no such script"));
  };
}
