/** Rates per second, counted from events and derived from counters. */
import { test } from "#runner";
import { CounterRate, SecondCounts } from "../../../../src/dashboard/state/rates.ts";
import { check } from "../../../harness/check.ts";

test("DB21 events are counted per second", () => {
  const counts = new SecondCounts(60);
  for (const at of [1_000, 1_999, 2_000, 500]) counts.add(at);
  check.equal(counts.series(3_000, 3), [1, 2, 1]);
  check.equal(counts.rate(3_000), 4 / 5);
  counts.add(120_000);
  counts.add(2_500);
  check.equal(counts.series(121_000, 60).reduce((sum, count) => sum + count), 1);
});

test("DB21 a chart of means changes only when a group of seconds is complete, and not at all without counts", () => {
  const counts = new SecondCounts(60);
  for (let second = 90; second < 99; second++) counts.add(second * 1_000, second < 96 ? 1 : 4);
  check.equal(counts.means(99_000, 3, 4), [0, 1, 1, 4]);
  check.equal(counts.means(101_999, 3, 4), counts.means(99_000, 3, 4));
  check.equal(counts.means(102_000, 3, 4), [1, 1, 4, 0]);
  check.equal([counts.isQuiet(158_000), counts.isQuiet(159_000), counts.isQuiet(110_000, 10)], [false, true, true]);
  counts.clear();
  check.equal(counts.isQuiet(99_000), true);
});

test("DB21 the increase of a counter is spread over the seconds between two readings", () => {
  const rate = new CounterRate(60);
  rate.record(100, 10_000);
  rate.record(110, 15_000);
  check.equal(rate.perSecond.series(15_000, 6), [0, 2, 2, 2, 2, 2]);
  rate.record(3, 20_000);
  check.equal(rate.perSecond.series(20_000, 5), [0, 0, 0, 0, 0]);
  rate.record(5, 500_000);
  const sum = rate.perSecond.series(500_000, 60).reduce((all, count) => all + count);
  check.that(Math.abs(sum - 2) < 1e-9);
});
