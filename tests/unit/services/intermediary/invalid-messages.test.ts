/** Each invalid message is answered with what is wrong; where the original relay was silent, log and watchers are told. */
import { test } from "#runner";
import fc from "fast-check";
import type { PeerId } from "../../../../src/core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../../src/core/json.ts";
import { check } from "../../../harness/check.ts";
import { ENHANCED, IntermediaryFixture, SETTINGS, TOKEN } from "./fixture.ts";

type InvalidMessage = readonly [frame: string | Uint8Array | object, names: RegExp];

const TOO_DEEP = "[".repeat(100) + "]".repeat(100);

/** The hint of the only error in a reply. */
function hintOf(replies: readonly Json[]): string {
  const [reply, ...more] = replies;
  check.that(isObject(reply) && typeof reply.error === "string" && typeof reply.code === "string", JSON.stringify(replies));
  check.equal(more, []);
  return `${reply.error}: ${String(reply.hint)}`;
}

const GREETINGS: readonly InvalidMessage[] = [
  ["", /registration must be JSON: the frame is empty/],
  ["hello", /registration must be JSON: the frame is not JSON: it begins with "h"/],
  [new Uint8Array([255, 254]), /not UTF-8/],
  [TOO_DEEP, /`limits\.json_depth` \(64\)/],
  ["[]", /an object, not a list/],
  ["null", /an object, not null/],
  ['"integration"', /an object, not "integration"/],
  [{}, /invalid auth token: `auth_token` must be a text/],
  [{ type: "integration", name: "a", auth_token: 7 }, /`auth_token` must be a text/],
  [{ type: "integration", name: "a", auth_token: "wrong" }, /invalid auth token/],
  [{ name: "a", auth_token: TOKEN }, /`type` is missing: it must be "integration" or "neuro-os"/],
  [{ type: 5, name: "a", auth_token: TOKEN }, /`type` must be "integration" or "neuro-os", not a number/],
  [{ type: "watcher", name: "a", auth_token: TOKEN }, /`type` must be "integration" or "neuro-os", not "watcher"/],
  [{ type: "integration", name: ["a"], auth_token: TOKEN }, /name must be a string/],
  [{ type: "integration", name: "a\nb", auth_token: TOKEN }, /control characters/],
  [{ type: "integration", name: "a".repeat(65), auth_token: TOKEN }, /at most 64/],
];

test("IM120 a greeting that is refused is answered with what it has to be", () => {
  for (const [at, [frame, names]] of GREETINGS.entries()) {
    const fixture = new IntermediaryFixture();
    const peer = fixture.open(`p${at}`);
    fixture.frame(peer, frame);
    check.match(hintOf(fixture.received(peer)), names);
    check.that(fixture.closed.has(peer));
  }
});

const REQUESTS: readonly InvalidMessage[] = [
  ["", /the frame is empty/],
  ["hello there, this is no JSON", /the frame is not JSON: it begins with "h"/],
  ["{", /the frame is not JSON/],
  [new Uint8Array([255]), /not UTF-8/],
  [TOO_DEEP, /`limits\.json_depth` \(64\)/],
  ["[1]", /an object, not a list/],
  ["7", /an object, not a number/],
  ["null", /an object, not null/],
  [{}, /`target` and `cmd`, or one of/],
  [{ unknown: 1 }, /`target` and `cmd`, or one of/],
  [{ target: "a" }, /`cmd` is missing/],
  [{ target: "a", cmd: null }, /`cmd` must be what the integration is to do, not null/],
  [{ cmd: 1 }, /`target` is missing/],
  [{ target: ["a"], cmd: 1 }, /`target` must be the name of an integration, or "\*", not a list/],
  [{ target: "", cmd: 1 }, /no integration called an empty text/],
  [{ target: "nobody", cmd: 1 }, /no integration called "nobody" is connected or expected/],
  [{ target: "x".repeat(9_999), cmd: 1 }, /`target` must have at most 64 characters; it has 9999/],
  [{ query: "everything" }, /`query` must be "peers" or "get_registered_actions", not "everything"/],
  [{ query: {} }, /`query` must be .*, not an object/],
  [{ subscribe: true }, /`subscribe` must be an object, not true/],
  [{ subscribe: ["action_sent"] }, /`subscribe` must be an object, not a list/],
  [{ subscribe: { events: "action_sent" } }, /`subscribe\.events` must be a list of names, not "action_sent"/],
  [{ subscribe: { events: ["action_sent", 7] } }, /`subscribe\.events` must be a list of names, not a number/],
  [{ subscribe: { after: 5 } }, /`subscribe\.after` must be the id of an event, not a number/],
  [{ subscribe: { rate: 0 } }, /`subscribe\.rate` must be a whole number of events per second from 1, not a number/],
  [{ subscribe: { rate: "10" } }, /`subscribe\.rate` .*, not "10"/],
  [{ subscribe: { snapshot: "yes" } }, /`subscribe\.snapshot` must be true or false, not "yes"/],
  [{ choice: "play" }, /`choice` must be an object, not "play"/],
  [{ choice: {} }, /`choice\.selected` is missing/],
  [{ choice: { selected: 7 } }, /`choice\.selected` must be the name of an action, not a number/],
  [{ direct_to_neuro: "true" }, /`direct_to_neuro` must be true, not "true"/],
  [{ direct_to_neuro: true }, /invalid payload: `payload` is missing/],
  [{ direct_to_neuro: true, payload: null }, /`payload` must be what Neuro is to read, not null/],
];

test("IM121 an invalid request of a watcher is answered with the field, what it must be and what it is", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher("boss", ENHANCED);
  fixture.integration("a");
  fixture.received(watcher);
  for (const [frame, names] of REQUESTS) {
    const isRequest = !(frame instanceof Uint8Array) && typeof frame !== "string";
    fixture.frame(watcher, isRequest ? { ...frame, request_id: "r" } : frame);
    const [reply] = fixture.repliesTo(watcher);
    check.that(isObject(reply));
    check.match(hintOf([reply]), names);
    if (isRequest) check.equal(reply.request_id, "r");
  }
});

test("IM120b a greeting whose ack is neither true nor false expects no acks, and is reported", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.received(watcher);
  check.equal(fixture.received(fixture.integration("a", { ack: "yes" })), []);
  const reason = '`ack` must be true or false, not "yes"; no acks are expected';
  check.equal(fixture.eventsFor(watcher)[0], { event: "input_refused", from: "a", fault: "badMessage", reason });
  for (const ack of [true, false, null]) fixture.integration(`b${ack}`, { ack });
  check.equal(fixture.observations.filter(({ is }) => is === "input_refused").length, 1);
  fixture.integration("c", { trace: 1 });
  const traces = "`trace` must be true or false, not a number; no traces are sent";
  check.equal(fixture.observations.findLast(({ is }) => is === "input_refused"), {
    is: "input_refused",
    from: "c",
    fault: "badMessage",
    reason: traces,
  });
});

test("IM121c the reply to a subscription names the events that do not exist", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.received(watcher);
  fixture.frame(watcher, { subscribe: { events: ["action_sent", "acton_result"] } });
  const hint = 'there are no such events: "acton_result"';
  check.equal(fixture.repliesTo(watcher), [{ status: "subscribed", events: ["action_sent"], hint }]);
});

test("IM121b null and absent fields of a subscription are defaults", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.received(watcher);
  fixture.frame(watcher, { subscribe: { events: null, after: null, rate: null, snapshot: null } });
  const [reply] = fixture.repliesTo(watcher);
  check.that(isObject(reply) && reply.status === "subscribed" && Array.isArray(reply.events) && reply.events.length > 20);
});

/** Messages of integrations that the original relay reads as free text. */
const UNCLEAR: readonly InvalidMessage[] = [
  ["{", /the frame is not JSON: it begins with "{"/],
  [' [{"event":}]', /the frame is not JSON/],
  [TOO_DEEP, /`limits\.json_depth` \(64\)/],
  ["[1]", /an object, not a list/],
  ["7", /an object, not a number/],
  ["null", /an object, not null/],
  ["true", /an object, not true/],
  [{}, /one of `event`, `command`, `op`, `query` and `choice`/],
  [{ command: "fly" }, /`command` must be one of the Neuro API, not "fly"/],
  [{ command: 7 }, /`command` must be one of the Neuro API, not a number/],
  [{ command: "" }, /`command` must be one of the Neuro API, not an empty text/],
  [{ event: "" }, /`event` must be the name of an event, not an empty text/],
  [{ event: ["x"] }, /`event` must be the name of an event, not a list/],
  [{ op: "force" }, /`op` must be "choose_force_action", not "force"/],
  [{ query: "peers" }, /`query` must be "get_registered_actions", not "peers"/],
  [{ choice: "play" }, /`choice` must be an object, not "play"/],
  [{ choice: { selected: null } }, /`choice\.selected` must be the name of an action, not null/],
];

/** Messages of integrations that cannot be executed. */
const REFUSED: readonly InvalidMessage[] = [
  [{ command: "context" }, /`context` needs a `message`/],
  [{ command: "context", data: [] }, /`context` needs a `message`/],
  [{ command: "action/result", data: { success: true } }, /needs the `id`/],
  [{ command: "actions/force", data: { query: "?" } }, /needs `action_names`/],
  [{ op: "choose_force_action", query: "?" }, /`actions` is missing: it must be a list of action names/],
  [{ command: "actions/register", data: { actions: [7] } }, /action 1 must be an object/],
  [{ event: "register_actions", actions: [{ name: "" }] }, /action 1 needs a `name`/],
];

/** What an integration and a watcher get after a message of the integration. */
function heard(fixture: IntermediaryFixture, from: PeerId, watcher: PeerId, frame: InvalidMessage[0]) {
  fixture.received(from);
  fixture.received(watcher);
  fixture.frame(from, frame);
  const events: JsonObject[] = fixture.eventsFor(watcher).filter(({ event }) =>
    event === "input_refused" || event === "input_repaired"
  );
  return { replies: fixture.received(from), events };
}

test("IM122 where the original relay was silent, watchers are told the problem of a message once, and it still counts as free text", () => {
  const fixture = new IntermediaryFixture();
  const [watcher, from] = [fixture.watcher(), fixture.integration("a")];
  for (const [frame, names] of UNCLEAR) {
    const { replies, events } = heard(fixture, from, watcher, frame);
    check.equal(replies, []);
    check.equal(events.map(({ event, from, fault }) => [event, from, fault]), [["input_refused", "a", "badMessage"]]);
    check.match(String(events[0]?.reason), names);
    check.equal(heard(fixture, from, watcher, frame).events, []);
  }
  for (const frame of ["hello", '"hello"', { event: "custom_event" }, { action: "raw_text", raw: "{" }]) {
    check.equal(heard(fixture, from, watcher, frame).events, []);
  }
  for (let n = 0; n < 100; n++) fixture.frame(from, { command: `own/${n}` });
  const refused = fixture.observations.filter(({ is }) => is === "input_refused").length;
  check.equal(refused, 32);
});

test("IM52 IM122 the problem of a message shows no credential", () => {
  const token = "tok-123456789";
  const settings = { ...SETTINGS, intermediary: { ...SETTINGS.intermediary, auth_token: token } };
  const fixture = new IntermediaryFixture({ settings });
  const [watcher, from] = [fixture.open("w"), fixture.open("i")];
  fixture.frame(watcher, { type: "neuro-os", name: "w", auth_token: token });
  fixture.frame(from, { type: "integration", name: "a", auth_token: token });
  for (const frame of [`["${token}`, { command: token }, { query: { auth_token: token } }, { op: `use ${token}` }]) {
    const { events } = heard(fixture, from, watcher, frame);
    check.equal(events.length, 1);
    check.equal(JSON.stringify(events).includes(token), false);
  }
});

test("IM122b an integration with acks is answered as well", () => {
  const fixture = new IntermediaryFixture();
  const [watcher, from] = [fixture.watcher(), fixture.integration("a", { ack: true })];
  for (const [frame, names] of UNCLEAR) {
    for (const _ of [1, 2]) check.match(hintOf(heard(fixture, from, watcher, frame).replies), names);
  }
  for (const field of ["ack", "nak", "term"]) {
    const { replies, events } = heard(fixture, from, watcher, { [field]: 7 });
    check.match(hintOf(replies), new RegExp(`\`${field}\` must be the id of a message, not a number`));
    check.equal(events.length, 1);
  }
});

test("IM122c a message that cannot be executed is answered and reported", () => {
  const fixture = new IntermediaryFixture();
  const [watcher, from] = [fixture.watcher(), fixture.integration("a")];
  for (const [frame, names] of REFUSED) {
    const { replies, events } = heard(fixture, from, watcher, frame);
    check.match(hintOf(replies), names);
    check.equal(events.map(({ event }) => event), ["input_refused"]);
  }
  for (const frame of [{ event: "register_actions" }, { event: "unregister_actions", actions: null }]) {
    check.equal(heard(fixture, from, watcher, frame).replies, []);
  }
});

/** Messages that are near to valid ones: their fields with any values. */
const nearMessage = fc.dictionary(
  fc.constantFrom(
    "target",
    "cmd",
    "query",
    "subscribe",
    "choice",
    "direct_to_neuro",
    "payload",
    "event",
    "op",
    "command",
    "ack",
  ),
  fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom("a", "*", "peers", true, { selected: "x" }, { rate: 0 })),
  { maxKeys: 3 },
);

test("IM121 IM122b each of many messages is answered once: by what it asked for, or by an error that says what to change", () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string(), nearMessage.map((value) => JSON.stringify(value))), (frame) => {
    const fixture = new IntermediaryFixture();
    const watcher = fixture.watcher("boss", ENHANCED);
    fixture.received(watcher);
    fixture.frame(watcher, frame);
    const replies = fixture.repliesTo(watcher);
    const isLater = fixture.posted.some((message) => message.is === "actionChosen");
    check.equal(replies.length, isLater ? 0 : 1, frame);
    for (const reply of replies) {
      check.that(
        isObject(reply) && (reply.error === undefined || String(reply.hint ?? "").length > 10),
        JSON.stringify(reply),
      );
    }
    const from = fixture.integration("a", { ack: true });
    const { replies: answers, events } = heard(fixture, from, watcher, frame);
    for (const answer of answers) check.that(isObject(answer));
    const errors = answers.filter((answer) => isObject(answer) && answer.error !== undefined);
    const refused = events.filter(({ event }) => event === "input_refused");
    check.equal(errors.length, refused.length, frame);
  }));
});
