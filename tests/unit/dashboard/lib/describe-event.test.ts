/** How events are described in one line. */
import { test } from "#runner";
import fc from "fast-check";
import { describeEvent } from "../../../../src/dashboard/lib/describe-event.ts";
import { EVENT_TEXTS } from "../../../../src/dashboard/texts.ts";
import { EVENT_NAMES } from "../../../../src/services/intermediary/watchers/events.ts";
import { check } from "../../../harness/check.ts";

test("DB20 every event of the relay has a label, and an unknown one is shown as JSON", () => {
  for (const event of EVENT_NAMES) {
    check.that(Object.hasOwn(EVENT_TEXTS.labels, event), event);
    check.equal(describeEvent({ event }).label.includes("_"), false, event);
  }
  check.equal(describeEvent({ event: "something_new", n: 1 }), {
    category: "problems",
    tone: "plain",
    label: "something new",
    names: [],
    text: `{"event":"something_new","n":1}`,
  });
  check.equal(describeEvent({ event: "gap", missed: null }).text, "events are missing here");
  fc.assert(fc.property(fc.constantFrom(...EVENT_NAMES), fc.dictionary(fc.string(), fc.jsonValue()), (event, fields) => {
    check.that(describeEvent(JSON.parse(JSON.stringify({ ...fields, event }))).text.length <= 1_600);
  }));
});

const result = { event: "action_result", name: "move", from: "Chess", success: false, message: "no", ms: 1_500 };

test("DB20 DB13c a result that the relay or an operator made is labelled with its origin and the reason", () => {
  check.equal(describeEvent({ ...result, origin: "deadline" }), {
    category: "actions",
    tone: "bad",
    label: "failed",
    names: ["Chess"],
    text: "move  1.5 s  no  relay answered: no reply in 1.5 s",
  });
  check.equal(describeEvent({ ...result, origin: "game" }).text, "move  1.5 s  no");
  check.match(describeEvent({ ...result, origin: "operator" }).text, /rejected by an operator$/);
  check.equal(describeEvent({ ...result, success: true }).label, "result");
});

test("DB20 an operator's action is described in a sentence, with its outcome", () => {
  const acted = (did: string, to: string, outcome = "done"): string =>
    describeEvent({ event: "operator_acted", by: "web", did, to, outcome }).text;
  check.equal(acted("require_approval", "all"), "turned approvals on");
  check.equal(acted("waive_approval", "chess"), "turned approvals off for chess");
  check.equal(acted("start", "all"), "resumed everything");
  check.equal(acted("veto", "chess", "notNow"), "vetoed a force of chess  (not possible at that time)");
  check.equal(acted("something_new", "chess"), "something new chess");
});

test("DB22 one of something is singular", () => {
  check.equal(describeEvent({ event: "gap", missed: 1 }).text, "1 event missing here");
});
