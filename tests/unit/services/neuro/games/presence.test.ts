/** Games that come, restart, and come back silently. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import { hashText } from "../../../../../src/core/hash.ts";
import { check } from "../../../../harness/check.ts";
import { otherAction, Scenario, type ScenarioOptions, started } from "../fixture.ts";

function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: ReturnType<Scenario["neuro"]> } {
  const scenario = new Scenario(options);
  return { scenario, neuro: scenario.neuro().open() };
}

const ends = (scenario: Scenario): readonly string[] =>
  scenario.observed("force_ended").map(({ integration, end }) => `${integration} ${end}`);

test("NB19 a game that reconnects without `startup` is identified by its first message, and Neuro does not notice", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Unity Game", "a", "b").close();
  neuro.heard();
  scenario.pass(3_000);
  const back = scenario.game("Unity Game").context("hello again");
  check.equal(back.heard(), ["reregister"]);
  back.register("a", "b");
  scenario.pass(60_000);
  check.equal(neuro.heard(), ["context [Unity Game] hello again"]);
});

test("NB19 the open force of a game that reconnects is still there, and a client that blocks on it resumes", () => {
  const { scenario, neuro } = opened();
  started(scenario, "C++ Game", "a").force(["a"]).close();
  check.equal(neuro.heard().at(-1), "force a");
  scenario.pass(3_000);
  const back = scenario.game("C++ Game").context("back");
  neuro.action("u1", "a");
  check.equal(back.heard(), ["reregister", "action a"]);
  back.result(true);
  check.equal(neuro.heard(), ["context [C++ Game] back", "result u1 true"]);
});

test("NB19b after the grace the registry is kept, and comes back with its game; so does an unanswered force", () => {
  const { scenario, neuro } = opened();
  started(scenario, "C++ Game", "a").force(["a"]).close();
  scenario.pass(10_000);
  check.equal(neuro.heard(), ["startup", "register a", "force a", "unregister a"]);
  check.equal(ends(scenario), ["C++ Game game_gone"]);
  scenario.pass(3_600_000);
  scenario.game("C++ Game").context("back");
  check.equal(neuro.heard(), ["register a", "force a", "context [C++ Game] back"]);
});

test("NB19b the registry of a game that is away is forgotten after 24 h, and its names are free", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a").close();
  scenario.pass(24 * 3_600_000 + 10_000);
  neuro.heard();
  started(scenario, "Poker", otherAction("a"));
  check.equal(neuro.heard(), ["register a"]);
  check.equal(scenario.harness.state.games.size, 1);
});

test("NB20 a client that never sends a message is identified by the name in its path", () => {
  const { scenario, neuro } = opened();
  started(scenario, "C++ Game", "a").close();
  neuro.heard();
  const back = scenario.game("C++ Game", { path: "/some/game/C%2B%2B%20Game" });
  scenario.pass(1_000);
  neuro.action("u1", "a");
  check.equal(back.heard(), ["reregister", "action a"]);
});

test("NB20b a client that never sends a message is identified after 2 s as the only game that disconnected from there", () => {
  const { scenario, neuro } = opened();
  started(scenario, "C++ Game", "a").close();
  neuro.heard();
  scenario.pass(500);
  const stranger = scenario.game("?", { userAgent: "another" });
  const back = scenario.game("C++ Game");
  scenario.pass(1_999);
  neuro.action("u1", "a");
  check.equal(back.heard(), ["reregister"]);
  scenario.pass(1);
  check.equal(back.heard(), ["action a"]);
  check.equal(stranger.heard(), ["reregister"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), ["result u1 false"]);
});

test("NB20b a client that may be one of two games is not identified", () => {
  const { scenario } = opened();
  started(scenario, "One", "a").close();
  started(scenario, "Two", "b").close();
  const back = scenario.game("One");
  scenario.pass(5_000);
  check.equal(back.heard(), ["reregister"]);
  check.equal(scenario.peerOf("One"), undefined);
});

test("NB20b a wrong identification is undone when the game sends its name", () => {
  const { scenario, neuro } = opened();
  started(scenario, "One", "a").close();
  const other = scenario.game("Other");
  scenario.pass(2_000);
  check.equal(scenario.peerOf("One"), other.peer);
  other.startup().register("b");
  check.equal(scenario.peerOf("One"), undefined);
  scenario.pass(10_000);
  check.equal(neuro.heard(), ["startup", "register a", "register b", "unregister a"]);
});

test("NB32 a client that begins with `startup` is not asked to register again; a silent one is, after 1 s", () => {
  const { scenario } = opened();
  const polite = started(scenario, "Polite", "a");
  const silent = scenario.game("Silent");
  scenario.pass(999);
  check.equal(silent.heard(), []);
  scenario.pass(10_000);
  check.equal([polite.heard(), silent.heard()], [[], ["reregister"]]);
});

test("NB18 NB18b the list that answers `actions/reregister_all` is the whole registry", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Unity", "a", "b", "c").close();
  neuro.heard();
  scenario.game("Unity").context("x").register("b", "c", "d");
  scenario.pass(300);
  check.equal(neuro.heard(), ["context [Unity] x", "register d", "unregister a"]);
});

test("NB18b messages that a client queued do no harm in the wrong order: the list that follows corrects them", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Unity", "a", "b").close();
  neuro.heard();
  const back = scenario.game("Unity").register("c").unregister("c");
  back.register("a", "b", "c");
  scenario.pass(1_000);
  check.equal(neuro.heard().filter((word) => word.includes("a")), [], "nothing that stayed was touched");
  check.equal([...scenario.harness.state.games.get("neuro:Unity")?.actions.keys() ?? []].sort(), ["a", "b", "c"]);
});

test("NB18d an empty list in answer to `actions/reregister_all` changes nothing, as the Lua SDK always sends one", () => {
  const { scenario, neuro } = opened();
  const lua = started(scenario, "Lua", "a", "b");
  lua.force(["a"]);
  lua.close();
  neuro.heard();
  const back = scenario.game("Lua").register();
  scenario.pass(5_000);
  check.equal(neuro.heard(), [], "Neuro notices nothing");
  neuro.action("u1", "a");
  check.equal(back.heard().at(-1), "action a");
});

test("NB18c a later list only adds", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Unity", "a").close();
  const back = scenario.game("Unity").context("x").register("a");
  scenario.pass(2_001);
  back.register("b");
  scenario.pass(1_000);
  check.equal(neuro.heard(), ["startup", "register a", "context [Unity] x", "register b"]);
});

test("NB25 a game's `startup` is never sent to Neuro; an action that it does not register again is gone after 300 ms", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a", "b", "c");
  const poker = started(scenario, "Poker", "bet");
  neuro.heard();
  chess.startup();
  neuro.action("u1", "a");
  check.equal(neuro.heard(), ["result u1 false"], "the relay answers meanwhile");
  chess.register("a", otherAction("b"));
  check.equal(neuro.heard(), ["unregister b", "register b"]);
  scenario.pass(300);
  check.equal(neuro.heard(), ["unregister c"]);
  check.equal([chess.heard(), poker.heard()], [[], []]);
});

test("NB25b an action in flight survives a `startup` if its game registers the same definition again; otherwise it fails", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a", "b");
  neuro.action("u1", "a");
  neuro.action("u2", "b");
  const [first = ""] = chess.ids();
  neuro.heard();
  chess.startup().register("a");
  scenario.pass(300);
  check.equal(neuro.heard(), ["unregister b", "result u2 false"]);
  chess.result(true, { id: first });
  check.equal(neuro.heard(), ["result u1 true"]);
});

test("NB25b an action in flight that its game unregistered right after its `startup` can still be answered", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a").force(["a"]);
  neuro.action("u1", "a");
  chess.unregister("a");
  neuro.heard();
  scenario.pass(1_999);
  check.equal(neuro.heard(), []);
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
});

test("NB27 a `startup` cancels the open force: its names are unregistered at once, and registered again although they are equal", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a", "b");
  const poker = started(scenario, "Poker", "bet");
  chess.force(["a"]);
  poker.force(["bet"]);
  neuro.heard();
  chess.startup();
  check.equal(neuro.heard(), ["unregister a", "force bet"]);
  chess.register("a", "b");
  check.equal(neuro.heard(), ["register a"]);
  scenario.pass(1_000);
  check.equal(neuro.heard(), []);
  check.equal(ends(scenario), ["Chess cancelled"]);
});

test("NB27 a name of the cancelled force that another game has too is unregistered and registered for that game", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "a");
  chess.force(["a"]);
  neuro.heard();
  chess.startup();
  check.equal(neuro.heard(), ["unregister a", "register a"]);
  neuro.action("u1", "a");
  check.equal([chess.heard(), poker.heard()], [[], ["action a"]]);
});

test("NB27 a `startup` cancels waiting forces, too", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Poker", "bet").force(["bet"]);
  const chess = started(scenario, "Chess", "a").force(["a"]);
  chess.startup().register("a").force(["a"]);
  check.equal(ends(scenario), ["Chess cancelled"]);
  check.equal(neuro.heard().filter((word) => word.startsWith("force")), ["force bet"]);
});

test("NB25 after its grace a game that restarts registers again, and its old actions stay hidden", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a", "b").force(["a"]).close();
  scenario.pass(20_000);
  neuro.heard();
  started(scenario, "Chess", "b");
  scenario.pass(1_000);
  check.equal(neuro.heard(), ["register b"]);
});

test("NB33 one socket may speak for several games, and a game that changes its name is a second one", () => {
  const { scenario, neuro } = opened();
  const socket = scenario.game("One").startup().register("a");
  socket.say("startup", undefined, "Two").say("actions/register", { actions: [otherAction("a")] }, "Two");
  check.equal(neuro.heard(), ["startup", "register a", "register two--a"]);
  neuro.action("u1", "two--a");
  const id = socket.lastId();
  socket.say("action/result", { id, success: true }, "One");
  check.equal(neuro.heard(), [], "not One's to answer");
  socket.say("action/result", { id, success: true }, "Two");
  check.equal(neuro.heard(), ["result u1 true"]);
  socket.close();
  scenario.pass(10_000);
  check.equal([...neuro.heard()].sort(), ["unregister a", "unregister two--a"]);
});

test("NB33b a message without `game` belongs to the last game of its socket, or else to a new unknown one", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a").raw('{"command":"context","data":{"message":"m","silent":true}}');
  scenario.game("?", { path: "/game/Named" }).raw('{"command":"context","data":{"message":"n","silent":true}}');
  scenario.game("?").raw('{"command":"context","data":{"message":"o","silent":true}}');
  check.equal(neuro.heard().slice(2), ["context [Chess] m", "context [Named] n", "context [unknown-1] o"]);
});

test("NB35 pongs may be missing while a level loads; a socket that has answered before is closed after 120 s of silence", () => {
  const { scenario } = opened();
  const able = started(scenario, "Able", "a");
  const unable = started(scenario, "Unable", "b");
  scenario.pass(30_000);
  able.pong();
  scenario.pass(119_000);
  check.equal(scenario.closed, []);
  scenario.pass(31_001);
  check.equal(scenario.closed, [{ peer: able.peer, fault: "leaving" }]);
  able.close();
  scenario.effects.length = 0;
  scenario.pass(600_000);
  check.equal(
    scenario.effects.filter((effect) => effect.do === "ping"),
    [],
    "games that do not answer are not asked again and again",
  );
  check.that(!scenario.closed.some(({ peer }) => peer === unable.peer));
});

test("SE106 a game needs a token that is valid for its name, also after the tokens change", () => {
  const token = (name: string, names: readonly string[]) => ({ name, token: `token of ${name}`, names });
  const backend = (...tokens: ReturnType<typeof token>[]) => ({
    settings: { "nakurity-backend": { ...DEFAULTS["nakurity-backend"], tokens } },
  });
  const credential = hashText("token of chess");
  const scenario = new Scenario(backend(token("chess", ["Chess*", "Go"]), token("any", [])));
  const chess = scenario.game("Chess 960", { credential }).startup();
  scenario.game("Poker", { credential }).startup();
  scenario.game("Poker", { credential: hashText("token of any") }).startup();
  scenario.game("Chess", {}).startup();
  const faults = () => scenario.closed.splice(0).map(({ fault }) => fault);
  check.equal(faults(), ["notAllowed", "notAllowed"]);
  const refusals = scenario.observations.filter(({ is }) => is === "greeting_refused");
  check.equal(refusals.map((refusal) => "reason" in refusal && refusal.reason), [
    'this token is not valid for a game called "Poker"',
    'this token is not valid for a game called "Chess"',
  ]);
  chess.say("startup", undefined, "Go");
  scenario.configure(backend(token("chess", ["Chess*"]), token("any", [])));
  check.equal(faults(), ["notAllowed"], "it also speaks for Go");
});
