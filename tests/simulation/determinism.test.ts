/** The same seed gives the same run: otherwise a failure could not be repeated. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { simulate } from "./run.ts";

const SEED = 7;

test("SI8 one seed has the same trace hash each time", async () => {
  const [first, second, other] = [
    await simulate({ seed: SEED }),
    await simulate({ seed: SEED }),
    await simulate({ seed: SEED + 1 }),
  ];
  check.equal(first.hash, second.hash);
  check.that(first.hash !== other.hash, "two seeds have the same hash");
});

test("SI8 a trace does not change the run", async () => {
  const lines: string[] = [];
  const [watched, unwatched] = [
    await simulate({ seed: SEED, onTrace: (line) => lines.push(line) }),
    await simulate({ seed: SEED }),
  ];
  check.equal(watched.hash, unwatched.hash);
  check.that(lines.length > 500, `only ${lines.length} lines`);
});
