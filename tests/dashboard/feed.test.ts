/** The feed, the rates, and how things are put into words, without a browser. */
import { test } from "#runner";
import fc from "fast-check";
import { describe } from "../../src/dashboard/model/describe.ts";
import { EVERYTHING, Feed, ROWS_MAX } from "../../src/dashboard/model/feed.ts";
import { briefly, count, counted, duration, latency, rate, size } from "../../src/dashboard/model/figures.ts";
import { CounterRate, PerSecond } from "../../src/dashboard/model/rates.ts";
import { shown, shownData, shownLines } from "../../src/dashboard/model/shown.ts";
import { EVENT_NAMES } from "../../src/services/intermediary/events.ts";
import { check } from "../harness/check.ts";

const context = (game_title: string, message: string) => ({ event: "add_context", game_title, message });
const lines = ({ rows }: Feed): readonly string[] => rows.map(({ described }) => described.line);

test("DB20 the feed keeps the last rows, shows those that fit, and does not change while it is held", () => {
  const feed = new Feed();
  for (let at = 0; at < 3 * ROWS_MAX + 7; at++) feed.push(context(at % 2 ? "Chess" : "Poker", `n${at}`), at);
  check.that(feed.rows.length >= ROWS_MAX && feed.rows.length <= 2 * ROWS_MAX);
  check.equal(lines(feed).at(-1), `n${3 * ROWS_MAX + 6}`);
  feed.sift({ ...EVERYTHING, who: "Chess", text: "N600" });
  check.equal(lines(feed), ["n6001", "n6003", "n6005"]);
  feed.hold();
  feed.push(context("Chess", "n6009"), 1);
  feed.push(context("Poker", "n6009"), 1);
  check.equal([lines(feed).length, feed.missed, feed.isHeld], [3, 1, true]);
  feed.release();
  check.equal([lines(feed).at(-1), feed.missed], ["n6009", 0]);
  feed.sift({ ...EVERYTHING, families: new Set(["actions"]) });
  check.equal(feed.rows.length, 0);
  feed.sift(EVERYTHING);
  check.that(feed.rows.length >= ROWS_MAX);
});

test("DB20 every event that there is has words of its own, and one that is not known is shown as it is", () => {
  for (const event of EVENT_NAMES) check.that(describe({ event }).what !== event, event);
  check.equal(describe({ event: "something_new", n: 1 }), {
    family: "trouble",
    tone: "plain",
    what: "something_new",
    names: [],
    line: `{"event":"something_new","n":1}`,
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
  check.equal(describe(result), {
    family: "actions",
    tone: "bad",
    what: "result",
    names: ["Chess"],
    line: "move  1.5 s  no  (answered by: deadline)",
  });
  check.equal(describe({ event: "gap", missed: null }).line, "events are missing here");
  fc.assert(fc.property(fc.constantFrom(...EVENT_NAMES), fc.dictionary(fc.string(), fc.jsonValue()), (event, fields) => {
    check.that(describe(JSON.parse(JSON.stringify({ ...fields, event }))).line.length <= 1_600);
  }));
});

test("DB21 rates are counted by the second, also from counters that are looked at now and then", () => {
  const perSecond = new PerSecond(60);
  for (const at of [1_000, 1_999, 2_000, 500]) perSecond.add(at);
  check.equal(perSecond.series(3_000, 3), [1, 2, 1]);
  check.equal(perSecond.rate(3_000), 4 / 5);
  perSecond.add(120_000);
  perSecond.add(2_500);
  check.equal(perSecond.series(121_000, 60).reduce((sum, times) => sum + times), 1);
  const counter = new CounterRate(60);
  counter.look(100, 10_000);
  counter.look(110, 15_000);
  check.equal(counter.perSecond.series(15_000, 6), [0, 2, 2, 2, 2, 2]);
  counter.look(3, 20_000);
  check.equal(counter.perSecond.series(20_000, 5), [0, 0, 0, 0, 0]);
  counter.look(5, 500_000);
  const sum = counter.perSecond.series(500_000, 60).reduce((all, times) => all + times);
  check.that(Math.abs(sum - 2) < 1e-9);
});

test("DB22 one of something is not many", () => {
  check.equal([0, 1, 2, 12_345].map((of) => counted(of, "event")), ["0 events", "1 event", "2 events", "12k events"]);
  check.equal(describe({ event: "gap", missed: 1 }).line, "1 event missing here");
});

test("DB22 numbers are short, durations in their two largest units", () => {
  check.equal([0, 59_999, 60_000, 3_599_000, 3_600_000, 90_000_000].map(duration), [
    "0 s",
    "59 s",
    "1 m 00 s",
    "59 m 59 s",
    "1 h 00 m",
    "1 d 1 h",
  ]);
  check.equal([-5, 61_000, 7_200_000, 172_800_000].map(briefly), ["0s", "1m", "2h", "2d"]);
  check.equal([0, 999, 1_000, 1_240, 45_000, 999_400, 999_600, 3_100_000].map(count), [
    "0",
    "999",
    "1k",
    "1.2k",
    "45k",
    "999k",
    "1M",
    "3.1M",
  ]);
  check.equal([0.01, 0.4, 9.94, 9.96, 1_234].map(rate), ["0", "0.4", "9.9", "10", "1.2k"]);
  check.equal([12, 1_024, 15_000, 12_000_000].map(size), ["12 B", "1.0 KiB", "15 KiB", "11 MiB"]);
  check.equal([85.4, 1_400, 12_000].map(latency), ["85 ms", "1.4 s", "12 s"]);
});

test("DB15 text of strangers holds nothing that cannot be seen, and no more than asked for", () => {
  check.equal(shown("a\u202eb\u0000c\nd\u200b"), "a\ufffdb\ufffdc\ufffdd\ufffd");
  check.equal(shownLines("a\r\nb\tc"), "a\nb\ufffdc");
  check.equal(shown("e" + "\u0301".repeat(50)).length, 4);
  check.equal(shown("😀😀😀", 2), "😀…");
  check.equal(shown("\ud800x"), "\ufffdx");
  check.equal(shownData(`{"a":"\u202e"}`), `{\n  "a": "\\u202e"\n}`);
  check.equal(shownData("no json"), "no json");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 600 }), fc.integer({ min: 2, max: 50 }), (text, most) => {
    const fit = shown(text, most);
    check.that([...fit].length <= most);
    // deno-lint-ignore no-control-regex -- Why: this is what must not be there.
    check.that(!/[\u0000-\u001f\u202a-\u202e\u2066-\u2069\u200b]/.test(fit));
  }));
});
