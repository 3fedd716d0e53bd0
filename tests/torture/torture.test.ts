/** `bun run torture` with fewer kills. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { find } from "../harness/machine.ts";
import { type Backend, DENO_KV, FS, RedisServer, SQLITE } from "./backends.ts";
import { runFlappingNeuro } from "./flapping-neuro.ts";
import { torture } from "./kills.ts";
import { DeliveryLog, violationsIn } from "./delivery-log.ts";
import { diskFull, redisAway, redisHangs, redisHangsAndDies, startOnFullDisk, startWhileRedisHangs } from "./outages.ts";

const KILLS = 4;
/** More, because a life is shorter than the time after which messages expire. */
const EXPIRING_KILLS = 8;
const LONG = { timeoutMs: 60_000 };
const redis = find("redis-server");

async function holds(backend: Backend): Promise<void> {
  const counts = await torture(backend, { kills: KILLS, seed: 7 });
  check.equal(violationsIn(counts), []);
  check.that(counts.queued >= 10, `only ${counts.queued} were answered queued`);
}

test("QU92 kills during any work lose no queued command (fs)", () => holds(FS), LONG);

test("QU92 kills during any work lose no queued command (sqlite)", () => holds(SQLITE), LONG);

test("QU92 kills during any work lose no queued command (deno-kv)", () => holds(DENO_KV), LONG);

for (const backend of [FS, SQLITE]) {
  test(
    `QU92b kills while messages expire, are refused and become dead letters lose none (${backend.name})`,
    async () => {
      const counts = await torture(backend, { kills: EXPIRING_KILLS, seed: 10, isExpiring: true });
      check.equal(violationsIn(counts), []);
      check.that(counts.dead >= 10, `only ${counts.dead} became dead letters`);
    },
    LONG,
  );
}

test("QU92 RT71 kills lose no queued command while the clock is set by hours", async () => {
  const counts = await torture(SQLITE, { kills: KILLS, seed: 8, isClockWrong: true });
  check.equal(violationsIn(counts), []);
  check.that(counts.queued >= 10, `only ${counts.queued} were answered queued`);
}, LONG);

test(
  "NC36 a Neuro that reconnects finds all actions registered each time, and gets each result on the connection of its action",
  async () => {
    const { connections, acts, results, violations } = await runFlappingNeuro({ times: 15, seed: 9 });
    check.equal(violations, []);
    check.that(
      connections >= 8 && acts >= 50 && results >= acts / 2,
      `${connections} connections, ${acts} acts, ${results} results`,
    );
  },
  LONG,
);

if (redis !== undefined) {
  test(
    "QU92 kills during any work lose no queued command (redis)",
    () => RedisServer.run(redis, ({ backend }) => holds(backend)),
    LONG,
  );
  test(
    "QU93 while Redis is down, peers are served and senders refused; delivery resumes when it is back",
    async () => check.equal(await RedisServer.run(redis, (server) => redisAway(server)), []),
    LONG,
  );
  test(
    "QU93 while Redis hangs, peers are served and senders refused; refused commands never arrive",
    async () => check.equal(await RedisServer.run(redis, (server) => redisHangs(server, 4_000)), []),
    LONG,
  );
  test(
    "QU93 after Redis hangs and is killed, refused commands never arrive",
    async () => check.equal(await RedisServer.run(redis, (server) => redisHangsAndDies(server, 4_000)), []),
    LONG,
  );
  test(
    "QU94 a relay that is started while Redis hangs reports it and exits",
    async () => check.equal(await RedisServer.run(redis, startWhileRedisHangs), []),
    LONG,
  );
}

test("QU92 the delivery log detects losses, reordering and unmarked repeats", () => {
  const log = new DeliveryLog();
  for (const number of [0, 1, 2]) log.answered(number, "queued");
  log.arrived("a", 1, false);
  log.arrived("a", 0, false);
  log.arrived("a", 1, true);
  check.equal(violationsIn(log.counts), ["1 were answered queued and never arrived", "1 arrived after a later one"]);
  log.died(2);
  check.equal(violationsIn(log.counts), ["1 arrived after a later one"]);
  log.died(2);
  check.equal(violationsIn(log.counts)[0], "1 are dead letters twice");
  log.arrived("a", 1, false);
  check.equal(violationsIn(log.counts).at(-1), "1 arrived again without redelivered");
});

for (const backend of [FS, SQLITE]) {
  test(
    `QU93 while the disk is full, peers are served and senders refused; delivery resumes when it is not (${backend.name})`,
    async () => {
      const found = await diskFull(backend);
      if (typeof found === "string") return console.log(`skipped: ${found}`);
      check.equal(found, []);
    },
    LONG,
  );
}

for (const backend of [FS, SQLITE]) {
  test(`QU94 a relay that is started on a full disk reports it and exits (${backend.name})`, async () => {
    const found = await startOnFullDisk(backend);
    if (typeof found === "string") return console.log(`skipped: ${found}`);
    check.equal(found, []);
  }, LONG);
}
