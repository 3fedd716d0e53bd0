/** Seeded numbers: simulation hashes, training runs and the standalone decider depend on them. */
import { test } from "#runner";
import { seededRandom, shuffle } from "../../../src/core/random.ts";
import { Random } from "../../../src/testing/random.ts";
import { check } from "../../harness/check.ts";

const UINT32 = 0x1_0000_0000;

test("the numbers of a seed never change", () => {
  const draws = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 3 }, () => random() * UINT32);
  };
  check.equal(draws(1), [2_693_262_067, 11_749_833, 2_265_367_787]);
  check.equal(draws(0xffff_ffff), [3_850_105_811, 813_802_916, 3_073_704_848]);
  check.equal(draws(-1), draws(0xffff_ffff));
});

test("a shuffle of a seed never changes and keeps every item", () => {
  const items = Array.from({ length: 8 }, (_, at) => at);
  shuffle(items, seededRandom(42));
  check.equal(items, [2, 7, 1, 0, 6, 5, 3, 4]);
});

test("choices stay within their bounds, and a branch has its own sequence", () => {
  const random = new Random(7);
  const numbers = Array.from({ length: 1_000 }, () => random.between(-2, 2));
  check.equal([Math.min(...numbers), Math.max(...numbers)], [-2, 2]);
  check.equal([random.oneOf([]), random.pick("only"), random.chance(0), random.chance(1)], [
    undefined,
    "only",
    false,
    true,
  ]);
  const [parent, twin] = [new Random(3), new Random(3)];
  const branch = parent.branch();
  twin.branch().fraction();
  for (let draw = 0; draw < 10; draw++) branch.fraction();
  check.equal(parent.fraction(), twin.fraction());
});
