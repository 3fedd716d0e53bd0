/** How numbers, sizes and durations are written. */
import { test } from "#runner";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatLatency,
  formatQuantity,
  formatRate,
} from "../../../../src/dashboard/lib/format.ts";
import { check } from "../../../harness/check.ts";

test("DB22 one of something is singular", () => {
  check.equal([0, 1, 2, 12_345].map((value) => formatQuantity(value, "event")), [
    "0 events",
    "1 event",
    "2 events",
    "12k events",
  ]);
});

test("DB22 numbers are short, durations have their two largest units", () => {
  check.equal([0, 59_999, 60_000, 3_599_000, 3_600_000, 90_000_000].map(formatDuration), [
    "0 s",
    "59 s",
    "1 min 00 s",
    "59 min 59 s",
    "1 h 00 min",
    "1 d 1 h",
  ]);
  check.equal([-5, 61_000, 7_200_000, 172_800_000].map(formatAge), ["0 s", "1 min", "2 h", "2 d"]);
  check.equal([0, 999, 1_000, 1_240, 45_000, 999_400, 999_600, 3_100_000].map(formatCount), [
    "0",
    "999",
    "1k",
    "1.2k",
    "45k",
    "999k",
    "1M",
    "3.1M",
  ]);
  check.equal([0.01, 0.4, 9.94, 9.96, 1_234].map(formatRate), ["0", "0.4", "9.9", "10", "1.2k"]);
  check.equal([12, 1_024, 15_000, 12_000_000].map(formatBytes), ["12 B", "1.0 KiB", "15 KiB", "11 MiB"]);
  check.equal([85.4, 1_400, 12_000].map(formatLatency), ["85 ms", "1.4 s", "12 s"]);
});
