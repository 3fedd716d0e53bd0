/** What is particular to Redis: the layout, the migration, and that only one process writes. */
import { test } from "#runner";
import { Redis } from "ioredis";
import { key } from "../../../src/core/key.ts";
import { holderIn } from "../../../src/storage/drivers/redis.ts";
import { find } from "../../harness/machine.ts";
import { check } from "../../harness/check.ts";
import { type BackendFixture, redisOn } from "./backends.ts";

const [one, two] = [key("neuro", "case", "one"), key("neuro", "case", "two")];
const program = find("redis-server");
if (program === undefined) console.log("skipped: the tests of redis, for there is no redis-server here");
const kind = program === undefined ? undefined : await redisOn(program);

function redisTest(name: string, run: (fixture: BackendFixture, redis: Redis) => Promise<void>): void {
  if (kind === undefined) return;
  test(name, async () => {
    const fixture = await kind.make();
    const redis = new Redis(fixture.settings.url);
    try {
      await run(fixture, redis);
    } finally {
      redis.disconnect();
      await fixture.clear();
    }
  });
}

redisTest(
  "ST23 entries of an earlier version are moved into the hash, foreign keys stay, and a move that was interrupted continues",
  async (fixture, redis) => {
    await redis.mset(
      "neuro-relay:neuro:case:one",
      '{"v":1}',
      "neuro-relay:neuro:case:two",
      '{"v":1,"old":true}',
      "other:x",
      "1",
    );
    await redis.hset("neuro-relay:e:default", "neuro:case:two", '{"v":1,"moved":true}');
    const store = await fixture.open();
    check.equal(await store.keys(key("neuro")), [one, two]);
    check.equal((await store.read([two]))[0]?.value, { v: 1, moved: true });
    check.equal((await redis.keys("*")).sort(), [
      "neuro-relay:e:default",
      "neuro-relay:epoch",
      "neuro-relay:moved",
      "neuro-relay:own",
      "other:x",
    ]);
    await store.close();
    await redis.set("neuro-relay:neuro:case:one", "left by an earlier version that was started once more");
    await redis.config("RESETSTAT");
    await (await fixture.open()).close();
    check.equal(/cmdstat_scan:/.test(await redis.info("commandstats")), false, "a completed move is not repeated");
  },
);

redisTest("ST24 a holder that was taken over writes and deletes nothing any more", async (fixture, redis) => {
  const first = await fixture.open();
  await first.put(one, { v: 1 });
  await redis.hset("neuro-relay:own", "default", "elsewhere.1.x.y 7");
  await check.rejects(first.put(two, { v: 1 }), /another process has taken over the relay default/);
  await check.rejects(first.delete(one), /another process has taken over/);
  check.equal(await redis.hkeys("neuro-relay:e:default"), ["neuro:case:one"]);
  await first.close();
  check.equal(await redis.hget("neuro-relay:own", "default"), "elsewhere.1.x.y 7");
});

redisTest("ST24 a holder continues after Redis has lost its data", async (fixture, redis) => {
  const store = await fixture.open();
  await redis.flushall();
  await store.put(one, { v: 1 });
  check.equal(await redis.hkeys("neuro-relay:e:default"), ["neuro:case:one"]);
  await store.close();
});

redisTest("ST25 the session of a record counts while its connection is alive", async (fixture, redis) => {
  await redis.hset("neuro-relay:own", "default", "gone.1.x.y 7");
  await (await fixture.open()).close();
  await redis.hset("neuro-relay:own", "default", "hanging.1.x.y 8");
  const hanging = new Redis(fixture.settings.url, { connectionName: "hanging.1.x.y" });
  await hanging.ping();
  await check.rejects(fixture.open(), /is in use by process 1 since .* on hanging .*only one relay may write there/);
  hanging.disconnect();
});

test("ST25 a holder whose connection was silent for 30 s counts as gone", () => {
  const line = (idle: number) =>
    `id=3 addr=10.0.0.7:4 laddr=10.0.0.1:6379 fd=8 name=host.12.m.x age=99 idle=${idle} flags=N db=0`;
  check.match(
    holderIn(`${line(31)}\n${line(29)}\n`, "host.12.m.x") ?? "",
    /^process 12 since .* on host \(10\.0\.0\.7:4\)$/,
  );
  check.equal(holderIn(`${line(30)}\n`, "host.12.m.x"), undefined);
  check.equal(holderIn(`${line(0)}\n`, "host.12.m.y"), undefined);
});
