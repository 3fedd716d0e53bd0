/** The contract of the directory, on Redis and on the functions that the simulation uses instead. */
import { test } from "#runner";
import { Redis } from "ioredis";
import { type ClusterDirectory, parseRecord, recordText, RELEASED } from "../../../src/cluster/directory.ts";
import { redisDirectory } from "../../../src/cluster/redis-directory.ts";
import { check } from "../../harness/check.ts";
import { find } from "../../harness/machine.ts";
import { redisOn } from "../storage/backends.ts";
import { SimulatedDirectory } from "./simulated-directory.ts";

const kinds: [name: string, run: (use: (directory: ClusterDirectory) => Promise<void>) => Promise<void>][] = [
  ["simulated", (use) => use(new SimulatedDirectory().asDirectory())],
];
const program = find("redis-server");
if (program === undefined) console.log("skipped: the directory in redis, for there is no redis-server here");
else {
  const kind = await redisOn(program);
  kinds.push(["redis", async (use) => {
    const fixture = await kind.make();
    const redis = new Redis(fixture.settings.url);
    await use(redisDirectory(redis, "neuro-relay"));
    redis.disconnect();
    await fixture.clear();
  }]);
}

const beat = (directory: ClusterDirectory, session: string, count = 1) =>
  directory.beat({ session, count, place: `${session}:8768` });

const CASES: readonly [name: string, run: (directory: ClusterDirectory) => Promise<void>][] = [
  ["CN7 a beat returns all members with their beats and places", async (directory) => {
    const members = [{ session: "a.1", count: 1, place: "a.1:8768" }];
    check.equal(await beat(directory, "a.1"), { is: "alive", members, alarmAt: undefined });
    await beat(directory, "b.1", 3);
    const reply = await beat(directory, "a.1", 2);
    check.equal(reply.is === "alive" && reply.members.map(({ session, count }) => [session, count]).sort(), [["a.1", 2], [
      "b.1",
      3,
    ]]);
  }],
  ["CN8 a member expires only with the number of beats that was seen, and stays dead", async (directory) => {
    await beat(directory, "a.1", 7);
    check.equal(await directory.expire("a.1", 6), false);
    check.equal(await directory.expire("b.1", 1), false);
    check.equal(await directory.expire("a.1", 7), true);
    check.equal(await beat(directory, "a.1", 8), { is: "dead" });
    const reply = await beat(directory, "a.2");
    check.equal(reply.is === "alive" && reply.members.length, 1);
  }],
  ["CN9 CN42 a relay belongs to one member at a time, and each change of owner has a higher epoch", async (directory) => {
    check.equal(await directory.claim("r", "a.1", ""), undefined, "not a member");
    await beat(directory, "a.1");
    await beat(directory, "b.1");
    check.equal(await directory.claim("r", "a.1", ""), { record: { session: "a.1", epoch: 1 }, isClean: false });
    check.equal(await directory.claim("r", "b.1", ""), undefined);
    check.equal(await directory.claim("r", "b.1", "a.1"), undefined, "its owner is alive");
    await directory.expire("a.1", 1);
    check.equal(await directory.claim("r", "b.1", "c.1"), undefined, "not the owner that was seen");
    check.equal(await directory.claim("r", "b.1", "a.1"), { record: { session: "b.1", epoch: 2 }, isClean: false });
    check.equal(await directory.ownerOf("r"), { session: "b.1", epoch: 2 });
    check.equal(await directory.ownerOf("other"), undefined);
    check.equal(await directory.claim("r", "b.1", "b.1"), undefined, "its own relay");
    check.equal(await directory.claim("r", "b.1", "b.1 1"), undefined, "by an earlier record");
    check.equal(await directory.claim("r", "b.1", "b.1 2"), { record: { session: "b.1", epoch: 3 }, isClean: false });
  }],
  [
    "CN10 a relay that was handed over is claimed clean; one that was stopped has no record, and keeps its epochs",
    async (directory) => {
      await beat(directory, "a.1");
      await beat(directory, "b.1");
      const first = (await directory.claim("r", "a.1", ""))?.record ?? { session: "", epoch: 0 };
      check.equal(await directory.release("r", { ...first, epoch: 9 }), false);
      check.equal(await directory.release("r", first), true);
      check.equal(await directory.ownerOf("r"), { session: RELEASED, epoch: 1 });
      const second = await directory.claim("r", "b.1", "");
      check.equal(second, { record: { session: "b.1", epoch: 2 }, isClean: true });
      check.equal(second !== undefined && await directory.stop("r", second.record, undefined), true);
      check.equal([...await directory.records()], []);
      check.equal((await directory.claim("r", "b.1", ""))?.record.epoch, 3);
      check.equal([...await directory.records()], [["r", { session: "b.1", epoch: 3 }]]);
      await directory.leave("b.1");
      check.equal((await directory.claim("r", "a.1", "b.1"))?.record.epoch, 4);
    },
  ],
  ["CN38 a session is no member while another one of its node's name is", async (directory) => {
    await beat(directory, "a.1");
    check.equal(await directory.beat({ session: "a.2", count: 1, place: "x:1" }), {
      is: "nameTaken",
      by: { session: "a.1", count: 1, place: "a.1:8768" },
    });
    check.equal((await directory.members()).map(({ session }) => session), ["a.1"]);
    check.equal(await directory.expire("a.1", 1), true);
    check.equal((await directory.beat({ session: "a.2", count: 2, place: "x:1" })).is, "alive");
    check.equal((await directory.beat({ session: "a.2", count: 3, place: "x:1" })).is, "alive");
    check.equal(
      (await directory.beat({ session: "a.x.1", count: 1, place: "y:1" })).is,
      "alive",
      "the name ends at the last dot",
    );
  }],
  ["CN36 a relay that was stopped is due at its alarm, until it is claimed", async (directory) => {
    await beat(directory, "a.1");
    const alarms = [["late", 3_000], ["early", 1_000], ["never", undefined]] as const;
    for (const [relay, at] of alarms) {
      const { record } = await directory.claim(relay, "a.1", "") ?? { record: { session: "", epoch: 0 } };
      check.equal(await directory.stop(relay, { ...record, epoch: 9 }, 0), false);
      check.equal(await directory.stop(relay, record, at), true);
    }
    check.equal([await directory.due(999, 9), await directory.due(1_000, 9)], [[], ["early"]]);
    check.equal([await directory.due(9_000, 9), await directory.due(9_000, 1)], [["early", "late"], ["early"]]);
    check.equal([...await directory.alarms()].sort(), [["early", 1_000], ["late", 3_000]]);
    const alarmAt = async () => (await beat(directory, "a.1") as { readonly alarmAt?: number }).alarmAt;
    check.equal(await alarmAt(), 1_000, "a beat tells the earliest one");
    await directory.claim("early", "a.1", "");
    check.equal(await directory.due(9_000, 9), ["late"]);
    check.equal(await alarmAt(), 3_000);
    await directory.claim("late", "a.1", "");
    check.equal(await alarmAt(), undefined);
  }],
];

for (const [kind, run] of kinds) {
  for (const [name, use] of CASES) test(`${name} (${kind})`, () => run(use));
}

test("CN9 a record is read only if it is one", () => {
  check.equal(parseRecord(recordText({ session: "a.b.1", epoch: 12 })), { session: "a.b.1", epoch: 12 });
  for (const text of ["", "a.1", "a.1 x", "a.1 1 2", "a.1 -1", `a.1 ${"9".repeat(16)}`, null, undefined]) {
    check.equal(parseRecord(text), undefined, String(text));
  }
});
