/** Actions and their results: exactly one each, in time, and from the games that were asked. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { action, otherAction, Scenario, type ScenarioOptions, started } from "../fixture.ts";

/** A scenario with a connected Neuro. */
function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: ReturnType<Scenario["neuro"]> } {
  const scenario = new Scenario(options);
  return { scenario, neuro: scenario.neuro().open() };
}

const ends = (scenario: Scenario): readonly string[] =>
  scenario.observed("force_ended").map(({ integration, end }) => `${integration} ${end}`);

test("NB10 NB10b a game leaves with an action in flight: after its grace the names are unregistered, then one failure is sent", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  neuro.action("u1", "a");
  neuro.heard();
  chess.close();
  neuro.action("u2", "bet");
  poker.result(true);
  check.equal(neuro.heard(), ["result u2 true"], "nobody else notices");
  scenario.pass(9_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["unregister a", "result u1 false"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NB10b inside a force the names go first, and then a success, so that Neuro does not try again", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a", "b");
  started(scenario, "Poker", "bet").force([]);
  chess.force(["a", "b"]);
  neuro.action("u1", "a");
  neuro.heard();
  chess.close();
  scenario.pass(10_000);
  check.equal(neuro.heard(), ["unregister a b", "result u1 true"]);
  check.equal(ends(scenario).at(-1), "Chess game_gone");
  neuro.action("u2", "b");
  check.equal(neuro.heard(), ["result u2 true"]);
});

test("NB10 the result comes at the deadline if the grace is longer, and the game's actions return with it", () => {
  const { scenario, neuro } = opened({ actions: { grace: 30_000 } });
  const chess = started(scenario, "Chess", "a");
  chess.force(["a"]);
  neuro.action("u1", "a");
  chess.heard();
  neuro.heard();
  chess.close();
  scenario.pass(18_000);
  check.equal(neuro.heard(), ["unregister a", "result u1 true"]);
  scenario.game("Chess").context("back");
  check.equal(neuro.heard(), ["register a", "force a", "context [Chess] back"]);
});

test("NB11 a game that returns within its grace may still send its result", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.action("u1", "a");
  const id = chess.lastId();
  neuro.heard();
  chess.close();
  scenario.pass(3_000);
  scenario.game("Chess").result(true, { id });
  check.equal(neuro.heard(), ["result u1 true"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NB21c after an action was sent to a dead connection, the force is asked again", () => {
  for (const takesOver of [true, false]) {
    for (const isHeard of [true, false]) {
      const { scenario, neuro } = opened();
      const chess = started(scenario, "Chess", "a").force(["a"]);
      scenario.pass(1_000);
      neuro.action("u1", "a");
      const id = chess.lastId();
      scenario.pass(1_000);
      if (isHeard) chess.context("still here");
      neuro.heard();
      if (!takesOver) chess.close();
      const again = scenario.game("Chess").context("back").register("a");
      scenario.pass(takesOver ? 5_000 : 0);
      check.equal(again.heard(), ["reregister"], "an action is never sent twice");
      scenario.pass(18_000);
      check.equal(neuro.heard().filter((line) => line.startsWith("result")), [`result u1 ${isHeard}`]);
      check.equal(ends(scenario), isHeard ? ["Chess completed"] : [], "Neuro tries again after a failure");
      again.result(true, { id });
      check.equal(neuro.heard(), []);
    }
  }
});

test("NB21c the result of such an action still counts, also as evidence of a client without results", () => {
  for (const answer of ["result", "evidence"] as const) {
    const { scenario, neuro } = opened();
    const chess = started(scenario, "Chess", "a").force(["a"]);
    scenario.pass(1_000);
    neuro.action("u1", "a");
    const id = chess.lastId();
    chess.close();
    const again = scenario.game("Chess").context("back").register("a");
    neuro.heard();
    if (answer === "result") again.result(true, { id });
    else again.context("did a");
    scenario.pass(2_000);
    check.that(neuro.heard().includes("result u1 true"), answer);
  }
});

test("NB21d a force whose only action was sent to a dead connection comes back with its game, also after a restart", () => {
  for (const restarts of [true, false]) {
    const { scenario, neuro } = opened();
    const chess = started(scenario, "Chess", "a").force(["a"]);
    scenario.pass(1_000);
    neuro.action("u1", "a");
    chess.close();
    scenario.pass(10_000);
    check.equal(ends(scenario), ["Chess game_gone"]);
    const next = restarts ? new Scenario({ entries: scenario.entries() }) : scenario;
    const heard = restarts ? next.neuro().open() : neuro;
    heard.heard();
    next.game("Chess").register("a");
    check.equal(heard.heard().at(-1), "force a");
  }
});

test("NB21 an action for a game that is away is queued, and delivered once when it is back", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a").close();
  neuro.heard();
  neuro.action("u1", "a");
  scenario.pass(3_000);
  const back = scenario.game("Chess").context("back");
  check.equal(back.heard(), ["reregister", "action a"]);
  back.register("a").result(true);
  check.equal(neuro.heard(), ["context [Chess] back", "result u1 true"]);
});

test("NB21b an action that its game has got is never delivered twice", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a");
  neuro.action("u1", "a");
  const again = scenario.game("Chess").startup();
  check.equal(again.heard(), []);
  scenario.pass(20_000);
  check.equal(again.heard(), []);
});

test("NB12 without a result a failure is sent at the deadline of the backend, less a tenth", () => {
  for (const [profile, ms] of [["neuro", 18_000], ["gary", 4_500], ["randy", 18_000]] as const) {
    const { scenario, neuro } = opened({ neuros: [{ profile }] });
    started(scenario, "Chess", "a");
    neuro.action("u1", "a");
    neuro.heard();
    scenario.pass(ms - 1);
    check.equal(neuro.heard(), [], profile);
    scenario.pass(1);
    check.equal(neuro.heard(), ["result u1 false"], profile);
  }
});

test("NB12b the deadline can be configured", () => {
  const { scenario, neuro } = opened({ neuros: [{ action_deadline: 1_000 }] });
  started(scenario, "Chess", "a");
  neuro.action("u1", "a");
  neuro.heard();
  scenario.pass(900);
  check.equal(neuro.heard(), ["result u1 false"]);
  check.equal(scenario.observed("action_expired").map(({ to }) => to), [["Chess"]]);
});

test("NB13 a result that is late, sent twice, of another game or of no action is ignored", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  neuro.action("u1", "a");
  const first = chess.lastId();
  neuro.heard();
  poker.result(true, { id: first });
  check.equal(neuro.heard(), []);
  chess.result(true, { id: first }).result(false, { id: first });
  check.equal(neuro.heard(), ["result u1 true"]);
  neuro.action("u2", "a");
  const second = chess.lastId();
  scenario.pass(18_000);
  check.equal(neuro.heard(), ["result u2 false"]);
  chess.result(true, { id: second }).result(true, { id: "0" });
  check.equal(neuro.heard(), []);
  check.equal(scenario.observed("result_ignored").map(({ why }) => why), ["foreign", "twice", "late", "unknown"]);
});

test("NB14 a game that does not answer delays no other game", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  neuro.action("u0", "a");
  neuro.heard();
  for (let n = 1; n <= 50; n++) {
    neuro.action(`u${n}`, "bet");
    poker.result(true);
  }
  check.equal(neuro.heard().length, 50);
});

test("NB15 with `results: failures-only` a missing answer counts as a success after 500 ms", () => {
  const { scenario, neuro } = opened({ integrations: [{ match: "Go*", results: "failures-only" }] });
  const game = started(scenario, "Go Game", "a");
  neuro.heard();
  neuro.action("u1", "a");
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u1 true"]);
  neuro.action("u2", "a");
  game.result(false);
  check.equal(neuro.heard(), ["result u2 false"]);
  scenario.pass(30_000);
  check.equal(neuro.heard(), []);
});

test("NB15b after three missed deadlines in a row no confirmation is expected from a client, until it sends a success", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Go Game", "a");
  neuro.heard();
  for (const id of ["u1", "u2", "u3"]) {
    neuro.action(id, "a");
    scenario.pass(18_000);
    check.equal(neuro.heard(), [`result ${id} false`]);
  }
  check.equal(scenario.observed("input_repaired").map(({ what }) => what), ["results_missing"]);
  neuro.action("u4", "a");
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u4 true"]);
  neuro.action("u5", "a");
  game.result(true);
  neuro.action("u6", "a");
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u5 true"]);
});

test("NB15b a game that is away misses no deadline", () => {
  const { scenario, neuro } = opened({ actions: { grace: 100_000 } });
  const chess = started(scenario, "Chess", "a");
  for (const id of ["u1", "u2", "u3", "u4"]) neuro.action(id, "a");
  chess.close();
  scenario.pass(18_000);
  check.equal(scenario.observed("input_repaired"), []);
});

test("NB15c inside a force a missing answer counts as a success, because Neuro must not repeat an action that may have been executed", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a").force(["a"]);
  neuro.action("u1", "a");
  neuro.heard();
  scenario.pass(18_000);
  check.equal(neuro.heard(), ["result u1 true"]);
  check.equal(ends(scenario), []);
  scenario.pass(500);
  check.equal(ends(scenario), ["Chess completed"]);
});

test("NB16 an action that was just unregistered is not delivered but answered", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a", "b");
  neuro.heard();
  chess.unregister("a");
  neuro.action("u1", "a");
  check.equal(neuro.heard(), ["unregister a", "result u1 false"], "outside a force");
  chess.register("a").force(["a", "b"]).unregister("a");
  neuro.heard();
  neuro.action("u2", "a");
  check.equal(neuro.heard(), ["result u2 false"], "in a force that has another name");
  chess.unregister("b");
  neuro.heard();
  neuro.action("u3", "a");
  check.equal(neuro.heard(), ["result u3 true"], "in a force that has none");
  check.equal(chess.heard(), []);
});

test("NB16b an action that was never registered fails, or is left to others who share the backend", () => {
  const { scenario, neuro } = opened();
  neuro.heard();
  neuro.action("u1", "what");
  check.equal(neuro.heard(), ["result u1 false"]);
  scenario.configure({ actions: { broadcast_backend: true } });
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  neuro.action("u2", "what");
  check.equal(neuro.heard(), []);
  chess.unregister("a");
  neuro.action("u3", "a");
  check.equal(neuro.heard(), ["unregister a", "result u3 false"], "ours is answered all the same");
});

test("NB40 an equal action of several games is one action for Neuro, and all of them get it; the first success is the result", () => {
  const { scenario, neuro } = opened();
  const [one, two, three] = ["One", "Two", "Three"].map((name) => started(scenario, name, "a"));
  check.equal(neuro.heard(), ["startup", "register a"]);
  neuro.action("u1", "a");
  for (const game of [one, two, three]) check.equal(game?.heard(), ["action a"]);
  one?.result(false);
  check.equal(neuro.heard(), []);
  two?.result(true, { message: "mine" });
  three?.result(true);
  check.equal(neuro.frames().map(({ data }) => data), [{ id: "u1", success: true, message: "mine" }]);
});

test("NB40 if all fail the last failure is the result; if some stay silent, it is the result at the deadline", () => {
  const { scenario, neuro } = opened();
  const one = started(scenario, "One", "a");
  const two = started(scenario, "Two", "a");
  neuro.heard();
  neuro.action("u1", "a");
  one.result(false, { message: "first" });
  two.result(false, { message: "last" });
  check.equal(neuro.frames().map(({ data }) => data), [{ id: "u1", success: false, message: "last" }]);
  neuro.action("u2", "a");
  one.result(false, { message: "no" });
  scenario.pass(18_000);
  check.equal(neuro.frames().map(({ data }) => data), [{ id: "u2", success: false, message: "no" }]);
});

test("NB40c a shared action goes to connected owners; one that leaves counts as failed after its grace", () => {
  const { scenario, neuro } = opened();
  const one = started(scenario, "One", "a");
  const two = started(scenario, "Two", "a");
  const three = started(scenario, "Three", "a");
  three.close();
  neuro.heard();
  neuro.action("u1", "a");
  two.close();
  one.result(false);
  check.equal(neuro.heard(), []);
  scenario.pass(10_000);
  check.equal(neuro.heard(), ["result u1 false"]);
  check.equal(three.heard(), []);
});

test("NB40b inside a force only the integration that sent the force gets the action", () => {
  const { scenario, neuro } = opened();
  const one = started(scenario, "One", "a");
  const two = started(scenario, "Two", "a");
  two.force(["a"]);
  neuro.action("u1", "a");
  check.equal([one.heard(), two.heard()], [[], ["action a"]]);
});

test("NB40d `actions.broadcast: first-owner` sends the action to the first connected owner", () => {
  const { scenario, neuro } = opened({ actions: { broadcast: "first-owner" } });
  const one = started(scenario, "One", "a");
  const two = started(scenario, "Two", "a");
  neuro.action("u1", "a");
  one.close();
  neuro.action("u2", "a");
  check.equal([one.ids().length, two.ids().length], [1, 1]);
});

test("NB40 what one owner unregisters stays registered while another has it", () => {
  const { scenario, neuro } = opened();
  const one = started(scenario, "One", "a");
  const two = started(scenario, "Two", "a");
  neuro.heard();
  one.unregister("a");
  neuro.action("u1", "a");
  check.equal([neuro.heard(), one.heard(), two.heard()], [[], [], ["action a"]]);
  two.result(true).unregister("a");
  check.equal(neuro.heard(), ["result u1 true", "unregister a"]);
});

test("NB38 actions beyond the limit of an integration are refused and reported", () => {
  const { scenario, neuro } = opened();
  const many = Array.from({ length: 512 }, (_, n) => `a${n}`);
  started(scenario, "Chess", ...many);
  const frame = neuro.frames().find(({ command }) => command === "actions/register");
  check.equal((frame?.["data"] as { actions: unknown[] }).actions.length, 500);
  check.equal(scenario.observed("input_refused").map(({ from, fault, reason }) => [from, fault, reason]), [[
    "Chess",
    "queueFull",
    "too many actions: a500, a501, a502, a503, a504, a505, a506, a507 and 4 more: " +
    "500 are registered; `limits.actions_per_integration` allows 500",
  ]]);
});

test("NB38b `limits.actions` bounds the actions of all integrations", () => {
  const { DEFAULT, neuro } = bounded(3);
  started(DEFAULT, "Chess", "a", "b");
  started(DEFAULT, "Poker", "c", "d");
  check.equal(neuro.heard(), ["startup", "register a b", "register c"]);
});

function bounded(actions: number): { DEFAULT: Scenario; neuro: ReturnType<Scenario["neuro"]> } {
  const scenario = new Scenario();
  const settings = { ...scenario.harness.settings, limits: { ...scenario.harness.settings.limits, actions } };
  const small = new Scenario({ settings });
  return { DEFAULT: small, neuro: small.neuro().open() };
}

test("NB26 an unchanged definition sends nothing; a changed one is unregistered and registered", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a", "b");
  neuro.heard();
  chess.register("a", "b");
  check.equal(neuro.heard(), []);
  chess.register(otherAction("a"), action("b"));
  check.equal(neuro.heard(), ["unregister a", "register a"]);
  chess.unregister("never");
  check.equal(neuro.heard(), []);
});

test("NB44 the id of a game's action ends with Neuro's, and a game may answer with Neuro's alone", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.action("move-1", "a");
  check.match(chess.lastId(), /^\d{13}-\d{10}~move-1$/);
  chess.result(true, { id: "move-1" });
  check.equal(neuro.heard().at(-1), "result move-1 true");
  neuro.action(" \n", "a");
  check.match(chess.lastId(), /^\d{13}-\d{10}$/);
});

test("NC41 actions beyond 1,000 pending ones fail at once, and there is room again after each result", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  for (let n = 0; n < 1_000; n++) neuro.action(`u${n}`, "a");
  check.equal(neuro.heard(), []);
  neuro.action("more", "a");
  check.equal(neuro.heard(), ["result more false"]);
  check.match(String(scenario.observed("action_result").at(-1)?.message), /Too many actions/);
  check.equal(chess.ids().length, 1_000);
  chess.result(true);
  neuro.action("again", "a");
  check.equal(neuro.heard(), ["result u999 true"]);
  scenario.pass(18_000);
  check.equal(neuro.heard().length, 1_000, "each has one result");
});

test("NC41b the pending actions of one upstream keep at most `limits.peer_bytes`, also by their ids", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  neuro.heard();
  const data = JSON.stringify("x".repeat(50_000));
  const id = (n: number) => `${n} ${"i".repeat(20_000)}`;
  for (let n = 0; n < 400; n++) neuro.action(id(n), "a", data);
  const fits = Math.floor(8 * 1_048_576 / (2 * (data.length + id(10).length) + 768));
  check.equal(neuro.heard().length, 400 - fits);
  const { message } = scenario.observed("action_result").at(-1) ?? {};
  check.match(String(message), /would keep \d+ bytes; `limits.peer_bytes` allows 8388608/);
  chess.result(true);
  neuro.action("again", "a", data);
  check.equal(neuro.heard(), [`result ${id(fits - 1)} true`]);
});
