/** Two sockets that want one game: which of them has it, and what becomes of the other. */
import { test } from "#runner";
import { check } from "../../../harness/check.ts";
import { House, type HouseOptions, otherAction, started } from "./fixture.ts";

function opened(options: HouseOptions = {}): { house: House; neuro: ReturnType<House["neuro"]> } {
  const house = new House(options);
  return { house, neuro: house.neuro().open() };
}

test("NB22 a newcomer has the game at once when the old socket has been silent for 5 s", () => {
  const { house, neuro } = opened();
  const old = started(house, "Chess", "a");
  house.pass(5_000);
  neuro.heard();
  const fresh = house.game("Chess").context("it's me");
  check.equal(neuro.heard(), ["context [Chess] it's me"]);
  neuro.action("u1", "a");
  check.equal([old.heard(), fresh.heard()], [[], ["reregister", "action a"]]);
  check.equal(house.noted("taken_over").map(({ winner }) => winner), ["newest"]);
});

test("NB22 else the old one is asked whether it lives, and the newcomer waits 5 s at most", () => {
  const { house, neuro } = opened();
  const old = started(house, "Chess", "a");
  neuro.action("u1", "a");
  const id = old.lastId();
  house.pass(1_000);
  neuro.heard();
  house.effects.length = 0;
  const fresh = house.game("Chess").context("x").result(true, { id });
  check.equal(house.effects.filter((effect) => effect.do === "ping").length, 1);
  house.pass(4_999);
  check.equal(neuro.heard(), []);
  house.pass(1);
  check.equal(neuro.heard(), ["context [Chess] x", "result u1 true"], "what it said is heard now, in order");
  old.close();
  neuro.action("u2", "a");
  check.equal(fresh.heard(), ["reregister", "action a"], "the old socket's end takes nothing away");
  house.pass(60_000);
  check.equal(neuro.heard(), ["result u2 false"]);
});

test("NB22 an old socket that closes during the contest leaves the game to the newcomer", () => {
  const { house, neuro } = opened();
  const old = started(house, "Chess", "a");
  const fresh = house.game("Chess").context("x");
  old.close();
  check.equal(neuro.heard(), ["startup", "register a", "context [Chess] x"]);
  neuro.action("u1", "a");
  check.equal(fresh.heard(), ["reregister", "action a"]);
});

test("NB23 `replace`: of two living copies the newest has it, but after three changes in a minute the old one stays", () => {
  const { house, neuro } = opened({ actions: { grace: 0 } });
  let holder = started(house, "Chess", "a");
  const winners: boolean[] = [];
  for (let n = 0; n < 4; n++) {
    house.pass(1_000);
    holder.context(`${n}`);
    const fresh = house.game("Chess").startup().register("a");
    holder.pong();
    const isNewest = house.harness.state.games.get("neuro:Chess")?.peer === fresh.peer;
    winners.push(isNewest);
    if (isNewest) holder = fresh;
  }
  check.equal(winners, [true, true, true, false]);
  check.equal(house.closed, [], "nobody's socket is closed: SDKs would come back for ever");
  neuro.action("u1", "a");
  check.equal(holder.heard().at(-1), "action a");
});

test("NB23 `replace`: a copy that has just come stays when it lives", () => {
  const { house, neuro } = opened();
  const first = started(house, "Chess", "a");
  const second = house.game("Chess").startup().register("b");
  first.pong();
  neuro.action("u1", "a");
  check.equal([first.heard(), second.heard()], [["action a"], []]);
  second.register("c");
  check.equal(neuro.heard(), ["startup", "register a"]);
  check.equal(house.noted("input_refused").map(({ fault }) => fault), ["nameTaken"]);
  first.close();
  second.register("c");
  check.equal(neuro.heard(), ["register c"], "and is heard once the game is free");
});

test("NB23 `suffix`: a living copy gets a name, a registry and a prefix of its own", () => {
  const { house, neuro } = opened({ integrations: [{ match: "*", on_duplicate: "suffix" }] });
  const first = started(house, "Chess", "a");
  house.pass(30_000);
  const second = started(house, "Chess", otherAction("a"));
  first.pong();
  check.equal(neuro.heard(), ["startup", "register a", "register chess-2--a"]);
  neuro.action("u1", "chess-2--a");
  check.equal([first.heard(), second.heard()], [[], ["action a"]]);
  second.close();
  house.pass(10_000);
  check.equal(neuro.heard(), ["unregister chess-2--a", "result u1 false"]);
});

test("NB23 `reject`: a living copy is not heard", () => {
  const { house, neuro } = opened({ integrations: [{ match: "*", on_duplicate: "reject" }] });
  const first = started(house, "Chess", "a");
  house.pass(30_000);
  started(house, "Chess", "b");
  first.pong();
  check.equal(neuro.heard(), ["startup", "register a"]);
  check.equal(house.noted("taken_over").map(({ winner }) => winner), ["oldest"]);
});

test("NB23 a copy that was not heard, and then has the game for itself, is asked for all but the force that it waits for", () => {
  for (const isStarting of [true, false]) {
    const { house, neuro } = opened({ integrations: [{ match: "*", on_duplicate: "reject" }] });
    const first = started(house, "Chess", "a");
    house.pass(30_000);
    const second = isStarting ? started(house, "Chess", "b") : house.game("Chess").register("b");
    first.pong();
    second.register("c").force(["b"]).force(["c"]);
    second.heard();
    house.pass(5_000);
    first.close();
    check.equal(second.heard(), ["reregister"], "once");
    second.register("b", "c");
    house.pass(300);
    check.equal(neuro.heard(), ["startup", "register a", "register b c", "force c", "unregister a"]);
  }
});

test("NB23 actions of the copy that lost go only if the survivor does not have them", () => {
  const { house, neuro } = opened();
  started(house, "Chess", "a", "b");
  house.pass(5_000);
  neuro.heard();
  started(house, "Chess", "b", "c");
  house.pass(300);
  check.equal(neuro.heard(), ["register c", "unregister a"]);
});
