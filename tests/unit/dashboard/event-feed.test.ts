/** The feed, the rates, and how things are put into words, without a browser. */
import { test } from "#runner";
import fc from "fast-check";
import { describeEvent } from "../../../src/dashboard/lib/describe-event.ts";
import { EventFeed, NO_FILTER, ROWS_MAX } from "../../../src/dashboard/state/event-feed.ts";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatLatency,
  formatQuantity,
  formatRate,
} from "../../../src/dashboard/lib/format.ts";
import { CounterRate, SecondCounts } from "../../../src/dashboard/state/rates.ts";
import { sanitize, sanitizeData, sanitizeLines } from "../../../src/dashboard/lib/sanitize.ts";
import { EVENT_NAMES } from "../../../src/services/intermediary/watchers/events.ts";
import { check } from "../../harness/check.ts";

const context = (game_title: string, message: string) => ({ event: "add_context", game_title, message });
const lines = ({ rows }: EventFeed): readonly string[] => rows.map(({ summary }) => summary.text);

test("DB20 the feed keeps the last rows, shows those that fit, and does not change while it is held", () => {
  const feed = new EventFeed();
  for (let at = 0; at < 3 * ROWS_MAX + 7; at++) feed.push(context(at % 2 ? "Chess" : "Poker", `n${at}`), at);
  check.that(feed.rows.length >= ROWS_MAX && feed.rows.length <= 2 * ROWS_MAX);
  check.equal(lines(feed).at(-1), `n${3 * ROWS_MAX + 6}`);
  feed.setFilter({ ...NO_FILTER, integration: "Chess", text: "N600" });
  check.equal(lines(feed), ["n6001", "n6003", "n6005"]);
  feed.pause();
  feed.push(context("Chess", "n6009"), 1);
  feed.push(context("Poker", "n6009"), 1);
  check.equal([lines(feed).length, feed.missed, feed.isPaused], [3, 1, true]);
  feed.resume();
  check.equal([lines(feed).at(-1), feed.missed], ["n6009", 0]);
  feed.setFilter({ ...NO_FILTER, categories: new Set(["actions"]) });
  check.equal(feed.rows.length, 0);
  feed.setFilter(NO_FILTER);
  check.that(feed.rows.length >= ROWS_MAX);
});

test("DB20 every event that there is has words of its own, and one that is not known is shown as it is", () => {
  for (const event of EVENT_NAMES) check.that(describeEvent({ event }).label !== event, event);
  check.equal(describeEvent({ event: "something_new", n: 1 }), {
    category: "trouble",
    tone: "plain",
    label: "something_new",
    names: [],
    text: `{"event":"something_new","n":1}`,
  });
  const result = {
    event: "action_result",
    name: "move",
    from: "Chess",
    success: false,
    message: "no",
    ms: 1_500,
    origin: "deadline",
  };
  check.equal(describeEvent(result), {
    category: "actions",
    tone: "bad",
    label: "result",
    names: ["Chess"],
    text: "move  1.5 s  no  (answered by: deadline)",
  });
  check.equal(describeEvent({ event: "gap", missed: null }).text, "events are missing here");
  fc.assert(fc.property(fc.constantFrom(...EVENT_NAMES), fc.dictionary(fc.string(), fc.jsonValue()), (event, fields) => {
    check.that(describeEvent(JSON.parse(JSON.stringify({ ...fields, event }))).text.length <= 1_600);
  }));
});

test("DB21 rates are counted by the second, also from counters that are looked at now and then", () => {
  const perSecond = new SecondCounts(60);
  for (const at of [1_000, 1_999, 2_000, 500]) perSecond.add(at);
  check.equal(perSecond.series(3_000, 3), [1, 2, 1]);
  check.equal(perSecond.rate(3_000), 4 / 5);
  perSecond.add(120_000);
  perSecond.add(2_500);
  check.equal(perSecond.series(121_000, 60).reduce((sum, times) => sum + times), 1);
  const counter = new CounterRate(60);
  counter.record(100, 10_000);
  counter.record(110, 15_000);
  check.equal(counter.perSecond.series(15_000, 6), [0, 2, 2, 2, 2, 2]);
  counter.record(3, 20_000);
  check.equal(counter.perSecond.series(20_000, 5), [0, 0, 0, 0, 0]);
  counter.record(5, 500_000);
  const sum = counter.perSecond.series(500_000, 60).reduce((all, times) => all + times);
  check.that(Math.abs(sum - 2) < 1e-9);
});

test("DB22 one of something is not many", () => {
  check.equal([0, 1, 2, 12_345].map((of) => formatQuantity(of, "event")), [
    "0 events",
    "1 event",
    "2 events",
    "12k events",
  ]);
  check.equal(describeEvent({ event: "gap", missed: 1 }).text, "1 event missing here");
});

test("DB22 numbers are short, durations in their two largest units", () => {
  check.equal([0, 59_999, 60_000, 3_599_000, 3_600_000, 90_000_000].map(formatDuration), [
    "0 s",
    "59 s",
    "1 m 00 s",
    "59 m 59 s",
    "1 h 00 m",
    "1 d 1 h",
  ]);
  check.equal([-5, 61_000, 7_200_000, 172_800_000].map(formatAge), ["0s", "1m", "2h", "2d"]);
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

test("DB15 text of strangers holds nothing that cannot be seen, and no more than asked for", () => {
  check.equal(sanitize("a\u202eb\u0000c\nd\u200b"), "a\ufffdb\ufffdc\ufffdd\ufffd");
  check.equal(sanitizeLines("a\r\nb\tc"), "a\nb\ufffdc");
  check.equal(sanitize("e" + "\u0301".repeat(50)).length, 4);
  check.equal(sanitize("😀😀😀", 2), "😀…");
  check.equal(sanitize("\ud800x"), "\ufffdx");
  check.equal(sanitizeData(`{"a":"\u202e"}`), `{\n  "a": "\\u202e"\n}`);
  check.equal(sanitizeData("no json"), "no json");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 600 }), fc.integer({ min: 2, max: 50 }), (text, most) => {
    const fit = sanitize(text, most);
    check.that([...fit].length <= most);
    // deno-lint-ignore no-control-regex -- Why: this is what must not be there.
    check.that(!/[\u0000-\u001f\u202a-\u202e\u2066-\u2069\u200b]/.test(fit));
  }));
});
