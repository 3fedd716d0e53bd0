/** Games that come, restart, and come back silently. */
import { test } from "#runner";
import { check } from "../../../harness/check.ts";
import { House, type HouseOptions, otherAction, started } from "./fixture.ts";

function opened(options: HouseOptions = {}): { house: House; neuro: ReturnType<House["neuro"]> } {
  const house = new House(options);
  return { house, neuro: house.neuro().open() };
}

const ends = (house: House): readonly string[] =>
  house.noted("force_ended").map(({ integration, end }) => `${integration} ${end}`);

test("NB19 a game that returns without startup is known by its first message, and Neuro notices nothing", () => {
  const { house, neuro } = opened();
  started(house, "Unity Game", "a", "b").close();
  neuro.heard();
  house.pass(3_000);
  const back = house.game("Unity Game").context("hello again");
  check.equal(back.heard(), ["reregister"]);
  back.register("a", "b");
  house.pass(60_000);
  check.equal(neuro.heard(), ["context [Unity Game] hello again"]);
});

test("NB19 its open force is still there, and a client that blocks on it resumes", () => {
  const { house, neuro } = opened();
  started(house, "C++ Game", "a").force(["a"]).close();
  check.equal(neuro.heard().at(-1), "force a");
  house.pass(3_000);
  const back = house.game("C++ Game").context("back");
  neuro.action("u1", "a");
  check.equal(back.heard(), ["reregister", "action a"]);
  back.result(true);
  check.equal(neuro.heard(), ["context [C++ Game] back", "result u1 true"]);
});

test("NB19 after its grace the registry is parked, and comes back with its game; so does a force nobody answered", () => {
  const { house, neuro } = opened();
  started(house, "C++ Game", "a").force(["a"]).close();
  house.pass(10_000);
  check.equal(neuro.heard(), ["startup", "register a", "force a", "unregister a"]);
  check.equal(ends(house), ["C++ Game game gone"]);
  house.pass(3_600_000);
  house.game("C++ Game").context("back");
  check.equal(neuro.heard(), ["register a", "force a", "context [C++ Game] back"]);
});

test("NB19 a parked registry is forgotten after a day, and its names are free", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a").close();
  house.pass(24 * 3_600_000 + 10_000);
  neuro.heard();
  started(house, "Poker", otherAction("a"));
  check.equal(neuro.heard(), ["register a"]);
  check.equal(house.harness.state.games.size, 1);
});

test("NB20 a client that never speaks is bound by the name in its path", () => {
  const { house, neuro } = opened();
  started(house, "C++ Game", "a").close();
  neuro.heard();
  const back = house.game("C++ Game", { path: "/some/game/C%2B%2B%20Game" });
  house.pass(1_000);
  neuro.action("u1", "a");
  check.equal(back.heard(), ["reregister", "action a"]);
});

test("NB20 or, after 2 s, by being the only one that left from there", () => {
  const { house, neuro } = opened();
  started(house, "C++ Game", "a").close();
  neuro.heard();
  house.pass(500);
  const stranger = house.game("?", { userAgent: "another" });
  const back = house.game("C++ Game");
  house.pass(1_999);
  neuro.action("u1", "a");
  check.equal(back.heard(), ["reregister"]);
  house.pass(1);
  check.equal(back.heard(), ["action a"]);
  check.equal(stranger.heard(), ["reregister"]);
  house.pass(60_000);
  check.equal(neuro.heard(), ["result u1 false"]);
});

test("NB20 where two may be meant nobody is guessed", () => {
  const { house } = opened();
  started(house, "One", "a").close();
  started(house, "Two", "b").close();
  const back = house.game("One");
  house.pass(5_000);
  check.equal(back.heard(), ["reregister"]);
  check.equal(house.harness.state.games.get("neuro:One")?.peer, undefined);
});

test("NB20 a wrong guess is taken back when the game says its name", () => {
  const { house, neuro } = opened();
  started(house, "One", "a").close();
  const other = house.game("Other");
  house.pass(2_000);
  check.equal(house.harness.state.games.get("neuro:One")?.peer, other.peer);
  other.startup().register("b");
  check.equal(house.harness.state.games.get("neuro:One")?.peer, undefined);
  house.pass(10_000);
  check.equal(neuro.heard(), ["startup", "register a", "register b", "unregister a"]);
});

test("NB32 who begins with startup is not asked to register again; who is silent is, after a second", () => {
  const { house } = opened();
  const polite = started(house, "Polite", "a");
  const silent = house.game("Silent");
  house.pass(999);
  check.equal(silent.heard(), []);
  house.pass(10_000);
  check.equal([polite.heard(), silent.heard()], [[], ["reregister"]]);
});

test("NB18 the list that answers `reregister_all` is the whole registry", () => {
  const { house, neuro } = opened();
  started(house, "Unity", "a", "b", "c").close();
  neuro.heard();
  house.game("Unity").context("x").register("b", "c", "d");
  house.pass(300);
  check.equal(neuro.heard(), ["context [Unity] x", "register d", "unregister a"]);
});

test("NB18 a flushed queue in the wrong order does no harm: the list that follows repairs it", () => {
  const { house, neuro } = opened();
  started(house, "Unity", "a", "b").close();
  neuro.heard();
  const back = house.game("Unity").register("c").unregister("c");
  back.register("a", "b", "c");
  house.pass(1_000);
  check.equal(neuro.heard().filter((word) => word.includes("a")), [], "nothing that stayed was touched");
  check.equal([...house.harness.state.games.get("neuro:Unity")?.actions.keys() ?? []].sort(), ["a", "b", "c"]);
});

test("NB18 a later registration only adds", () => {
  const { house, neuro } = opened();
  started(house, "Unity", "a").close();
  const back = house.game("Unity").context("x").register("a");
  house.pass(2_001);
  back.register("b");
  house.pass(1_000);
  check.equal(neuro.heard(), ["startup", "register a", "context [Unity] x", "register b"]);
});

test("NB25 a game's startup never goes upstream; what it does not register again is gone after 300 ms", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a", "b", "c");
  const poker = started(house, "Poker", "bet");
  neuro.heard();
  chess.startup();
  neuro.action("u1", "a");
  check.equal(neuro.heard(), ["result u1 false"], "the relay answers meanwhile");
  chess.register("a", otherAction("b"));
  check.equal(neuro.heard(), ["unregister b", "register b"]);
  house.pass(300);
  check.equal(neuro.heard(), ["unregister c"]);
  check.equal([chess.heard(), poker.heard()], [[], []]);
});

test("NB25 an action in flight outlives a startup if its game registers the same again, else it ends", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a", "b");
  neuro.action("u1", "a");
  neuro.action("u2", "b");
  const [first = ""] = chess.ids();
  neuro.heard();
  chess.startup().register("a");
  house.pass(300);
  check.equal(neuro.heard(), ["unregister b", "result u2 false"]);
  chess.result(true, { id: first });
  check.equal(neuro.heard(), ["result u1 true"]);
});

test("NB25 an action that its game unregistered right after its start is still its own to answer", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a").force(["a"]);
  neuro.action("u1", "a");
  chess.unregister("a");
  neuro.heard();
  house.pass(5_000);
  check.equal(neuro.heard(), []);
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
});

test("NB27 a startup ends the game's open force: its names are withdrawn at once, and registered again though equal", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a", "b");
  const poker = started(house, "Poker", "bet");
  chess.force(["a"]);
  poker.force(["bet"]);
  neuro.heard();
  chess.startup();
  check.equal(neuro.heard(), ["unregister a", "force bet"]);
  chess.register("a", "b");
  check.equal(neuro.heard(), ["register a"]);
  house.pass(1_000);
  check.equal(neuro.heard(), []);
  check.equal(ends(house), ["Chess cancelled"]);
});

test("NB27 a name in the force that another game has too is withdrawn and registered for that one", () => {
  const { house, neuro } = opened();
  const chess = started(house, "Chess", "a");
  const poker = started(house, "Poker", "a");
  chess.force(["a"]);
  neuro.heard();
  chess.startup();
  check.equal(neuro.heard(), ["unregister a", "register a"]);
  neuro.action("u1", "a");
  check.equal([chess.heard(), poker.heard()], [[], ["action a"]]);
});

test("NB27 a startup ends waiting forces too", () => {
  const { house, neuro } = opened();
  started(house, "Poker", "bet").force(["bet"]);
  const chess = started(house, "Chess", "a").force(["a"]);
  chess.startup().register("a").force(["a"]);
  check.equal(ends(house), ["Chess cancelled"]);
  check.equal(neuro.heard().filter((word) => word.startsWith("force")), ["force bet"]);
});

test("NB25 a game that restarts after its grace registers anew, and nothing old is shown meanwhile", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a", "b").force(["a"]).close();
  house.pass(20_000);
  neuro.heard();
  started(house, "Chess", "b");
  house.pass(1_000);
  check.equal(neuro.heard(), ["register b"]);
});

test("NB33 one socket may carry several games, and a game that changes its name is a second one", () => {
  const { house, neuro } = opened();
  const socket = house.game("One").startup().register("a");
  socket.say("startup", undefined, "Two").say("actions/register", { actions: [otherAction("a")] }, "Two");
  check.equal(neuro.heard(), ["startup", "register a", "register two--a"]);
  neuro.action("u1", "two--a");
  const id = socket.lastId();
  socket.say("action/result", { id, success: true }, "One");
  check.equal(neuro.heard(), [], "not One's to answer");
  socket.say("action/result", { id, success: true }, "Two");
  check.equal(neuro.heard(), ["result u1 true"]);
  socket.close();
  house.pass(10_000);
  check.equal(neuro.heard(), ["unregister a", "unregister two--a"]);
});

test("NB33 a message without a game belongs to whoever the socket speaks for, or to nobody known", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a").raw('{"command":"context","data":{"message":"m","silent":true}}');
  house.game("?", { path: "/game/Named" }).raw('{"command":"context","data":{"message":"n","silent":true}}');
  house.game("?").raw('{"command":"context","data":{"message":"o","silent":true}}');
  check.equal(neuro.heard().slice(2), ["context [Chess] m", "context [Named] n", "context [unknown-1] o"]);
});

test("NB35 pongs may stay away while a level loads; who answered before and is silent for 120 s is let go", () => {
  const { house } = opened();
  const able = started(house, "Able", "a");
  const unable = started(house, "Unable", "b");
  house.pass(30_000);
  able.pong();
  house.pass(119_000);
  check.equal(house.closed, []);
  house.pass(31_001);
  check.equal(house.closed, [{ peer: able.peer, fault: "leaving" }]);
  able.close();
  house.effects.length = 0;
  house.pass(600_000);
  check.equal(house.effects.filter((effect) => effect.do === "ping"), [], "where nobody answers, nobody is asked for ever");
  check.that(!house.closed.some(({ peer }) => peer === unable.peer));
});
