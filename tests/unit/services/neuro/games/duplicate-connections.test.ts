/** Two sockets for one game: which of them gets it, and the state of the other. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { otherAction, Scenario, type ScenarioOptions, started } from "../fixture.ts";

function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: ReturnType<Scenario["neuro"]> } {
  const scenario = new Scenario(options);
  return { scenario, neuro: scenario.neuro().open() };
}

test("NB22 a new connection gets the game at once when the old socket has been silent for 5 s", () => {
  const { scenario, neuro } = opened();
  const old = started(scenario, "Chess", "a");
  scenario.pass(5_000);
  neuro.heard();
  const fresh = scenario.game("Chess").context("it's me");
  check.equal(neuro.heard(), ["context [Chess] it's me"]);
  neuro.action("u1", "a");
  check.equal([old.heard(), fresh.heard()], [[], ["reregister", "action a"]]);
  check.equal(scenario.observed("taken_over").map(({ winner }) => winner), ["newest"]);
});

test("NB22b otherwise the old socket is pinged, and the new connection waits 5 s at most", () => {
  const { scenario, neuro } = opened();
  const old = started(scenario, "Chess", "a");
  neuro.action("u1", "a");
  const id = old.lastId();
  scenario.pass(1_000);
  neuro.heard();
  scenario.effects.length = 0;
  const fresh = scenario.game("Chess").context("x").result(true, { id });
  check.equal(scenario.effects.filter((effect) => effect.do === "ping").length, 1);
  scenario.pass(4_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["context [Chess] x", "result u1 true"], "what it said is heard now, in order");
  old.close();
  neuro.action("u2", "a");
  check.equal(fresh.heard(), ["reregister", "action a"], "the old socket's end takes nothing away");
  scenario.pass(60_000);
  check.equal(neuro.heard(), ["result u2 false"]);
});

test("NB22b an old socket that closes during the contest leaves the game to the new connection", () => {
  const { scenario, neuro } = opened();
  const old = started(scenario, "Chess", "a");
  const fresh = scenario.game("Chess").context("x");
  old.close();
  check.equal(neuro.heard(), ["startup", "register a", "context [Chess] x"]);
  neuro.action("u1", "a");
  check.equal(fresh.heard(), ["reregister", "action a"]);
});

test("NB23 `replace`: of two working copies the newest gets the game, but after three changes in a minute the old one stays", () => {
  const { scenario, neuro } = opened({ actions: { grace: 0 } });
  let holder = started(scenario, "Chess", "a");
  const winners: boolean[] = [];
  for (let n = 0; n < 4; n++) {
    scenario.pass(1_000);
    holder.context(`${n}`);
    const fresh = scenario.game("Chess").startup().register("a");
    holder.pong();
    const isNewest = scenario.peerOf("Chess") === fresh.peer;
    winners.push(isNewest);
    if (isNewest) holder = fresh;
  }
  check.equal(winners, [true, true, true, false]);
  check.equal(scenario.closed, [], "no socket is closed, because SDKs would reconnect in a loop");
  neuro.action("u1", "a");
  check.equal(holder.heard().at(-1), "action a");
});

test("NB23 `replace`: a copy that has connected less than the grace ago keeps the game when it answers", () => {
  const { scenario, neuro } = opened();
  const first = started(scenario, "Chess", "a");
  const second = scenario.game("Chess").startup().register("b");
  first.pong();
  neuro.action("u1", "a");
  check.equal([first.heard(), second.heard()], [["action a"], []]);
  second.register("c");
  check.equal(neuro.heard(), ["startup", "register a"]);
  check.equal(scenario.observed("input_refused").map(({ fault }) => fault), ["nameTaken"]);
  first.close();
  second.register("c");
  check.equal(neuro.heard(), ["register c"], "and is heard once the game is free");
});

test("NB23b `suffix`: a working copy gets a name, a registry and a prefix of its own", () => {
  const { scenario, neuro } = opened({ integrations: [{ match: "*", on_duplicate: "suffix" }] });
  const first = started(scenario, "Chess", "a");
  scenario.pass(30_000);
  const second = started(scenario, "Chess", otherAction("a"));
  first.pong();
  check.equal(neuro.heard(), ["startup", "register a", "register chess-2--a"]);
  neuro.action("u1", "chess-2--a");
  check.equal([first.heard(), second.heard()], [[], ["action a"]]);
  second.close();
  scenario.pass(10_000);
  check.equal(neuro.heard(), ["unregister chess-2--a", "result u1 false"]);
});

test("NB23c `reject`: messages of a working copy are dropped", () => {
  const { scenario, neuro } = opened({ integrations: [{ match: "*", on_duplicate: "reject" }] });
  const first = started(scenario, "Chess", "a");
  scenario.pass(30_000);
  started(scenario, "Chess", "b");
  first.pong();
  check.equal(neuro.heard(), ["startup", "register a"]);
  check.equal(scenario.observed("taken_over").map(({ winner }) => winner), ["oldest"]);
});

test("NB23d a connection that was on standby and then gets the game is asked to register everything, and its newest force is handled", () => {
  for (const isStarting of [true, false]) {
    const { scenario, neuro } = opened({ integrations: [{ match: "*", on_duplicate: "reject" }] });
    const first = started(scenario, "Chess", "a");
    scenario.pass(30_000);
    const second = isStarting ? started(scenario, "Chess", "b") : scenario.game("Chess").register("b");
    first.pong();
    second.register("c").force(["b"]).force(["c"]);
    second.heard();
    scenario.pass(5_000);
    first.close();
    check.equal(second.heard(), ["reregister"], "once");
    second.register("b", "c");
    scenario.pass(300);
    check.equal(neuro.heard(), ["startup", "register a", "register b c", "force c", "unregister a"]);
  }
});

test("NB23d actions of the copy that lost are unregistered only if the winner does not have them", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a", "b");
  scenario.pass(5_000);
  neuro.heard();
  started(scenario, "Chess", "b", "c");
  scenario.pass(300);
  check.equal(neuro.heard(), ["register c", "unregister a"]);
});
