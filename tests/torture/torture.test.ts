/** A share of `bun run torture`: fewer kills, the same account. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { find } from "../harness/machine.ts";
import { type Backend, DENO_KV, FS, RedisServer, SQLITE } from "./backends.ts";
import { flap } from "./flapping-neuro.ts";
import { torture } from "./kills.ts";
import { breachesIn, DeliveryLog } from "./delivery-log.ts";
import { diskFull, redisAway, redisHangs, redisHangsAndDies, startOnFullDisk, startWhileRedisHangs } from "./outages.ts";

const KILLS = 4;
const LONG = { timeoutMs: 60_000 };
const redis = find("redis-server");

async function holds(backend: Backend): Promise<void> {
  const tally = await torture(backend, { kills: KILLS, seed: 7 });
  check.equal(breachesIn(tally), []);
  check.that(tally.queued >= 10, `only ${tally.queued} were answered queued`);
}

test("QU92 kills in the middle of everything lose nothing that was queued (fs)", () => holds(FS), LONG);

test("QU92 kills in the middle of everything lose nothing that was queued (sqlite)", () => holds(SQLITE), LONG);

test("QU92 kills in the middle of everything lose nothing that was queued (deno-kv)", () => holds(DENO_KV), LONG);

test("QU92 RT71 kills lose nothing that was queued though the clock is set by hours all the while", async () => {
  const tally = await torture(SQLITE, { kills: KILLS, seed: 8, isClockWrong: true });
  check.equal(breachesIn(tally), []);
  check.that(tally.queued >= 10, `only ${tally.queued} were answered queued`);
}, LONG);

test(
  "NC36 a Neuro who comes and goes finds each time all that is registered, and gets each result where she asked",
  async () => {
    const { connections, acts, results, breaches } = await flap({ times: 15, seed: 9 });
    check.equal(breaches, []);
    check.that(
      connections >= 8 && acts >= 50 && results >= acts / 2,
      `${connections} connections, ${acts} acts, ${results} results`,
    );
  },
  LONG,
);

if (redis !== undefined) {
  test(
    "QU92 kills in the middle of everything lose nothing that was queued (redis)",
    () => RedisServer.run(redis, ({ backend }) => holds(backend)),
    LONG,
  );
  test(
    "QU93 while Redis is away peers are served and senders told no; when it is back all goes on by itself",
    async () => check.equal(await RedisServer.run(redis, (server) => redisAway(server)), []),
    LONG,
  );
  test(
    "QU93 while Redis hangs peers are served and senders told no; when it goes on nothing comes that was refused",
    async () => check.equal(await RedisServer.run(redis, (server) => redisHangs(server, 4_000)), []),
    LONG,
  );
  test(
    "QU93 of a Redis that hangs and is then killed nothing comes that was refused",
    async () => check.equal(await RedisServer.run(redis, (server) => redisHangsAndDies(server, 4_000)), []),
    LONG,
  );
  test(
    "QU94 a relay that is started while Redis hangs says so and ends",
    async () => check.equal(await RedisServer.run(redis, startWhileRedisHangs), []),
    LONG,
  );
}

test("QU92 the account finds what must not be", () => {
  const ledger = new DeliveryLog();
  for (const number of [0, 1, 2]) ledger.answered(number, "queued");
  ledger.arrived("a", 1, false);
  ledger.arrived("a", 0, false);
  ledger.arrived("a", 1, true);
  check.equal(breachesIn(ledger.tally), ["1 were answered queued and never arrived", "1 arrived after a later one"]);
  ledger.arrived("a", 1, false);
  check.equal(breachesIn(ledger.tally).at(-1), "1 arrived again and did not say so");
});

for (const backend of [FS, SQLITE]) {
  test(
    `QU93 while the disk is full peers are served and senders told no; when it is not all goes on by itself (${backend.name})`,
    async () => {
      const found = await diskFull(backend);
      if (typeof found === "string") return console.log(`not tried: ${found}`);
      check.equal(found, []);
    },
    LONG,
  );
}

for (const backend of [FS, SQLITE]) {
  test(`QU94 a relay that is started on a full disk says so and ends (${backend.name})`, async () => {
    const found = await startOnFullDisk(backend);
    if (typeof found === "string") return console.log(`not tried: ${found}`);
    check.equal(found, []);
  }, LONG);
}
