/** Messages of Neuro to all games: her session, the end of her speech, and shutdown requests. */
import { test } from "#runner";
import { isObject, type JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeNeuro, Scenario, type ScenarioOptions, started } from "../fixture.ts";

function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: FakeNeuro } {
  const scenario = new Scenario(options);
  const neuro = scenario.neuro().open();
  neuro.heard();
  return { scenario, neuro };
}

const STOPPABLE: ScenarioOptions = { integrations: [{ match: "Safe*", shutdown: true, speech_finished: true }] };

test("NC20 a graceful shutdown is sent to games with the policy for it, and Neuro gets one message that all are ready", () => {
  const { scenario, neuro } = opened(STOPPABLE);
  const [one, two, cpp] = [
    started(scenario, "Safe One", "a"),
    started(scenario, "Safe Two", "b"),
    started(scenario, "C++", "c"),
  ];
  neuro.heard();
  neuro.say("shutdown/graceful", { wants_shutdown: true });
  check.equal([one.heard(), two.heard(), cpp.heard()], [["shutdown/graceful"], ["shutdown/graceful"], []]);
  one.say("shutdown/ready");
  check.equal(neuro.heard(), []);
  two.say("shutdown/ready").say("shutdown/ready");
  check.equal(neuro.heard(), ["shutdown/ready"]);
  neuro.action("u1", "c");
  check.equal(cpp.heard(), ["action c"], "and the relay goes on");
});

test("NC20 a game that leaves is ready, and one that never answers is awaited for 30 s", () => {
  const { scenario, neuro } = opened(STOPPABLE);
  const one = started(scenario, "Safe One", "a");
  started(scenario, "Safe Two", "b");
  neuro.heard();
  neuro.say("shutdown/graceful", { wants_shutdown: true });
  one.close();
  check.equal(neuro.heard(), []);
  scenario.pass(30_000);
  check.equal(neuro.heard().filter((word) => word === "shutdown/ready"), ["shutdown/ready"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NC20 if no game is allowed it, the relay is ready at once", () => {
  const { scenario, neuro } = opened();
  const cpp = started(scenario, "C++", "c");
  neuro.heard();
  neuro.say("shutdown/immediate");
  check.equal([neuro.heard(), cpp.heard()], [["shutdown/ready"], []]);
});

test("NC20 an immediate shutdown leaves 4 s", () => {
  const { scenario, neuro } = opened(STOPPABLE);
  const one = started(scenario, "Safe One", "a");
  neuro.heard();
  neuro.say("shutdown/immediate");
  check.equal(one.heard(), ["shutdown/immediate"]);
  scenario.pass(4_000);
  check.equal(neuro.heard(), ["shutdown/ready"]);
});

test("NC21 a cancellation reaches a game that is ready, too, but not one that has left", () => {
  const { scenario, neuro } = opened(STOPPABLE);
  const [ready, waiting, gone] = ["Ready", "Waiting", "Gone"].map((name) => started(scenario, `Safe ${name}`, name));
  neuro.say("shutdown/graceful", { wants_shutdown: true });
  ready?.say("shutdown/ready");
  gone?.close();
  const back = started(scenario, "Safe Gone", "Gone");
  for (const game of [ready, waiting, back]) game?.heard();
  neuro.say("shutdown/graceful", { wants_shutdown: false });
  check.equal([ready, waiting, back].map((game) => game?.heard()), [["shutdown/graceful"], ["shutdown/graceful"], []]);
  neuro.say("shutdown/graceful", { wants_shutdown: false });
  check.equal(ready?.heard(), [], "once");
});

test("NC21 a cancellation reaches games also after Neuro got the message that all are ready", () => {
  const { scenario, neuro } = opened(STOPPABLE);
  const one = started(scenario, "Safe One", "a");
  neuro.say("shutdown/graceful", { wants_shutdown: true });
  one.say("shutdown/ready").heard();
  neuro.drop();
  neuro.reopen();
  neuro.say("shutdown/graceful", { wants_shutdown: false });
  check.equal(one.heard(), ["shutdown/graceful"]);
});

test("NC21 a cancellation reaches exactly the games that were asked", () => {
  const { scenario, neuro } = opened(STOPPABLE);
  const one = started(scenario, "Safe One", "a");
  neuro.say("shutdown/graceful", { wants_shutdown: true });
  const late = started(scenario, "Safe Late", "b");
  neuro.heard();
  neuro.say("shutdown/graceful", { wants_shutdown: false });
  const wants = one.heardFrames().map(({ data }) => (data as { wants_shutdown: boolean }).wants_shutdown);
  check.equal([wants, late.heard()], [[true, false], []]);
  one.say("shutdown/ready");
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NC22 `speech_finished` is sent to games with the policy for it", () => {
  const { scenario, neuro } = opened(STOPPABLE);
  const [safe, cpp] = [started(scenario, "Safe One", "a"), started(scenario, "C++", "c")];
  neuro.say("speech_finished", { isFinal: true });
  check.equal([safe.heard(), cpp.heard()], [["speech_finished"], []]);
});

test("NC23 Neuro's session goes to all games once it is known, to those that start later, and again when it changes", () => {
  const { scenario, neuro } = opened();
  const early = started(scenario, "Early", "a");
  check.equal(early.heard(), []);
  neuro.introduce("neuro");
  const late = started(scenario, "Late", "b");
  check.equal([early.heard(), late.heard()], [["startup"], ["startup"]]);
  neuro.drop();
  neuro.reopen().introduce("neuro");
  check.equal([early.heard(), late.heard()], [[], []], "the same one again is no news");
  neuro.drop();
  neuro.reopen().introduce("evil");
  const characters = [early, late].map((game) => game.heardFrames().map(characterIn));
  check.equal(characters, [["evil"], ["evil"]]);
  check.equal(scenario.observed("character_changed").map(({ character }) => character), ["neuro", "evil"]);
});

/** The character of Neuro, from the ack of a startup. */
function characterIn({ data }: JsonObject): unknown {
  const session = isObject(data) ? data["session"] : undefined;
  return isObject(session) ? session["characterId"] : undefined;
}

test("NC23 for a backend that sends no session, games get the configured character", () => {
  const { scenario } = opened({ neuros: [{ profile: "randy", character: "evil" }] });
  const game = started(scenario, "Game", "a");
  check.equal(game.heardFrames().map(characterIn), ["evil"]);
});

test("NC24 the actions of a game assigned to one character are not registered while Neuro is the other character", () => {
  const { scenario, neuro } = opened({
    neuros: [{ character: "neuro" }],
    integrations: [{ match: "Pinned", upstream: "neuro" }],
  });
  neuro.introduce("neuro");
  const pinned = started(scenario, "Pinned", "a");
  const free = started(scenario, "Free", "b");
  pinned.force(["a"]);
  check.equal(neuro.heard(), ["register a", "register b", "force a"]);
  neuro.drop();
  neuro.reopen();
  check.equal(neuro.heard(), ["startup", "register a b", "force a"]);
  neuro.introduce("evil");
  check.equal(neuro.heard(), ["unregister a"]);
  pinned.context("held");
  free.context("heard").force(["b"]);
  check.equal(neuro.heard(), ["context [Free] heard", "force b"]);
  neuro.drop();
  neuro.reopen().introduce("neuro");
  check.equal(neuro.heard(), ["startup", "register b", "force b", "register a", "context [Pinned] held"]);
});
