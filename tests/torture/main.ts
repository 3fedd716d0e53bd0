/**
 * Kills relays by the hundred: `bun run torture --kills 100 --backend fs,sqlite,deno-kv,redis --seed 1`. Prints what was promised and what
 * arrived; exit status 1 when a promise was broken.
 */
import { argv, exit } from "node:process";
import { find } from "../harness/machine.ts";
import { type Backend, DENO_KV, FS, RedisServer, SQLITE } from "./backends.ts";
import { flap } from "./flapping-neuro.ts";
import { torture } from "./kills.ts";
import { breachesIn, type DeliveryCounts } from "./delivery-log.ts";
import { diskFull, redisAway, redisHangs, redisHangsAndDies, startOnFullDisk, startWhileRedisHangs } from "./outages.ts";

function valueOf(name: string): string | undefined {
  const at = argv.indexOf(`--${name}`);
  return at < 0 ? undefined : argv[at + 1];
}

const OUTAGE_MS = 30_000;
const kills = Number(valueOf("kills") ?? 100);
const seed = Number(valueOf("seed") ?? 1);
const wanted = (valueOf("backend") ?? "fs,sqlite,deno-kv,redis").split(",");
const rows: string[][] = [];
const breaches: string[] = [];

async function kill(backend: Backend, isClockWrong = false): Promise<void> {
  const tally = await torture(backend, { kills, seed, isClockWrong });
  const name = isClockWrong ? `${backend.name}, the clock set by hours` : backend.name;
  rows.push([name, String(kills), ...COLUMNS.map(([, count]) => String(count(tally)))]);
  breaches.push(...breachesIn(tally).map((breach) => `${name}: ${breach}`));
}

/** An outage that the relay has to sit out; says what came of it. */
async function outage(name: string, run: () => Promise<readonly string[] | string>): Promise<void> {
  const found = await run();
  const isSkipped = typeof found === "string";
  console.log(`${name}: ${isSkipped ? `not tried: ${found}` : found.length === 0 ? "well" : found.join("; ")}`);
  if (!isSkipped) breaches.push(...found.map((breach) => `${name}: ${breach}`));
}

const COLUMNS: readonly (readonly [title: string, count: (tally: DeliveryCounts) => number])[] = [
  ["queued", ({ queued }) => queued],
  ["sent", ({ sent }) => sent],
  ["refused", ({ refused }) => refused],
  ["delivered", ({ delivered }) => delivered],
  ["queued, lost", ({ lost }) => lost],
  ["sent, lost", ({ sentAndLost }) => sentAndLost],
  ["out of order", ({ outOfOrder }) => outOfOrder],
  ["repeats flagged", ({ flagged }) => flagged],
  ["unflagged", ({ unflagged }) => unflagged],
];

async function main(): Promise<void> {
  for (const backend of [FS, SQLITE].filter(({ name }) => wanted.includes(name))) {
    await kill(backend);
    await kill(backend, true);
    await outage(`${backend.name} on a full disk`, () => diskFull(backend));
    await outage(`${backend.name} started on a full disk`, () => startOnFullDisk(backend));
  }
  if (wanted.includes(DENO_KV.name)) await kill(DENO_KV);
  const program = find("redis-server");
  if (wanted.includes("redis") && program === undefined) console.log("redis: not tried: no redis-server here");
  else if (wanted.includes("redis") && program !== undefined) {
    for (const isClockWrong of [false, true]) {
      await RedisServer.run(program, ({ backend }) => kill(backend, isClockWrong));
    }
    const tryOut = (name: string, sitOut: (redis: RedisServer) => Promise<readonly string[]>) =>
      outage(name, () => RedisServer.run(program, sitOut));
    await tryOut("redis killed and started again", redisAway);
    await tryOut("redis killed, and started again after 30 s", (redis) => redisAway(redis, OUTAGE_MS));
    await tryOut("redis hanging for 30 s", (redis) => redisHangs(redis, OUTAGE_MS));
    await tryOut("redis hanging for 30 s and then killed", (redis) => redisHangsAndDies(redis, OUTAGE_MS));
    await tryOut("redis hanging at the start", startWhileRedisHangs);
  }
  const { connections, acts, results, breaches: found } = await flap({ times: kills, seed });
  breaches.push(...found.map((breach) => `flapping: ${breach}`));
  console.log(`Neuro came ${connections} times and went: ${acts} actions, ${results} results, ${found.length} wrong`);
  const titles = ["backend", "kills", ...COLUMNS.map(([title]) => title)];
  console.log(`\n| ${titles.join(" | ")} |\n|${titles.map(() => " --- |").join("")}`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
  console.log(breaches.length === 0 ? "\nall promises held" : `\n${breaches.join("\n")}`);
}

await main();
exit(breaches.length === 0 ? 0 : 1);
