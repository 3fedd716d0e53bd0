/** A person in Neuro's place: sends an action, answers a force or cancels it. */
import { test } from "#runner";
import type { ActionOutcome } from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, Scenario, started } from "../fixture.ts";
import { type Answer, Operator, table, type Wanted } from "./operator-fixture.ts";

/** The outcome that a call was answered by. */
function outcome(answer: Answer | undefined): ActionOutcome {
  check.that(answer?.body !== undefined, `no outcome: ${JSON.stringify(answer)}`);
  return answer.body as unknown as ActionOutcome; // Why the cast: declared so.
}

const actions = (game: FakeGame): readonly string[] => game.heard().filter((word) => word.startsWith("action "));

test("NB220 a person's action goes to one integration only, and its result to that person only", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  const call = operator.call({ do: "sendAction", id: "chess", name: "wave" });
  check.equal([actions(chess), actions(poker), operator.answer(call)], [["action wave"], [], undefined]);
  check.equal(operator.pendings().map(({ by, to, is, forced }) => [by, to, is, forced]), [[
    "operator",
    ["chess"],
    "sent",
    false,
  ]]);
  scenario.pass(300);
  chess.result(true, { message: "hello" });
  const { success, message, ms, id } = outcome(operator.answer(call));
  check.equal([success, message, ms, id], [true, "hello", 300, scenario.observed("action_sent")[0]?.id]);
  chess.result(true);
  scenario.pass(60_000);
  check.equal([neuro.heard(), operator.pendings()], [[], []]);
  check.equal(scenario.observed("result_ignored").map(({ why }) => why), ["twice"]);
});

test("NB220 a manual action ends at its deadline, or with its integration; Neuro's own actions are not affected", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  neuro.action("u1", "a");
  const late = operator.call({ do: "sendAction", id: "chess", name: "b" });
  const gone = operator.call({ do: "sendAction", id: "poker", name: "bet" });
  chess.heard();
  const [first = ""] = chess.ids();
  chess.result(true, { id: first });
  check.equal(neuro.heard(), ["result u1 true"]);
  poker.close();
  scenario.pass(10_000);
  check.equal(outcome(operator.answer(gone)).success, false);
  check.match(String(outcome(operator.answer(gone)).message), /disconnected/);
  scenario.pass(8_000);
  check.equal(outcome(operator.answer(late)).success, false);
  check.equal(neuro.heard().filter((word) => word.startsWith("result")), []);
});

test("NB220 a manual action works while its integration is paused, and while Neuro is away", () => {
  const { neuro, operator, chess } = table();
  operator.pause("chess");
  const paused = operator.call({ do: "sendAction", id: "chess", name: "a" });
  chess.heard();
  operator.stop();
  neuro.drop();
  chess.result(true);
  check.equal(outcome(operator.answer(paused)).success, true, "the kill switch is for what Neuro does");
  const away = operator.call({ do: "sendAction", id: "chess", name: "b" });
  chess.heard();
  neuro.reopen();
  chess.result(false, { message: "no" });
  check.equal([outcome(operator.answer(away)).success, outcome(operator.answer(away)).message], [false, "no"]);
  check.equal(neuro.heard(), ["startup"]);
});

test("NB221 an action that cannot be sent is refused with the reason", () => {
  const { scenario, operator, chess } = table();
  const schema = { type: "object", properties: { x: { type: "integer" } }, required: ["x"] };
  chess.register({ name: "move", description: "moves", schema });
  const refusals: [Wanted, string, RegExp][] = [
    [{ do: "sendAction", id: "nobody", name: "a" }, "notFound", /nobody/],
    [{ do: "sendAction", id: "chess", name: "bet" }, "notFound", /Chess has no action bet/],
    [{ do: "sendAction", id: "chess", name: "move", data: "{" }, "badMessage", /JSON/],
    [{ do: "sendAction", id: "chess", name: "move", data: '{"x":"y"}' }, "badMessage", /x/],
    [{ do: "sendAction", id: "chess", name: "move" }, "badMessage", /x/],
    [{ do: "sendAction", id: "chess", name: "a", data: '{"x":1}' }, "badMessage", /takes no data/],
  ];
  for (const [wanted, fault, reason] of refusals) {
    const answer = operator.ask(wanted);
    check.equal(answer.fault, fault, JSON.stringify(wanted));
    check.match(String(answer.reason), reason);
  }
  check.equal(actions(chess), []);
  operator.call({ do: "sendAction", id: "chess", name: "move", data: '{"x":1}' });
  check.equal(actions(chess), ['action move {"x":1}']);
  for (let n = 1; n < 32; n++) check.equal(operator.fault({ do: "sendAction", id: "chess", name: "a" }), undefined);
  check.equal(operator.fault({ do: "sendAction", id: "chess", name: "a" }), "rateLimit");
  chess.close();
  check.equal(operator.fault({ do: "sendAction", id: "chess", name: "a" }), "notNow");
  scenario.step({ is: "draining", until: scenario.now + 5_000 });
  check.equal(operator.fault({ do: "sendAction", id: "chess", name: "a" }), "restarting");
});

test("NB5b the status lists waiting forces in the order in which they are asked", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  const [go, snake] = [started(scenario, "Go", "stone"), started(scenario, "Snake", "turn")];
  chess.force(["a"]);
  poker.force(["bet"]);
  go.force(["stone"], { priority: "critical" });
  snake.force(["turn"], { priority: "high" });
  operator.pause("go");
  const shown = () => operator.forces().map(({ name, waits_for }) => [name, waits_for]);
  check.equal(shown(), [["Chess", null], ["Snake", "turn"], ["Poker", "turn"], ["Go", "held"]]);
  operator.pause("go", false);
  check.equal(shown().map(([name]) => name), ["Chess", "Go", "Snake", "Poker"]);
  neuro.heard();
  while (operator.forces().length > 0) {
    operator.ask({ do: "cancelForce", force: operator.forces()[0]?.id ?? "" });
    scenario.pass(500);
  }
  check.equal(neuro.heard().filter((word) => word.startsWith("force")), ["force stone", "force turn", "force bet"]);
});

test("NB222 a force that a person answered ends for Neuro with the success; her actions for it are not delivered", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  chess.force(["a", "wave"]);
  poker.force(["bet"]);
  const call = operator.call({ do: "answerForce", force: scenario.observed("force_opened")[0]?.id ?? "", name: "a" });
  check.equal([actions(chess), neuro.heard()], [["action a"], ["force a wave"]]);
  check.equal(operator.forces().map(({ is, waits_for }) => [is, waits_for]), [["open", "result"], [
    "waiting",
    "turn",
  ]]);
  neuro.action("u1", "wave");
  check.equal([neuro.heard(), actions(chess)], [["result u1 false"], []], "it is being answered");
  chess.result(true);
  check.equal(outcome(operator.answer(call)).success, true);
  check.equal(neuro.heard(), ["unregister a wave", "register a wave"]);
  neuro.action("u2", "a");
  check.equal([neuro.heard(), actions(chess)], [["result u2 true"], []], "it was under way");
  scenario.pass(500);
  check.equal(neuro.heard(), ["force bet"]);
  neuro.action("u3", "a");
  check.equal(actions(chess), ["action a"], "a new use of it");
  const ends = scenario.observed("force_ended").map(({ slug, end, id }) => [slug, end, id]);
  check.equal(ends, [["chess", "completed", scenario.observed("force_opened")[0]?.id]]);
});

test("NB222b a failure leaves the force to Neuro, or to another try", () => {
  const { scenario, neuro, operator, chess } = table();
  chess.force(["a"]);
  const first = operator.call({ do: "answerForce", force: operator.forceId(), name: "a" });
  check.equal(operator.fault({ do: "answerForce", force: operator.forceId(), name: "a" }), "notNow");
  actions(chess);
  chess.result(false, { message: "illegal" });
  check.equal(outcome(operator.answer(first)).message, "illegal");
  check.equal(neuro.heard(), ["force a"], "she has it still");
  neuro.action("u1", "a");
  check.equal(operator.fault({ do: "answerForce", force: operator.forceId(), name: "a" }), "notNow");
  check.equal(actions(chess), ["action a"]);
  chess.result(true);
  check.equal(operator.fault({ do: "cancelForce", force: operator.forceId() }), "notNow");
  scenario.pass(500);
  check.equal([neuro.heard(), operator.forces()], [["result u1 true"], []]);
});

test("NB222 a game that leaves while a person answers its force: one result, and the force ends", () => {
  const { scenario, neuro, operator, chess } = table();
  chess.force(["a"]);
  const call = operator.call({ do: "answerForce", force: operator.forceId(), name: "a" });
  chess.close();
  scenario.pass(60_000);
  check.equal(outcome(operator.answer(call)).success, false);
  check.equal(neuro.heard(), ["force a", "unregister a b"]);
  check.equal(scenario.observed("force_ended").map(({ end }) => end), ["game_gone"]);
});

test("NB223 a waiting force is answered without a message to Neuro", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  const waiting = operator.forces().find(({ is }) => is === "waiting")?.id ?? "";
  const failed = operator.call({ do: "answerForce", force: waiting, name: "bet" });
  actions(poker);
  poker.result(false);
  check.equal(outcome(operator.answer(failed)).success, false);
  const call = operator.call({ do: "answerForce", force: waiting, name: "bet" });
  neuro.action("u1", "a");
  chess.heard();
  chess.unregister("a").result(true);
  check.equal(neuro.heard(), ["force a", "unregister a", "result u1 true"], "it is not asked while it is being answered");
  actions(poker);
  poker.result(true);
  check.equal(outcome(operator.answer(call)).success, true);
  scenario.pass(60_000);
  check.equal([neuro.heard(), operator.forces()], [[], []]);
  check.equal(scenario.observed("force_ended").map(({ slug, end }) => [slug, end]), [["chess", "completed"], [
    "poker",
    "completed",
  ]]);
});

test("NB223 so is a held one, and one while Neuro is away; none is asked again after a restart", () => {
  const { scenario, neuro, operator, chess } = table();
  operator.pause("chess");
  chess.force(["a"]);
  operator.call({ do: "answerForce", force: operator.forceId(), name: "a" });
  actions(chess);
  chess.result(true);
  check.equal(operator.forces(), []);
  neuro.drop();
  chess.force(["b"]);
  operator.pause("chess", false);
  operator.call({ do: "answerForce", force: operator.forceId(), name: "b" });
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now + 1_000 });
  later.game("Chess").register("a", "b", "wave");
  check.equal(later.neuro().open().heard(), ["startup", "register a b wave"], "it may have done it");
});

test("NB223 NB15d a waiting force that a person answered ends although its game sends no result", () => {
  const { scenario, operator, chess, poker } = table();
  poker.force(["bet"]);
  chess.force(["a"]);
  const waiting = operator.forces().find(({ integration }) => integration === "chess");
  operator.call({ do: "answerForce", force: waiting?.id ?? "", name: "a" });
  chess.context("a is done");
  scenario.pass(2_000);
  check.equal(operator.forces().map(({ integration }) => integration), ["poker"]);
});

test("NB224 a cancelled force ends at once, for Neuro, too, and her actions for it are not delivered", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  chess.force(["a", "b"]);
  poker.force(["bet"]);
  const [open, waiting] = operator.forces();
  check.equal(operator.ask({ do: "cancelForce", force: waiting?.id ?? "" }), { body: { status: "vetoed" } });
  check.equal(operator.ask({ do: "cancelForce", force: open?.id ?? "" }), { body: { status: "vetoed" } });
  check.equal(neuro.heard(), ["force a b", "unregister a b", "register a b"]);
  neuro.action("u1", "b");
  check.equal([neuro.heard(), actions(chess)], [["result u1 true"], []]);
  check.equal(operator.fault({ do: "cancelForce", force: open?.id ?? "" }), "notNow");
  scenario.pass(500);
  check.equal(operator.fault({ do: "cancelForce", force: open?.id ?? "" }), "notFound");
  const ends = scenario.observed("force_ended").map(({ slug, end, id }) => [slug, end, id]);
  check.equal(ends, [["poker", "cancelled", waiting?.id], ["chess", "cancelled", open?.id]]);
  check.equal(poker.heard().filter((word) => word.startsWith("action")), []);
  poker.force(["bet"]);
  check.equal(neuro.heard(), ["force bet"]);
});

test("NB224 an overdue force is not sent again after it was cancelled", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  chess.force(["a"]);
  scenario.pass(130_000);
  operator.ask({ do: "cancelForce", force: operator.forceId() });
  poker.force(["bet"]);
  check.equal(neuro.heard(), ["force a", "unregister a", "register a"]);
  scenario.pass(500);
  check.equal(neuro.heard(), ["force bet"]);
});

test("NB224 a force is cancelled while Neuro's action is with the game: Neuro gets its result once", () => {
  const { scenario, neuro, operator, chess } = table();
  chess.force(["a"]);
  neuro.action("u1", "a");
  chess.heard();
  operator.ask({ do: "cancelForce", force: operator.forceId() });
  chess.result(false);
  scenario.pass(60_000);
  check.equal(neuro.heard(), ["force a", "unregister a", "register a", "result u1 false"]);
  check.equal(scenario.observed("force_ended").map(({ end }) => end), ["cancelled"]);
});

test("NB225 a person's action that is in the force of the same game ends the force if it succeeds", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  chess.force(["wave"]);
  operator.call({ do: "sendAction", id: "poker", name: "wave" });
  actions(poker);
  poker.result(true);
  check.equal(neuro.heard(), ["force wave"], "another's does not");
  operator.call({ do: "sendAction", id: "chess", name: "a" });
  actions(chess);
  chess.result(true);
  check.equal(neuro.heard(), [], "nor does another action");
  operator.call({ do: "sendAction", id: "chess", name: "wave" });
  actions(chess);
  chess.result(true);
  check.equal(neuro.heard(), ["unregister wave", "register wave"]);
  scenario.pass(500);
  check.equal(scenario.observed("force_ended").map(({ end }) => end), ["completed"]);
});

test("NB226 for the built-in Neuro an answer is a choice, and a failed one is decided again", () => {
  const scenario = new Scenario({ neuros: [] });
  const chess = started(scenario, "Chess", "a", "b");
  const operator = new Operator(scenario);
  chess.force(["a", "b"]);
  const call = operator.call({ do: "answerForce", force: operator.forceId(), name: "b" });
  check.equal(actions(chess), ["action b"]);
  chess.result(false, { message: "no" });
  check.equal([outcome(operator.answer(call)).success, outcome(operator.answer(call)).message], [false, "no"]);
  scenario.pass(8_000);
  check.equal(actions(chess).length, 1, "the relay decides");
  chess.result(true);
  scenario.pass(500);
  check.equal(operator.forces(), []);
  chess.force(["a"]);
  operator.ask({ do: "cancelForce", force: operator.forceId() });
  scenario.pass(20_000);
  check.equal([actions(chess), operator.forces()], [[], []]);
});
