/** The token bucket and the backoff. */
import { test } from "#runner";
import fc from "fast-check";
import { backoffMs } from "../../../src/core/link.ts";
import { bucket, refund, take } from "../../../src/core/bucket.ts";
import { check } from "../../harness/check.ts";

const steps = fc.array(fc.record({ passed: fc.nat(3_000), amount: fc.integer({ min: 1, max: 5 }) }), { maxLength: 60 });

test("at most the burst passes, plus the rate times the elapsed time", () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 5, max: 40 }), (plan, perSecond, burst) => {
      const from = bucket(burst, 0);
      let [now, taken] = [0, 0];
      for (const { passed, amount } of plan) {
        now += passed;
        if (take(from, { perSecond, burst, now }, amount) === 0) taken += amount;
        check.that(taken * 1_000 <= burst * 1_000 + now * perSecond, `${taken} taken after ${now} ms`);
      }
    }),
  );
});

test("a frame passes after the time to retry, and not a millisecond earlier", () => {
  fc.assert(fc.property(steps, fc.integer({ min: 1, max: 50 }), (plan, perSecond) => {
    const burst = 10;
    const from = bucket(burst, 0);
    let now = 0;
    for (const { passed, amount } of plan) {
      now += passed;
      const waitMs = take(from, { perSecond, burst, now }, amount);
      if (waitMs === 0) continue;
      check.that(
        waitMs === 1 || take({ ...from }, { perSecond, burst, now: now + waitMs - 1 }, amount) > 0,
        "too long a wait",
      );
      check.equal(take({ ...from }, { perSecond, burst, now: now + waitMs }, amount), 0, "too short a wait");
    }
  }));
});

test("an amount larger than the burst passes when the bucket is full, and delays later ones", () => {
  const from = bucket(10, 0);
  check.equal(take(from, { perSecond: 10, burst: 10, now: 0 }, 30), 0);
  check.equal(take(from, { perSecond: 10, burst: 10, now: 0 }, 1), 2_100);
});

test("a clock that is set back does not fill the bucket, and causes no invalid wait", () => {
  const from = bucket(1, 10_000);
  check.equal(take(from, { perSecond: 1, burst: 1, now: 10_000 }, 1), 0);
  check.equal(take(from, { perSecond: 1, burst: 1, now: 5_000 }, 1), 1_000);
  check.equal(take(from, { perSecond: 1, burst: 1, now: 6_000 }, 1), 0);
});

test("a rate of nothing per second means no bound", () => {
  check.equal(take(bucket(1, 0), { perSecond: 0, burst: 1, now: 0 }, 1_000), 0);
});

test("a returned amount can be taken again, but the bucket never contains more than its burst", () => {
  const rate = { perSecond: 1, burst: 2, now: 0 };
  const from = bucket(2, 0);
  take(from, rate, 2);
  refund(from, 1);
  check.equal(take(from, rate, 1), 0);
  refund(from, 100);
  check.equal(take(from, rate, 2), 0);
  check.that(take(from, rate, 1) > 0);
});

test("a wait is a whole number below the bound, which doubles up to its cap and stays there", () => {
  const backoff = { baseMs: 500, capMs: 15_000 };
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(fc.nat(2_000), chance, (attempt, random) => {
    const waitMs = backoffMs(backoff, attempt, random);
    check.that(Number.isSafeInteger(waitMs) && waitMs >= 0);
    check.that(waitMs < Math.min(15_000, 500 * 2 ** Math.min(attempt, 30)));
  }));
  check.equal([0, 1, 4, 5, 1_000].map((attempt) => backoffMs(backoff, attempt, 0.5)), [250, 500, 4_000, 7_500, 7_500]);
});
