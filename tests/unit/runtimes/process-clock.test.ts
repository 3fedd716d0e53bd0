import { test } from "#runner";
import { monotonic } from "../../../src/runtimes/process-clock.ts";
import { check } from "../../harness/check.ts";

test("RT71 time does not go back, and continues from the last value at the same speed", () => {
  let wall = 0;
  const now = monotonic(() => wall);
  const at = (time: number): number => {
    wall = time;
    return now();
  };
  check.equal([at(1_000), at(1_500)], [1_000, 1_500]);
  check.equal([at(200), at(300), at(1_400)], [1_500, 1_600, 2_700], "set back by 1,300");
  check.equal([at(-5_000), at(-4_000)], [2_700, 3_700], "and once more");
  check.equal(at(100_000), 107_700, "what is set forward is believed");
});
