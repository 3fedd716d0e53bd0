/**
 * Kills relays repeatedly: `bun run torture --kills 100 --backend fs,sqlite,deno-kv,redis --seed 1`. Prints the counts; the exit status
 * is 1 when there are violations. `bun run torture cluster` does the same to the nodes of a cluster (`cluster-main.ts`).
 */
import { argv, exit } from "node:process";
import { exitOnSignals } from "../harness/children.ts";
import { find } from "../harness/machine.ts";
import { type Backend, DENO_KV, FS, RedisServer, SQLITE } from "./backends.ts";
import { runFlappingNeuro } from "./flapping-neuro.ts";
import { type Torture, torture } from "./kills.ts";
import { type DeliveryCounts, violationsIn } from "./delivery-log.ts";
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
const violations: string[] = [];

async function kill(backend: Backend, how: Pick<Torture, "isClockWrong" | "isExpiring"> = {}): Promise<void> {
  const counts = await torture(backend, { kills, seed, ...how });
  const suffix = how.isClockWrong ? ", the clock set by hours" : how.isExpiring ? ", messages expire" : "";
  const name = backend.name + suffix;
  rows.push([name, String(kills), ...COLUMNS.map(([, count]) => String(count(counts)))]);
  violations.push(...violationsIn(counts).map((violation) => `${name}: ${violation}`));
}

/** Runs an outage that the relay must survive, and prints the result. */
async function outage(name: string, run: () => Promise<readonly string[] | string>): Promise<void> {
  const found = await run();
  const isSkipped = typeof found === "string";
  console.log(`${name}: ${isSkipped ? `skipped: ${found}` : found.length === 0 ? "passed" : found.join("; ")}`);
  if (!isSkipped) violations.push(...found.map((violation) => `${name}: ${violation}`));
}

const COLUMNS: readonly (readonly [title: string, count: (counts: DeliveryCounts) => number])[] = [
  ["queued", ({ queued }) => queued],
  ["sent", ({ sent }) => sent],
  ["refused", ({ refused }) => refused],
  ["delivered", ({ delivered }) => delivered],
  ["dead letters", ({ dead }) => dead],
  ["queued, lost", ({ lost }) => lost],
  ["sent, lost", ({ sentAndLost }) => sentAndLost],
  ["out of order", ({ outOfOrder }) => outOfOrder],
  ["repeats flagged", ({ flagged }) => flagged],
  ["unflagged", ({ unflagged }) => unflagged],
];

async function main(): Promise<void> {
  for (const backend of [FS, SQLITE].filter(({ name }) => wanted.includes(name))) {
    await kill(backend);
    await kill(backend, { isClockWrong: true });
    await kill(backend, { isExpiring: true });
    await outage(`${backend.name} on a full disk`, () => diskFull(backend));
    await outage(`${backend.name} started on a full disk`, () => startOnFullDisk(backend));
  }
  if (wanted.includes(DENO_KV.name)) await kill(DENO_KV);
  const program = find("redis-server");
  if (wanted.includes("redis") && program === undefined) console.log("redis: skipped: no redis-server here");
  else if (wanted.includes("redis") && program !== undefined) {
    for (const isClockWrong of [false, true]) {
      await RedisServer.run(program, ({ backend }) => kill(backend, { isClockWrong }));
    }
    const tryOut = (name: string, sitOut: (redis: RedisServer) => Promise<readonly string[]>) =>
      outage(name, () => RedisServer.run(program, sitOut));
    await tryOut("redis killed and started again", redisAway);
    await tryOut("redis killed, and started again after 30 s", (redis) => redisAway(redis, OUTAGE_MS));
    await tryOut("redis hanging for 30 s", (redis) => redisHangs(redis, OUTAGE_MS));
    await tryOut("redis hanging for 30 s and then killed", (redis) => redisHangsAndDies(redis, OUTAGE_MS));
    await tryOut("redis hanging at the start", startWhileRedisHangs);
  }
  const { connections, acts, results, violations: found } = await runFlappingNeuro({ times: kills, seed });
  violations.push(...found.map((violation) => `flapping: ${violation}`));
  console.log(`${connections} connections to Neuro: ${acts} actions, ${results} results, ${found.length} violations`);
  const titles = ["backend", "kills", ...COLUMNS.map(([title]) => title)];
  console.log(`\n| ${titles.join(" | ")} |\n|${titles.map(() => " --- |").join("")}`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
  console.log(violations.length === 0 ? "\nno violations" : `\n${violations.join("\n")}`);
}

exitOnSignals();
if (argv[2] === "cluster") await import("./cluster-main.ts");
else {
  await main();
  exit(violations.length === 0 ? 0 : 1);
}
