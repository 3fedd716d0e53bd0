/** `bun run fuzz` with fewer inputs. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { TARGETS } from "./targets.ts";
import { fuzzFrames } from "./frames.ts";
import { GROWTH_BYTES_MAX } from "./memory.ts";
import { fuzzRequests } from "./requests.ts";

const FUZZ = { inputs: 3_000, seed: 11 };
const LONG = { timeoutMs: 60_000 };

for (const listener of TARGETS) {
  test(
    `SE40 SE41 invalid input throws nothing, affects no other peer and retains no memory (${listener.name})`,
    async () => {
      const { violations, growthBytes } = await fuzzFrames(listener, FUZZ);
      check.equal(violations, []);
      check.that(growthBytes < GROWTH_BYTES_MAX, `${growthBytes} bytes more are held`);
    },
    LONG,
  );
}

test("SE42 no invalid request causes an internal error, connects without the token, or gets a file", async () => {
  const { violations, growthBytes } = await fuzzRequests(FUZZ);
  check.equal(violations, []);
  check.that(growthBytes < GROWTH_BYTES_MAX, `${growthBytes} bytes more are held`);
}, LONG);
