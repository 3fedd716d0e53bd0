/** The live feed: its bound, its filter and its pause. */
import { test } from "#runner";
import { EventFeed, NO_FILTER, ROWS_MAX } from "../../../../src/dashboard/state/event-feed.ts";
import { check } from "../../../harness/check.ts";

const context = (game_title: string, message: string) => ({ event: "add_context", game_title, message });
const texts = ({ rows }: EventFeed): readonly string[] => rows.map(({ summary }) => summary.text);

test("DB20 the feed keeps the last rows, shows those that match, and does not change while it is paused", () => {
  const feed = new EventFeed();
  for (let at = 0; at < 3 * ROWS_MAX + 7; at++) feed.push(context(at % 2 ? "Chess" : "Poker", `n${at}`), at);
  check.that(feed.rows.length >= ROWS_MAX && feed.rows.length <= 2 * ROWS_MAX);
  check.equal(texts(feed).at(-1), `n${3 * ROWS_MAX + 6}`);
  feed.setFilter({ ...NO_FILTER, integration: "Chess", text: "N600" });
  check.equal(texts(feed), ["n6001", "n6003", "n6005"]);
  feed.pause();
  feed.push(context("Chess", "n6009"), 1);
  feed.push(context("Poker", "n6009"), 1);
  check.equal(texts(feed).length, 3);
  check.equal(feed.view.is === "paused" && feed.view.missed, 1);
  feed.resume();
  check.equal([texts(feed).at(-1), feed.view], ["n6009", { is: "running" }]);
  feed.setFilter({ ...NO_FILTER, categories: new Set(["actions"]) });
  check.equal(feed.rows.length, 0);
  feed.setFilter(NO_FILTER);
  check.that(feed.rows.length >= ROWS_MAX);
});

test("DB11 a listener is called for each pause, resume and filter, but not for each event", () => {
  const feed = new EventFeed();
  const heard: string[] = [];
  const unsubscribe = feed.subscribe(() => void heard.push(feed.view.is));
  feed.push(context("Chess", "one"), 1);
  feed.toggle();
  feed.push(context("Chess", "two"), 2);
  feed.toggle();
  feed.setFilter({ ...NO_FILTER, text: "two" });
  unsubscribe();
  feed.pause();
  check.equal(heard, ["paused", "running", "running"]);
});

test("DB35 the feed has one row for each fact: messages that another event describes are shown only when they are asked for", () => {
  const feed = new EventFeed();
  feed.push({ event: "choose_action", payload: {} }, 1);
  feed.push({ event: "integration_message", from: "x", payload: { command: "context", data: {} } }, 2);
  feed.push({ event: "integration_message", from: "x", payload: { event: "confetti" } }, 3);
  feed.push({ event: "add_context", message: "hi" }, 4);
  check.equal(feed.rows.map(({ at }) => at), [3, 4]);
  feed.setFilter({ ...NO_FILTER, categories: new Set(["raw"]) });
  check.equal(feed.rows.map(({ at }) => at), [1, 2]);
});
