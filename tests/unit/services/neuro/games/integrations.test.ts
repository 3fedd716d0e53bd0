/** Integrations of the Intermediary, messages of watchers, and malformed input of clients. */
import { test } from "#runner";
import { peerId } from "../../../../../src/core/ids.ts";
import { toRequestId } from "../../../../../src/core/ids.ts";
import type { Json } from "../../../../../src/core/json.ts";
import type { ServiceRequest } from "../../../../../src/core/request.ts";
import type { IntegrationView, NeuroView, Page } from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeNeuro, Scenario, type ScenarioOptions, started } from "../fixture.ts";

function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: FakeNeuro } {
  const scenario = new Scenario(options);
  const neuro = scenario.neuro().open();
  neuro.heard();
  return { scenario, neuro };
}

test("NB37 an integration of the Intermediary takes part exactly as a game does", () => {
  const { scenario, neuro } = opened();
  const spotify = scenario.integration("Spotify").register("play");
  const game = started(scenario, "Radio", "play");
  check.equal(neuro.heard(), ["register play"]);
  scenario.posted();
  neuro.action("u1", "play");
  check.equal(spotify.heard(), ["action play"]);
  game.result(false);
  spotify.result(true, spotify.lastId());
  check.equal(neuro.heard(), ["result u1 true"]);
  spotify.say({
    command: "actions/force",
    query: "?",
    names: ["play"],
    priority: "low",
    ephemeral: false,
  });
  check.equal(neuro.heard(), ["force play"]);
});

test("NB37 a result without an id is that of the single pending action, and of none where there are two", () => {
  const { scenario, neuro } = opened();
  const spotify = scenario.integration("Spotify").register("play", "stop");
  neuro.heard();
  neuro.action("u1", "play");
  neuro.action("u2", "stop");
  spotify.result(true);
  check.equal(neuro.heard(), []);
  const [first] = spotify.ids();
  spotify.result(true, first);
  spotify.result(true);
  check.equal(neuro.heard(), ["result u1 true", "result u2 true"]);
});

test("NB37 an integration has its grace, and the newest of a name gets it", () => {
  const { scenario, neuro } = opened();
  const old = scenario.integration("Spotify").register("play");
  const fresh = scenario.integration("Spotify");
  old.leave();
  neuro.heard();
  neuro.action("u1", "play");
  check.equal(fresh.heard(), ["action play"]);
  fresh.leave();
  scenario.pass(10_000);
  check.equal(neuro.heard(), ["unregister play", "result u1 false"]);
});

test("NB37 the same name on both listeners is two integrations", () => {
  const { scenario, neuro } = opened();
  scenario.integration("Spotify").register("a");
  started(scenario, "Spotify", { name: "a", description: "another" });
  const [, second] = neuro.heard();
  check.match(second ?? "", /^register spotify-[0-9a-f]{8}--a$/);
});

test("NB37b a watcher's message for Neuro becomes a silent context", () => {
  const { scenario, neuro } = opened();
  scenario.post({ is: "directMessage", from: "os", payload: { op: "status", message: "hi" } });
  scenario.post({ is: "directMessage", from: "os", payload: "plain" });
  check.equal(neuro.frames().map(({ data }) => data), [
    { message: '[os] {"op":"status","message":"hi"}', silent: true },
    { message: "[os] plain", silent: true },
  ]);
});

test("NB37c every context is posted to the Intermediary and observed", () => {
  const { scenario } = opened();
  scenario.posted();
  started(scenario, "Chess", "a").context("check", false);
  check.equal(scenario.posted().filter(({ is }) => is === "contextShared"), [
    { is: "contextShared", from: "Chess", peer: peerId("p1"), message: "check", silent: false },
  ]);
  const [{ id = "" } = {}] = scenario.observed("add_context");
  check.equal(scenario.observed("add_context"), [
    { is: "add_context", id, game_title: "Chess", slug: "chess", message: "check", reply_if_not_busy: true },
  ]);
});

test("NB31 malformed input of a game is repaired for a strict backend, reported once per kind, and harms no other game", () => {
  const { scenario, neuro } = opened({ neuros: [{ profile: "neuro_api" }] });
  const sloppy = scenario.game("Sloppy");
  const other = started(scenario, "Other", "b");
  neuro.heard();
  sloppy.say("startup", []).say("actions/register", {
    extra: 1,
    actions: [{ name: "a", description: "x", schema: null, more: true }, { name: "l", description: "x", schema: [] }],
  });
  sloppy.say("actions/register", { actions: [{ name: "z", description: "x", schema: null }] });
  sloppy.raw(new TextEncoder().encode(JSON.stringify({ command: "context", game: "Sloppy", data: { message: "binary" } })));
  sloppy.say("actions/force", { state: null, query: "q", action_names: ["a"] });
  for (const junk of ["{}", "[", "null", '"x"', "", new Uint8Array([0xff, 0xfe]), '{"command":"actions/force"}']) {
    sloppy.raw(junk);
  }
  check.equal(neuro.frames(), [
    {
      command: "actions/register",
      game: "Relay Integration",
      data: { actions: [{ name: "a", description: "x" }, { name: "l", description: "x" }] },
    },
    { command: "actions/register", game: "Relay Integration", data: { actions: [{ name: "z", description: "x" }] } },
    { command: "context", game: "Relay Integration", data: { message: "[Sloppy] binary", silent: false } },
    {
      command: "actions/force",
      game: "Relay Integration",
      data: { query: "[Sloppy] q", ephemeral_context: false, priority: "low", action_names: ["a"] },
    },
  ]);
  const repairs = scenario.observed("input_repaired").map(({ from, what }) => `${from}: ${what}`);
  check.equal(new Set(repairs).size, repairs.length);
  check.that(repairs.length >= 5);
  check.equal(scenario.observed("input_refused").length, 7);
  neuro.action("u1", "b");
  check.equal(other.heard(), ["action b"]);
  check.equal(scenario.closed, []);
});

test("NB31b an action that is registered with another definition is reported, unless it was unregistered or asked for in between", () => {
  const { scenario } = opened();
  const twice = () => scenario.observed("input_repaired").filter(({ what }) => what === "registered_twice");
  const careful = started(scenario, "Careful", "a");
  careful.unregister("a").register("a").startup().register("a");
  const returned = scenario.game("Returned").register("a");
  returned.register("a");
  check.equal(twice(), []);
  const careless = started(scenario, "Careless", "a", "b");
  careless.register("b", { name: "a", description: "other" }, "c").register("c");
  check.equal(twice().map(({ from, hint }) => [from, hint]), [
    ["Careless", "unregister an action before you register it again; some backends keep the first definition: a"],
  ]);
});

test("NB31 an action that is too large for any game is not sent, and Neuro gets a failure", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  neuro.action("u1", "a", "x".repeat(70_000));
  check.equal([chess.heard(), neuro.heard()], [[], ["result u1 false"]]);
});

test("IM53 an action whose data is too large for a message to an integration is not sent, and Neuro gets a failure", () => {
  const { scenario, neuro } = opened();
  const jukebox = scenario.integration("jukebox");
  const actions = [{ name: "a", description: "d" }];
  scenario.post({ is: "gameMessage", peer: jukebox.peer, message: { command: "actions/register", actions } });
  neuro.heard();
  scenario.posted();
  neuro.action("u1", "a", "x".repeat(1_048_000));
  check.equal(neuro.heard(), ["result u1 false"]);
  check.equal(scenario.posted().filter(({ is }) => is === "neuroMessage"), []);
});

test("NB34 voice is declined and the socket stays open", () => {
  const { scenario } = opened();
  const voice = scenario.game("Chess", { path: "/game/Chess/voice" });
  voice.raw('{"command":"voice/start","data":{}}').raw(new Uint8Array([1, 0, 0, 0])).raw("junk");
  scenario.pass(5_000);
  check.equal(voice.heard(), ["voice/unavailable"]);
  check.equal(scenario.closed, []);
  check.equal(scenario.harness.state.games.size, 0);
});

test("NB36 the Go relay's handshake and health are answered as documented", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Buckshot Roulette", "a");
  game.say("nrc-endpoints/startup", { "nr-version": "1.0.0" });
  game.say("nrc-endpoints/startup", { "nr-version": "9.0.0" });
  game.say("nrc-endpoints/startup", {});
  game.say("nrc-endpoints/health", { include: ["connected-games", "neuro-backend"] });
  game.say("nrc-endpoints/nothing");
  const [ack, mismatch, missing, health, unknown] = game.heardFrames();
  check.equal(ack, {
    command: "nrc-endpoints/startup-ack",
    data: {
      "nr-version": "1.0.0",
      "features": { "health-endpoint": true, "multiplexing": true, "custom-routing": true },
    },
  });
  check.equal(mismatch?.["command"], "nrc-endpoints/version-mismatch");
  check.equal(missing?.["data"], { error: "Missing required field: nr-version" });
  check.equal(health?.["data"], {
    "status": "healthy",
    "connected-games": [{ id: "buckshot-roulette", name: "Buckshot Roulette" }],
    "total-games": 1,
    "neuro-backend-connected": true,
  });
  check.equal(unknown?.["data"], { error: "Unknown endpoint: nothing" });
  check.equal(neuro.heard().slice(1), []);
});

test("NB36b any other unknown command is refused, and is never sent to Neuro", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Game", "a");
  neuro.heard();
  game.say("vendor/thing", { x: 1 });
  check.equal([game.heard(), neuro.heard()], [[], []]);
  check.equal(scenario.observed("input_refused").map(({ reason }) => reason), ["unknown command: vendor/thing"]);
  game.say("neuro-relay/health");
  check.equal(game.heard(), ["neuro-relay/health"]);
});

test("IM48b without an upstream a choice is settled with its outcome, with one it is refused", () => {
  const settle = (scenario: Scenario, name: string) => {
    scenario.post({ is: "actionChosen", from: "somebody", name, data: "{}", id: name });
    const settled = scenario.posted().findLast((message) => message.is === "choiceSettled");
    return settled?.is === "choiceSettled" && settled.id === name ? settled.refusal?.fault ?? "chosen" : "none";
  };
  const standalone = new Scenario({ neuros: [] });
  started(standalone, "Chess", "a").force(["a"]);
  check.equal([settle(standalone, "nonsense"), settle(standalone, "a")], ["notFound", "chosen"]);
  check.equal(settle(new Scenario(), "a"), "notNow");
});

test("NB41 without an upstream the relay accepts a choice, or decides, and the action is handled as one of Neuro", () => {
  const scenario = new Scenario({ neuros: [] });
  const chess = started(scenario, "Chess", "a", "b");
  chess.force(["a"]);
  check.that(scenario.posted().some((message) => message.is === "choiceRequested"));
  scenario.post({ is: "actionChosen", from: "somebody", name: "a", data: "{}" });
  check.equal(chess.heard().filter((word) => word.startsWith("action")), ["action a"]);
  chess.unregister("a").result(true);
  check.equal(scenario.observed("force_ended").map(({ end }) => end), ["completed"]);
  chess.force(["b"]);
  scenario.pass(8_000);
  check.equal(chess.heard().filter((word) => word.startsWith("action")).length, 1);
});

test("NB42 the service reports what it is doing", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a").force(["a"]);
  started(scenario, "Poker", "bet").force(["bet"]);
  neuro.action("u1", "a");
  scenario.pass(1_500);
  const ask = (request: ServiceRequest): Json | undefined => {
    scenario.effects.length = 0;
    scenario.step({ is: "requested", requestId: toRequestId("c"), principal: { by: "test", scopes: ["watch"] }, request });
    const [answer] = scenario.effects;
    return answer?.do === "respond" ? answer.body : undefined;
  };
  check.equal(ask({ of: "neuro", get: "ready" }), { ok: true, reasons: [] });
  // Why the casts: these queries have replies of that shape.
  const status = ask({ of: "neuro", get: "status" }) as unknown as NeuroView;
  check.equal(
    status.upstreams.map(({ state, force, waiting, pending }) => [
      state,
      force?.integration,
      waiting.map(({ name, waits_for }) => [name, waits_for]),
      pending.map(({ action, to, is, since }) => [action, to, is, scenario.now - since]),
    ]),
    [["open", "chess", [["Poker", "turn"]], [["a", ["chess"], "sent", 1_500]]]],
  );
  const all = ask({ of: "neuro", get: "integrations" }) as unknown as Page<IntegrationView>;
  check.equal(all.items.map(({ id, name, connected, visible, actions }) => [id, name, connected, visible, actions]), [
    ["chess", "Chess", true, true, 1],
    ["poker", "Poker", true, true, 1],
  ]);
  check.equal(JSON.parse(JSON.stringify(status)), status, "plain JSON");
  check.that(chess.heard().length > 0);
});

test("NB42 a service without Neuro reports the reason why it is not ready", () => {
  const scenario = new Scenario();
  scenario.step({
    is: "requested",
    requestId: toRequestId("c"),
    principal: { by: "test", scopes: [] },
    request: { of: "neuro", get: "ready" },
  });
  const answer = scenario.effects.find((effect) => effect.do === "respond");
  check.equal(answer?.body, { ok: false, reasons: ["upstream neuro is not connected"] });
});
