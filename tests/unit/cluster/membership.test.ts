import { test } from "#runner";
import { cautiousClock, readClock } from "../../../src/cluster/cautious-clock.ts";
import { beatAnswered, createMembership, leaseTimes, mayAct, suspendIfOver } from "../../../src/cluster/membership.ts";
import { check } from "../../harness/check.ts";
import { MembersSimulation, type Mutation } from "./simulated-members.ts";

const SEEDS = 200;
const MUTANT_SEEDS = 60;

const member = (session: string, count: number) => ({ session, count, place: "127.0.0.1:1" });
const alive = (...members: ReturnType<typeof member>[]) => ({ is: "alive" as const, members, alarmAt: undefined });

test("CN1 a node acts until 0.9 of the lease after it sent the last beat that was answered", () => {
  const state = createMembership("a.1", leaseTimes(2_000));
  check.that(!mayAct(state, 0));
  check.equal(beatAnswered(state, alive(member("a.1", 1)), { sentAt: 100, now: 900, observedAt: 900 }).lease, "joined");
  check.that(mayAct(state, 1_899) && !mayAct(state, 1_900));
  check.equal(beatAnswered(state, alive(), { sentAt: 50, now: 950, observedAt: 950 }).lease, "renewed");
  check.that(mayAct(state, 1_899), "an earlier beat does not shorten the lease");
  check.that(!suspendIfOver(state, 1_899) && suspendIfOver(state, 1_900) && !suspendIfOver(state, 1_901));
  check.equal(beatAnswered(state, alive(), { sentAt: 100, now: 2_000, observedAt: 2_000 }).lease, "late");
  check.that(!mayAct(state, 2_000));
  check.equal(beatAnswered(state, alive(), { sentAt: 1_950, now: 2_000, observedAt: 2_000 }).lease, "resumed");
  check.that(mayAct(state, 2_000));
});

test("CN2 a session that was declared dead never acts again", () => {
  const state = createMembership("a.1", leaseTimes(2_000));
  beatAnswered(state, alive(), { sentAt: 0, now: 10, observedAt: 10 });
  check.equal(beatAnswered(state, { is: "dead" }, { sentAt: 400, now: 410, observedAt: 410 }).lease, "died");
  check.equal(beatAnswered(state, alive(), { sentAt: 800, now: 810, observedAt: 810 }).lease, "died");
  check.that(!mayAct(state, 811));
});

test("CN3 a member whose beats stop for a lease expires; a gap of two beats in the observation does not count", () => {
  const state = createMembership("a.1", leaseTimes(2_000));
  const beat = (now: number, ...members: ReturnType<typeof member>[]) =>
    beatAnswered(state, alive(...members), { sentAt: now, now, observedAt: now });
  check.equal(beat(0, member("b.1", 5), member("a.1", 1)).appeared.map(({ session }) => session), ["b.1"]);
  for (let now = 400; now < 2_000; now += 400) check.equal(beat(now, member("b.1", 5)).expired, []);
  check.equal(beat(2_000, member("b.1", 5)).expired, [member("b.1", 5)]);
  check.equal(beat(2_400, member("b.1", 6)).expired, []);
  check.equal(beat(5_000, member("b.1", 6)).expired, [], "nobody is expired after an outage");
  check.equal(beat(5_400, member("c.1", 1)).gone, ["b.1"]);
  for (let now = 5_800; now <= 6_600; now += 400) check.equal(beat(now, member("c.1", 1)).expired, []);
  for (const now of [8_000, 8_400]) {
    check.equal(beat(now, member("c.1", 1)).expired, [], "1.2 s before the gap, 0.4 s after it");
  }
  check.equal(beat(8_800, member("c.1", 1)).expired, [member("c.1", 1)], "a lease without the gap");
});

test("CN4 the clock of leases follows the faster of two clocks, never goes back, and is not sped up by many readings", () => {
  const clock = cautiousClock({ monotonic: 0, wall: 1_000 });
  check.equal(readClock(clock, { monotonic: 100, wall: 1_100 }), 100);
  check.equal(
    readClock(clock, { monotonic: 200, wall: 6_200 }),
    5_200,
    "the machine was suspended, or its clock set forward",
  );
  check.equal(readClock(clock, { monotonic: 300, wall: 1_300 }), 5_300, "set back");
  check.equal(readClock(clock, { monotonic: 400, wall: 1_400 }), 5_400);
  const often = cautiousClock({ monotonic: 0, wall: 0 });
  let now = 0;
  for (let at = 0; at <= 60_000; at += 0.1) now = readClock(often, { monotonic: at, wall: Math.floor(at) });
  check.that(now >= 60_000 && now < 60_000 * 1.002, `${now} after 60,000 ms`);
});

test("CN5 whatever happens to clocks, processes and messages, a session that was declared dead does not act", () => {
  let [checks, expirations] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = new MembersSimulation(seed).run();
    check.equal(result.violations, [], `seed ${seed}`);
    check.equal(result.holding, 4, `seed ${seed}: all nodes act again after 20 s without faults`);
    checks += result.checks;
    expirations += result.expirations;
  }
  check.that(checks > 1_000_000 && expirations > SEEDS, `${checks} checks, ${expirations} sessions declared dead`);
}, { timeoutMs: 60_000 });

/** With the seed to begin with: the last one shows once in about 1,400 seeds. */
const MUTATIONS: readonly [Exclude<Mutation, "none">, seed: number][] = [
  ["no-margin", 1],
  ["monotonic-only", 1],
  ["received-not-sent", 1],
  ["expire-without-count", 1],
  ["impatient-clock", 1_360],
];
for (const [mutation, first] of MUTATIONS) {
  test(`CN5 the simulation finds a lease that is wrong: ${mutation}`, () => {
    for (let seed = first; seed < first + MUTANT_SEEDS; seed++) {
      if (new MembersSimulation(seed, mutation).run().violations.length > 0) return;
    }
    check.that(false, `${MUTANT_SEEDS} seeds find nothing`);
  }, { timeoutMs: 60_000 });
}
