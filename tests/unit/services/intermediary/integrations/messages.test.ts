import { test } from "#runner";
import fc from "fast-check";
import { peerId } from "../../../../../src/core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../../../src/core/json.ts";
import { FREE_TEXT_BYTES_MAX, FREE_TEXT_INTERVAL_MS } from "../../../../../src/core/limits.ts";
import type { NeuroMessage } from "../../../../../src/core/neuro-messages.ts";
import type { Observation } from "../../../../../src/core/observation.ts";
import { failed } from "../../../../../src/core/result.ts";
import { check } from "../../../../harness/check.ts";
import { ENHANCED, IntermediaryFixture, SETTINGS, TOKEN } from "../fixture.ts";

/** A fixture with one integration. `hear` returns what its frame sends to the Neuro service and to a watcher. */
function setUp(): { fixture: IntermediaryFixture; hear: (frame: string | object) => { said: unknown[]; events: Json[] } } {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const peer = fixture.integration("a");
  fixture.eventsFor(watcher);
  const hear = (frame: string | object) => {
    const before = fixture.posted.length;
    fixture.frame(peer, frame);
    const said = fixture.posted.slice(before).map((message) => (message.is === "gameMessage" ? message.message : message));
    return { said, events: fixture.eventsFor(watcher) };
  };
  return { fixture, hear };
}

test("IM40 register_actions with an object or an array registers with Neuro and tells watchers the names", () => {
  const { hear } = setUp();
  const schema = { type: "object", properties: { song: { type: "string" } } };
  const event = { event: "integration_registered_actions", from: "a", actions: ["play_song"] };
  check.equal(hear({ event: "register_actions", actions: { play_song: { ...schema, description: "Plays." } } }), {
    said: [{
      command: "actions/register",
      actions: [{ name: "play_song", description: "Plays.", schema: { ...schema, description: "Plays." } }],
    }],
    events: [event],
  });
  check.equal(hear({ event: "register_actions", actions: [{ name: "play_song", description: "Plays.", schema }] }), {
    said: [{ command: "actions/register", actions: [{ name: "play_song", description: "Plays.", schema }] }],
    events: [event],
  });
  check.equal(hear({ event: "register_actions", actions: { play_song: null } }).said, [
    { command: "actions/register", actions: [{ name: "play_song", description: "play song" }] },
  ]);
});

test("IM41 get_registered_actions lists all registered actions to watchers and integrations", () => {
  const { fixture, hear } = setUp();
  const [other, watcher] = [fixture.integration("b"), fixture.watcher("second")];
  hear('{"event":"register_actions","actions":{"play":{"type":"object"},"__proto__":null,"stop":{}}}');
  const ask = (peer: typeof other) => {
    fixture.repliesTo(peer);
    fixture.frame(peer, { query: "get_registered_actions" });
    return fixture.repliesTo(peer);
  };
  check.equal(ask(watcher), [{ actions: { "a.play": { type: "object" }, "a.__proto__": {}, "a.stop": {} } }]);
  check.equal(ask(other), ask(watcher));
  check.equal(hear({ event: "unregister_actions", actions: ["play"] }).said, [{
    command: "actions/unregister",
    names: ["play"],
  }]);
  check.equal(ask(watcher), [{ actions: { "a.__proto__": {}, "a.stop": {} } }]);
});

test("IM41b an action that is too large for Neuro is not listed", () => {
  const { fixture, hear } = setUp();
  const schema = { type: "object", description: "x".repeat(2 * SETTINGS.limits.schema_bytes) };
  hear({ event: "register_actions", actions: [{ name: "big", description: "d", schema }, { name: "small" }] });
  const watcher = fixture.watcher("second");
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { query: "get_registered_actions" });
  check.equal(fixture.repliesTo(watcher), [{ actions: { "a.small": {} } }]);
});

test("IM42 choose_force_action becomes a force", () => {
  const { hear } = setUp();
  const { said } = hear({
    op: "choose_force_action",
    state: { hp: 3 },
    query: "What now?",
    ephemeral_context: true,
    actions: [{ name: "run" }, "hide"],
  });
  check.equal(said, [{
    command: "actions/force",
    state: '{"hp":3}',
    query: "What now?",
    ephemeral: true,
    priority: "low",
    names: ["run", "hide"],
  }]);
});

test("IM43 an action reaches its integration as an event with data as text, and its result is passed on", () => {
  const { fixture, hear } = setUp();
  const peer = fixture.integration("b");
  fixture.receive({
    is: "neuroMessage",
    peer,
    message: { command: "action", id: "x1", name: "play", data: '{"song":"y"}' },
  });
  check.equal(fixture.received(peer), [{ event: "action", payload: { id: "x1", name: "play", data: '{"song":"y"}' } }]);
  const result = (payload: object) => hear({ event: "action_result", payload }).said;
  check.equal(result({ id: "x1", success: true, message: "done" }), [
    { command: "action/result", id: "x1", success: true, message: "done" },
  ]);
  check.equal(result({ id: "x1", status: "ok", source: "a" }), [{ command: "action/result", id: "x1", success: true }]);
  check.equal(result({ id: 7, success: false, error: "no" }), [
    { command: "action/result", id: "7", success: false, message: "no" },
  ]);
  check.equal(result({ id: "x" }), [{ command: "action/result", id: "x", success: false }]);
});

test("IM44 a result without an id is passed on, and reported once", () => {
  const { hear } = setUp();
  const first = hear({ event: "action_result", payload: { status: "ok", action: "play" } });
  check.equal(first.said, [{ command: "action/result", success: true }]);
  check.equal(first.events.map((event) => isObject(event) && event.event), ["integration_message", "input_repaired"]);
  check.equal(hear({ event: "action_result", payload: { status: "ok" } }).events.length, 1);
});

test("IM45 every command of the Neuro API is accepted", () => {
  const { hear } = setUp();
  const said = (command: string, data?: object | null) => hear({ command, game: "x", data }).said[0];
  check.equal(said("startup"), { command: "startup" });
  check.equal(said("context", { message: "hi", silent: true }), { command: "context", message: "hi", silent: true });
  check.equal(said("actions/unregister", { action_names: ["x"] }), { command: "actions/unregister", names: ["x"] });
  check.equal(said("actions/force", { query: "q", action_names: ["x"], priority: "high" }), {
    command: "actions/force",
    query: "q",
    ephemeral: false,
    priority: "high",
    names: ["x"],
  });
  check.equal(said("action/result", { id: "1", success: true }), { command: "action/result", id: "1", success: true });
  check.equal(said("shutdown/ready", null), { command: "shutdown/ready" });
  check.equal(said("neuro-relay/x", { y: 1 }), { command: "other", name: "neuro-relay/x", data: { y: 1 } });
});

test("IM45b values of another type are read as on the game port", () => {
  const { hear } = setUp();
  const said = (command: string, data: object) => hear({ command, data }).said[0];
  check.equal(said("context", { message: { hp: 3 }, silent: "true" }), {
    command: "context",
    message: '{"hp":3}',
    silent: true,
  });
  check.equal(said("context", { message: 7, silent: 1 }), { command: "context", message: "7", silent: true });
  check.equal(said("actions/force", { query: "q", action_names: ["x"], ephemeral_context: "true", priority: "HIGH" }), {
    command: "actions/force",
    query: "q",
    ephemeral: true,
    priority: "high",
    names: ["x"],
  });
  const schema = { properties: { song: { type: "string" } } };
  check.equal(hear({ event: "register_actions", actions: { play: schema } }).said, [
    {
      command: "actions/register",
      actions: [{ name: "play", description: "play", schema: { ...schema, type: "object" } }],
    },
  ]);
});

test("IM45d a command that cannot be understood is answered with the reason, reported, and not passed on", () => {
  const { fixture, hear } = setUp();
  const [peer] = fixture.harness.state.connections.integrations.values();
  fixture.received(peerId("a"));
  const refused: [object, RegExp][] = [
    [{ command: "context", data: { silent: true } }, /`context` needs a `message`/],
    [{ command: "actions/force", data: { query: "q" } }, /`actions\/force` needs `action_names`/],
    [{ command: "action/result", data: { success: true } }, /`action\/result` needs the `id`/],
    [
      { event: "register_actions", actions: [{ name: "a", schema: { type: "colour" } }, {}] },
      /a: schema: \/type .*; action 2 needs/,
    ],
    [
      { event: "register_actions", actions: { a: { type: "object", title: "x".repeat(65_536) } } },
      /a: the schema has 65\d\d\d bytes; `limits.schema_bytes` allows 65536/,
    ],
  ];
  check.that(peer !== undefined);
  for (const [message, reason] of refused) {
    const { said } = hear(message);
    check.equal(said, []);
    const [reply] = fixture.received(peerId("a"));
    check.that(isObject(reply));
    check.match(String(reply.error), reason);
    const last = fixture.observations.findLast(({ is }) => is === "input_refused");
    check.equal(last?.is === "input_refused" ? [last.from, last.reason] : [], ["a", reply.error]);
  }
});

test("IM53 no message to an integration or watcher of these kinds has more than limits.message_bytes bytes", () => {
  const settings = { ...SETTINGS, limits: { ...SETTINGS.limits, message_bytes: 4_096 } };
  const fixture = new IntermediaryFixture({ settings });
  const [peer, watcher] = [fixture.integration("a"), fixture.watcher()];
  fixture.frame(watcher, { target: "a", cmd: "x".repeat(4_090) });
  const refusal = { error: "the command has 4125 bytes; `limits.message_bytes` allows 4096", code: "tooBig" };
  check.equal(fixture.repliesTo(watcher), [refusal]);
  fixture.receive({ is: "contextShared", from: "Chess", peer: undefined, message: "x".repeat(4_000), silent: true });
  check.equal(fixture.received(peer), [{ event: "context_gap", payload: { missed: 1 } }]);
  for (const name of ["b", "c"]) {
    const schema = { type: "object", title: "x".repeat(3_000) };
    fixture.frame(peer, { event: "register_actions", actions: [{ name, description: "d", schema }] });
  }
  fixture.received(peer);
  fixture.repliesTo(watcher);
  for (const asking of [peer, watcher]) {
    fixture.frame(asking, { query: "get_registered_actions" });
    check.equal(fixture.repliesTo(asking).map((reply) => isObject(reply) && reply.code), ["tooBig"]);
  }
});

test("IM53 IM53b messages are measured in bytes, not characters, and one that is too large costs nobody a connection", () => {
  const settings = { ...SETTINGS, limits: { ...SETTINGS.limits, message_bytes: 4_096 } };
  const wide = "例".repeat(2_000);
  const fixture = new IntermediaryFixture({ settings });
  const [peer, watcher] = [fixture.integration("a"), fixture.watcher()];
  fixture.frame(watcher, { target: "a", cmd: wide });
  check.equal(fixture.repliesTo(watcher).map((reply) => isObject(reply) && reply.code), ["tooBig"]);
  fixture.receive({ is: "contextShared", from: "Chess", peer: undefined, message: wide, silent: true });
  check.equal(fixture.received(peer), [{ event: "context_gap", payload: { missed: 1 } }]);
  for (const message of largeMessages(wide)) fixture.receive({ is: "neuroMessage", peer, message });
  const actions = [{ name: "move", description: wide }];
  fixture.receive({
    is: "choiceRequested",
    choice: { id: "1", game: "Chess", query: "?", state: wide, ephemeral: false, actions },
  });
  fixture.integration("late");
  check.equal(fixture.received(peer), []);
  check.equal(fixture.received(peerId("late")), []);
  const refused = fixture.observations.flatMap((seen) => seen.is === "input_refused" ? [seen.fault] : []);
  check.equal(refused, ["tooBig", "tooBig"]);
});

const largeMessages = (text: string): readonly NeuroMessage[] => [
  { command: "speech_finished", data: { isFinal: true, reason: text } },
  { command: "other", name: "custom", data: { text } },
];

test("IM45e keys that cannot be passed on as they are are reported once, to integrations and watchers", () => {
  const fixture = new IntermediaryFixture();
  const [peer, watcher] = [fixture.integration("a"), fixture.watcher()];
  const seen = () =>
    fixture.observations.flatMap((observation) =>
      observation.is === "input_repaired" ? [`${observation.from}: ${observation.what}`] : []
    );
  for (let count = 0; count < 3; count++) {
    fixture.frame(peer, '{"event":"mood","payload":{"x":1,"x":2}}');
    fixture.frame(peer, '{"event":"order","payload":{"b":1,"2":0,"1":0}}');
    fixture.frame(watcher, '{"target":"a","cmd":{"10":"late","9":"early"}}');
  }
  check.equal(seen(), ["a: keys_repeated", "a: keys_reordered", "watcher: keys_reordered"]);
  for (let count = 0; count < 100; count++) fixture.frame(peer, { event: "mood", payload: { x: 1 } });
  const late = fixture.integration("b");
  for (let count = 0; count < 100; count++) fixture.frame(late, { event: "mood", payload: { x: 1 } });
  fixture.frame(late, '{"event":"mood","payload":{"x":1,"x":2}}');
  check.equal(seen().length, 3, "a program makes this mistake from the start");
});

test("IM46 free text, JSON of any kind and events go to watchers unchanged, and to Neuro as silent context", () => {
  const says: [string | object, Json, string][] = [
    ["hello", { action: "raw_text", raw: "hello" }, "hello"],
    ['{"broken', { action: "raw_text", raw: '{"broken' }, '{"broken'],
    [[1, 2], [1, 2], "[1,2]"],
    ["7", 7, "7"],
    ["null", null, "null"],
    ['"text"', "text", "text"],
    [{ mood: "good" }, { mood: "good" }, '{"mood":"good"}'],
    [{ event: "custom_event", payload: { x: 1 } }, { event: "custom_event", payload: { x: 1 } }, 'custom_event: {"x":1}'],
    [{ command: "play" }, { command: "play" }, '{"command":"play"}'],
  ];
  for (const [frame, payload, message] of says) {
    const { said, events } = setUp().hear(frame);
    check.equal(said, [{ command: "context", message, silent: true }]);
    check.equal(events[0], { event: "integration_message", from: "a", payload });
    check.equal(events.slice(1).filter((event) => !isObject(event) || event.event !== "input_refused"), []);
  }
});

test("IM47 free text goes to Neuro once a second, joined, at most 2 KiB", () => {
  const { fixture, hear } = setUp();
  check.equal(hear("one").said.length, 1);
  check.equal([hear("two").said.length, hear("three").said.length], [0, 0]);
  fixture.advance(FREE_TEXT_INTERVAL_MS);
  const last = () =>
    fixture.posted.flatMap((
      message,
    ) => (message.is === "gameMessage" && message.message.command === "context" ? message.message.message : [])).at(
      -1,
    );
  check.equal(last(), "two\nthree");
  hear("ä".repeat(5_000));
  hear("the end");
  fixture.advance(FREE_TEXT_INTERVAL_MS);
  const bytes = new TextEncoder().encode(last()).length;
  check.that(bytes <= FREE_TEXT_BYTES_MAX && bytes > FREE_TEXT_BYTES_MAX - 8);
  check.match(last() ?? "", /ä\nthe end$/);
  fixture.advance(FREE_TEXT_INTERVAL_MS);
  check.equal(hear("😀".repeat(2_000)).said, [{ command: "context", message: "😀".repeat(512), silent: true }]);
});

test("IM47b with events_to_neuro false free text goes to watchers only", () => {
  const { intermediary } = SETTINGS;
  const fixture = new IntermediaryFixture({
    settings: { ...SETTINGS, intermediary: { ...intermediary, events_to_neuro: false } },
  });
  const watcher = fixture.watcher();
  fixture.frame(fixture.integration("a"), "hello");
  check.equal(fixture.posted.map(({ is }) => is), ["integrationJoined"]);
  check.equal(fixture.eventsFor(watcher).length, 3);
});

test("IM48 a choice of an integration or a watcher is passed on, with data as text", () => {
  const { fixture, hear } = setUp();
  check.equal(hear({ choice: { selected: "run", data: { fast: true } } }).said, [
    { is: "actionChosen", from: "a", name: "run", data: '{"fast":true}' },
  ]);
  check.equal(hear({ choice: { selected: "run" } }).said, [{ is: "actionChosen", from: "a", name: "run", data: "{}" }]);
  const watcher = fixture.watcher("os");
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { choice: { selected: "hide", data: "{}" }, request_id: 1 });
  const chosen = fixture.posted.at(-1);
  check.that(chosen?.is === "actionChosen" && chosen.id !== undefined);
  check.equal({ ...chosen, id: "" }, { is: "actionChosen", from: "os", name: "hide", data: "{}", id: "" });
  check.equal(fixture.repliesTo(watcher), [], "the reply waits until the choice was taken");
  fixture.receive({ is: "choiceSettled", id: chosen.id, refusal: undefined });
  check.equal(fixture.repliesTo(watcher), [{ status: "chosen", request_id: 1 }]);
});

test("IM48b a choice that is refused is answered with the reason, and recorded as refused", () => {
  const { fixture } = setUp();
  const watcher = fixture.watcher("os");
  fixture.repliesTo(watcher);
  fixture.frame(watcher, { choice: { selected: "nonsense" }, request_id: 1 });
  const chosen = fixture.posted.at(-1);
  check.that(chosen?.is === "actionChosen" && chosen.id !== undefined);
  const refusal = { ok: false, fault: "notFound", reason: "no action nonsense is registered" } as const;
  fixture.receive({ is: "choiceSettled", id: chosen.id, refusal });
  check.equal(fixture.repliesTo(watcher), [{
    error: "no action nonsense is registered",
    code: "notFound",
    request_id: 1,
  }]);
  const acts = fixture.observations.flatMap((act) => (act.is === "operator_acted" ? [[act.did, act.to, act.outcome]] : []));
  check.equal(acts, [["choice", "nonsense", "notFound"]]);
});

test("IM48b a message for Neuro that is refused is recorded as refused", () => {
  const { fixture } = setUp();
  const boss = fixture.watcher("boss", ENHANCED);
  fixture.receive({ is: "upstreamChanged", configured: true, open: false });
  fixture.frame(boss, { direct_to_neuro: true, payload: "hi" });
  const direct = fixture.posted.at(-1);
  check.that(direct?.is === "directMessage" && direct.id !== undefined);
  fixture.receive({ is: "directSettled", id: direct.id, key: undefined, refusal: failed("queueFull", "queue full") });
  const acts = fixture.observations.flatMap((act) => (act.is === "operator_acted" ? [[act.did, act.to, act.outcome]] : []));
  check.equal(acts, [["direct", "neuro", "queueFull"]]);
});

test("IM49 the relay acting as Neuro asks integrations and watchers to choose", () => {
  const { fixture } = setUp();
  const [peer, watcher] = [fixture.integration("b"), fixture.watcher("os")];
  fixture.eventsFor(watcher);
  const actions = [{ name: "run", description: "Run away." }];
  fixture.receive({
    is: "choiceRequested",
    choice: { id: "o1", game: "Chess", state: "check", query: "Now?", ephemeral: false, actions },
  });
  const request = {
    game_title: "Chess",
    state: "check",
    query: "Now?",
    ephemeral_context: false,
    actions: [{ name: "run", desc: "Run away." }],
  };
  check.equal(fixture.received(peer), [{ event: "choose_action", payload: { id: "o1", context: "Now?", ...request } }]);
  check.equal(fixture.eventsFor(watcher), [{
    event: "choose_action",
    payload: { type: "choose_action_request", ...request },
  }]);
});

test("IM49a a peer that connects while a choice is open is asked then, a watcher right after its neuroos_connected", () => {
  const { fixture } = setUp();
  const first = fixture.watcher("os");
  const actions = [{ name: "run", description: "Run away." }];
  fixture.receive({ is: "choiceRequested", choice: { id: "o1", game: "Chess", query: "Now?", ephemeral: false, actions } });
  const request = {
    game_title: "Chess",
    query: "Now?",
    ephemeral_context: false,
    actions: [{ name: "run", desc: "Run away." }],
  };
  fixture.eventsFor(first);
  const late = fixture.watcher("late");
  const frames = fixture.received(late) as JsonObject[];
  check.equal(frames.map(({ event }) => event), ["neuroos_connected", "choose_action"]);
  check.equal(frames[1]?.["payload"], { type: "choose_action_request", ...request });
  fixture.frame(late, { subscribe: { after: frames[1]?.["id"] ?? null } });
  check.equal(fixture.eventsFor(late), [], "its id is the cursor to resume from");
  check.equal(fixture.eventsFor(first).map(({ event }) => event), ["neuroos_connected"], "no peer is asked twice");
  const joined = fixture.received(fixture.integration("b"));
  check.equal(joined, [{ event: "choose_action", payload: { id: "o1", context: "Now?", ...request } }]);
});

test("IM49b a peer that connects after the choice is over is not asked", () => {
  const sent = { is: "action_sent", id: "1", name: "run", to: ["Chess"], slugs: ["chess"], data: undefined } as const;
  const ended = { is: "force_ended", id: "f1", slug: "chess", ms: 1 } as const;
  const asks: readonly [Observation, number][] = [
    [{ ...sent, forced: true }, 0],
    [{ ...sent, forced: false }, 1],
    [{ ...ended, integration: "Chess", end: "names_gone" }, 0],
    [{ ...ended, integration: "Chess", end: "replaced" }, 1],
    [{ ...ended, integration: "Poker", end: "game_gone" }, 1],
    [{ is: "service_rebuilt", service: "neuro" }, 0],
  ];
  for (const [observation, count] of asks) {
    const { fixture } = setUp();
    const actions = [{ name: "run", description: "Run away." }];
    fixture.receive({
      is: "choiceRequested",
      choice: { id: "o1", game: "Chess", query: "Now?", ephemeral: false, actions },
    });
    fixture.receive({ is: "observed", observation });
    check.equal(
      fixture.eventsFor(fixture.watcher("late")).filter(({ event }) => event === "choose_action").length,
      count,
      observation.is,
    );
    check.equal(fixture.received(fixture.integration("b")).length, count, observation.is);
  }
});

test("IM49d a result without an id is a choice if the choice that is open offers its decision", () => {
  const chosen = (data: string) => [{ is: "actionChosen", from: "a", name: "run", data }];
  const cases: readonly [JsonObject, boolean, JsonObject[] | undefined][] = [
    [{ status: "ok", source: "discord", decision: "run" }, true, chosen("{}")],
    [{ status: "ok", action: "run" }, true, chosen("{}")],
    [{ decision: "run", data: { fast: true } }, true, chosen('{"fast":true}')],
    [{ success: true, decision: "run", data: '{"n":1.10}' }, true, chosen('{"n":1.10}')],
    [{ status: "ok", decision: "run" }, false, undefined],
    [{ status: "ok", decision: "fly" }, true, undefined],
    [{ status: "error", decision: "run" }, true, undefined],
    [{ success: false, decision: "run" }, true, undefined],
    [{ id: "7", status: "ok", decision: "run" }, true, undefined],
    [{ status: "ok", decision: ["run"] }, true, undefined],
  ];
  for (const [payload, isOpen, expected] of cases) {
    const { fixture, hear } = setUp();
    const actions = [{ name: "run", description: "Run away." }];
    const choice = { id: "o1", game: "Chess", query: "Now?", ephemeral: false, actions };
    if (isOpen) fixture.receive({ is: "choiceRequested", choice });
    const { said } = hear({ event: "action_result", payload });
    if (expected !== undefined) check.equal(said, expected);
    else check.equal(fixture.posted.at(-1)?.is, "gameMessage", JSON.stringify(payload));
  }
});

test("IM52 a credential in any message reaches neither Neuro nor watchers", () => {
  const settings = { ...SETTINGS, web: { ...SETTINGS.web, token: "a-long-web-token" } };
  const secret = { auth_token: TOKEN };
  const messages: (string | object)[] = [
    { event: "mood", payload: { ...secret, mood: "good" }, ...secret },
    { command: "context", data: { message: "hi", ...secret }, ...secret },
    { command: "context", data: { message: `my token: {"auth_token":"${TOKEN}"}` } },
    { event: "action_result", payload: { id: "1", success: true, message: "done", ...secret }, ...secret },
    { command: "actions/force", data: { query: "q", action_names: ["x"], state: secret } },
    { choice: { selected: "x", data: secret }, ...secret },
    { deep: [[{ ...secret, x: 1 }]] },
    `{"type":"integration","auth_token":"${TOKEN}"`,
    { event: "log", payload: `connected with a-long-web-token` },
  ];
  for (const acks of [false, true]) {
    const fixture = new IntermediaryFixture({ settings });
    const watcher = fixture.watcher();
    const peer = fixture.integration("a", { ack: acks });
    for (const message of messages) {
      fixture.received(watcher);
      const before = fixture.posted.length;
      fixture.frame(peer, message);
      fixture.advance(FREE_TEXT_INTERVAL_MS);
      const text = JSON.stringify([fixture.posted.slice(before), fixture.received(watcher)]);
      check.that(text.length > 50, "the rest of the message is passed on");
      check.that(!text.includes(TOKEN) && !text.includes("a-long-web-token"), text);
    }
  }
});

test("IM52 a token at any place of any message does not leave the relay", () => {
  const value = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<Json>(1, "text", null, [], { auth_token: TOKEN }),
      fc.array(tie("json"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "event", "payload", "data", "message", "state", "choice"), tie("json")),
    ),
  })).json;
  const kind = fc.constantFrom<JsonObject>(
    {},
    { event: "mood" },
    { event: "action_result" },
    { command: "context" },
    { command: "action/result" },
    { command: "actions/force" },
    { op: "choose_force_action" },
    { type: "integration" },
  );
  fc.assert(fc.property(kind, value, value, (fields, payload, data) => {
    const fixture = new IntermediaryFixture();
    const watcher = fixture.watcher();
    const peer = fixture.integration("a");
    fixture.received(watcher);
    fixture.frame(peer, { ...fields, payload, data, state: data, auth_token: TOKEN });
    check.that(!JSON.stringify([fixture.posted.slice(1), fixture.received(watcher)]).includes(TOKEN));
  }));
});

test("IM52 a schema that describes a field auth_token is passed on unchanged", () => {
  const { hear } = setUp();
  const schema = { type: "object", properties: { auth_token: { type: "string" } }, required: ["auth_token"] };
  check.equal(hear({ event: "register_actions", actions: [{ name: "login", description: "d", schema }] }).said, [
    { command: "actions/register", actions: [{ name: "login", description: "d", schema }] },
  ]);
});

test("IM52b a greeting that is sent again is refused, and is neither an event nor a context", () => {
  const { fixture, hear } = setUp();
  const greeting = { type: "integration", name: "a", auth_token: TOKEN };
  check.equal(hear(greeting), {
    said: [],
    events: [{
      event: "input_repaired",
      from: "a",
      what: "a repeated greeting",
      hint: "greet once for each connection: a later greeting is ignored",
    }],
  });
  check.equal(hear(greeting), { said: [], events: [] });
  check.equal(fixture.received(peerId("a")), Array(2).fill({ error: "already registered", code: "badMessage" }));
});

test("IM50 a context goes to the other integrations, and to watchers once", () => {
  const { fixture } = setUp();
  const [other, watcher] = [fixture.integration("b"), fixture.watcher("os")];
  fixture.eventsFor(watcher);
  const fact = { is: "add_context", id: "1-1", game_title: "a", message: "It rains.", reply_if_not_busy: true } as const;
  fixture.receive({ is: "observed", observation: fact });
  fixture.receive({ is: "contextShared", from: "a", peer: peerId("a"), message: "It rains.", silent: false });
  check.equal(fixture.received(other), [
    { event: "context_update", payload: { from: "a", context: "It rains.", message: "It rains.", silent: false } },
  ]);
  check.equal(fixture.received(fixture.integration("a2")), []);
  const { is: event, id: context_id, ...fields } = fact;
  const events = fixture.eventsFor(watcher).filter((each) => each["event"] === "add_context");
  check.equal(events, [{ event, context_id, ...fields }]);
});

test("IM50b a context of a game reaches an integration of the same name", () => {
  const fixture = new IntermediaryFixture();
  const chess = fixture.integration("Chess");
  fixture.receive({ is: "contextShared", from: "Chess", peer: peerId("a-game"), message: "Check.", silent: true });
  check.equal(fixture.received(chess).length, 1);
  fixture.receive({ is: "contextShared", from: "Chess", peer: chess, message: "Mine.", silent: true });
  check.equal(fixture.received(chess), [], "its own context does not come back");
});

test("IM50c an integration under backpressure gets no contexts, and then the number that it missed", () => {
  const fixture = new IntermediaryFixture();
  const [slow, quick] = [fixture.integration("slow"), fixture.integration("quick")];
  const share = (message: string) =>
    fixture.receive({ is: "contextShared", from: "Chess", peer: undefined, message, silent: true });
  fixture.step({ is: "backpressure", peer: slow });
  for (const message of ["one", "two"]) share(message);
  check.equal([fixture.received(slow).length, fixture.received(quick).length], [0, 2]);
  fixture.step({ is: "relieved", peer: slow });
  check.equal(fixture.received(slow), [{ event: "context_gap", payload: { missed: 2 } }]);
  share("three");
  check.equal(fixture.received(slow).length, 1);
  fixture.step({ is: "backpressure", peer: slow });
  fixture.step({ is: "relieved", peer: slow });
  check.equal(fixture.received(slow), [], "nothing was missed");
});

test("IM51 other messages of Neuro reach an integration as events with the same name", () => {
  const { fixture } = setUp();
  const peer = fixture.integration("b");
  fixture.receive({ is: "neuroMessage", peer, message: { command: "shutdown/graceful", wanted: true } });
  fixture.receive({ is: "neuroMessage", peer, message: { command: "shutdown/immediate" } });
  fixture.receive({ is: "neuroMessage", peer, message: { command: "actions/reregister_all" } });
  fixture.receive({ is: "neuroMessage", peer, message: { command: "speech_finished", data: { x: 1 } } });
  fixture.receive({ is: "neuroMessage", peer, message: { command: "other", name: "new", data: { y: 2 } } });
  check.equal(fixture.received(peer), [
    { event: "shutdown/graceful", payload: { wants_shutdown: true } },
    { event: "shutdown/immediate", payload: {} },
    { event: "actions/reregister_all", payload: {} },
    { event: "speech_finished", payload: { x: 1 } },
    { event: "new", payload: { y: 2 } },
  ]);
});
