/** What peers can make a real relay keep, in memory and on disk. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { fillEverything, leavingGames, type MemoryResult } from "./memory.ts";

const FILL_MS = 6_000;
const CHURN_MS = 8_000;
/** What is kept, and what the next start needs. */
const KEPT_MB = 200;
/** With the garbage of 90 MB of input a second, on a machine that is busy with other work. */
const PEAK_MB = 600;
const DISK_MB = 64;

function checkMemory({ peakMb, keptMb, afterMb, restartMb, diskMb, violations }: MemoryResult): void {
  check.equal(violations, []);
  check.that(keptMb < KEPT_MB && afterMb < KEPT_MB, `${keptMb.toFixed(0)} and then ${afterMb.toFixed(0)} MB are kept`);
  check.that(restartMb < KEPT_MB, `the next start needs ${restartMb.toFixed(0)} MB`);
  check.that(diskMb < DISK_MB, `${diskMb.toFixed(0)} MB are stored`);
  check.that(peakMb < PEAK_MB, `${peakMb.toFixed(0)} MB at the peak`);
}

test(
  "SE29 a client for each table of each listener, Neuro and Nallely: 200 MB suffice for what is kept of them, and 64 MB on disk",
  async () => checkMemory(await fillEverything(FILL_MS)),
  { timeoutMs: 90_000 },
);

test(
  "SE29 games with large registries and new names that come and leave: 200 MB, and 64 MB on disk, also at the next start",
  async () => checkMemory(await leavingGames(CHURN_MS)),
  { timeoutMs: 90_000 },
);
