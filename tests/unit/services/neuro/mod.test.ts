/** The shortest path through the service: games register, Neuro acts, a game answers, Neuro reconnects. */
import { test } from "#runner";
import { check } from "../../../harness/check.ts";
import { Scenario, started } from "./fixture.ts";

test("NB1 NC1 two games register, and for Neuro they are one integration", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  started(scenario, "Chess", "move");
  started(scenario, "Poker", "bet", "fold");
  check.equal(neuro.heard(), ["startup", "register move", "register bet fold"]);
});

test("NB2 an action reaches its game under the game's name for it, and the result reaches Neuro under her id", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "move");
  const poker = started(scenario, "Poker", "bet");
  neuro.heard();
  neuro.action("u1", "move", '{"to":"e4"}');
  check.equal(chess.heard(), ['action move {"to":"e4"}']);
  check.equal(poker.heard(), []);
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
});

test("NC2 after a reconnect: startup once, one register of everything alive", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  started(scenario, "Chess", "move");
  started(scenario, "Poker", "bet");
  neuro.heard();
  neuro.drop();
  neuro.reopen();
  check.equal(neuro.heard(), ["startup", "register move bet"]);
});
