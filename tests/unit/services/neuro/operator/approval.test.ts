/** Neuro's actions that wait for a person's approval. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { Scenario, started } from "../fixture.ts";
import { Operator, type Table, table as plainTable } from "./operator-fixture.ts";

/** A table at which Chess needs approval and Poker does not. */
function table(): Table {
  const { neuro, operator, ...others } = plainTable();
  operator.control("chess", { approval: true });
  neuro.heard();
  return { neuro, operator, ...others };
}

const only = (operator: Operator): string => {
  const [pending, ...others] = operator.pendings();
  check.that(pending !== undefined && others.length === 0, "not exactly one pending action");
  return pending.id;
};

test("NB210 an action waits until it is approved, and is then delivered as any other", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  neuro.action("u1", "a", "{}");
  check.equal(chess.heard(), []);
  check.equal(operator.pendings().map(({ is, to, by, data }) => [is, to, by, data]), [[
    "approval",
    ["chess"],
    "neuro",
    "{}",
  ]]);
  check.equal(scenario.observed("approval_wanted").map(({ slugs, name }) => [slugs, name]), [[["chess"], "a"]]);
  check.equal(scenario.observed("action_sent"), []);
  const pending = only(operator);
  check.equal(operator.ask({ do: "decideAction", pending, approve: true }), { body: { status: "approved" } });
  check.equal(chess.heard(), ["action a {}"]);
  check.equal(scenario.observed("action_sent").map(({ id }) => id), [pending]);
  check.equal(operator.fault({ do: "decideAction", pending, approve: true }), "notNow");
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
  check.equal(operator.fault({ do: "decideAction", pending, approve: true }), "notFound");
  neuro.action("u2", "bet");
  check.equal(poker.heard(), ["action bet"]);
});

test("NB210 a rejected action fails with the reason, and is not sent to its game", () => {
  const { scenario, neuro, operator, chess } = table();
  neuro.action("u1", "a");
  check.equal(operator.ask({ do: "decideAction", pending: only(operator), approve: false, message: "Not now." }), {
    body: { status: "rejected" },
  });
  neuro.action("u2", "a");
  operator.ask({ do: "decideAction", pending: only(operator), approve: false });
  check.equal([neuro.heard(), chess.heard()], [["result u1 false", "result u2 false"], []]);
  const messages = scenario.observed("action_result").map(({ message, origin }) => [message, origin]);
  check.equal(messages, [["Not now.", "operator"], ["A person has rejected this action.", "operator"]]);
});

test("NB211 an action without approval fails at its deadline, with a message that says so", () => {
  const { scenario, neuro, operator, chess } = table();
  neuro.action("u1", "a");
  const pending = only(operator);
  scenario.pass(17_500);
  check.equal(
    operator.fault({ do: "decideAction", pending, approve: true }),
    "notNow",
    "no time would be left for the answer",
  );
  check.equal(neuro.heard(), []);
  scenario.pass(500);
  check.equal([neuro.heard(), chess.heard()], [["result u1 false"], []]);
  check.match(String(scenario.observed("action_result").at(-1)?.message), /[Nn]obody approved/);
  check.equal(scenario.observed("action_expired").length, 1);
  check.equal(operator.fault({ do: "decideAction", pending, approve: true }), "notFound");
  const { counts } = operator.integration("chess");
  check.equal([counts.actions, counts.failures], [0, 0], "it was not asked");
});

test("NB211b in the last second before the deadline an action can still be rejected", () => {
  const { scenario, neuro, operator } = table();
  neuro.action("u1", "a");
  scenario.pass(17_999);
  operator.ask({ do: "decideAction", pending: only(operator), approve: false });
  scenario.pass(1_000);
  check.equal(neuro.heard(), ["result u1 false"]);
});

test("NB212 inside a force: rejected, Neuro tries again; approved, the force ends as usual; other forces wait", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  neuro.action("u1", "a");
  operator.ask({ do: "decideAction", pending: only(operator), approve: false });
  check.equal(neuro.heard(), ["force a", "result u1 false"]);
  neuro.action("u2", "a");
  scenario.pass(10_000);
  check.equal(neuro.heard(), []);
  operator.ask({ do: "decideAction", pending: only(operator), approve: true });
  chess.heard();
  chess.unregister("a").result(true);
  check.equal(neuro.heard(), ["unregister a", "result u2 true", "force bet"]);
});

test("NB213 only the owner of a shared action that needs approval waits for it", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  neuro.action("u1", "wave");
  check.equal([chess.heard(), poker.heard()], [[], ["action wave"]]);
  poker.result(false);
  check.equal(neuro.heard(), [], "Chess may still do it");
  operator.ask({ do: "decideAction", pending: only(operator), approve: true });
  chess.heard();
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
  neuro.action("u2", "wave");
  poker.heard();
  poker.result(true);
  check.equal(neuro.heard(), ["result u2 true"]);
  scenario.pass(20_000);
  check.equal([chess.heard(), neuro.heard()], [[], []]);
});

test("NB214 an integration that leaves, is paused or is stopped while its action waits causes one result", () => {
  for (const end of ["grace", "pause", "stop", "startup", "back", "approval off"] as const) {
    const { scenario, neuro, operator, chess } = table();
    neuro.action("u1", "a");
    const pending = only(operator);
    if (end === "grace") chess.close();
    if (end === "pause") operator.pause("chess");
    if (end === "stop") operator.stop();
    if (end === "startup") chess.startup();
    if (end === "approval off") operator.control("chess", { approval: false });
    if (end === "back") {
      chess.close();
      check.equal(operator.ask({ do: "decideAction", pending, approve: true }), { body: { status: "approved" } });
      const again = scenario.game("Chess").startup().register("a", "b", "wave");
      check.equal(again.heard().filter((word) => word.startsWith("action")), ["action a"], "as it was approved");
      again.result(true);
    }
    scenario.pass(60_000);
    operator.call({ do: "decideAction", pending, approve: true });
    scenario.pass(60_000);
    const heard = neuro.heard().filter((word) => word.startsWith("result"));
    check.equal(heard, [`result u1 ${end === "back"}`], end);
    if (end !== "back") check.equal(chess.heard().filter((word) => word.startsWith("action")), [], end);
  }
});

test("NB215 approval can be required for all; a person's actions need none", () => {
  const { neuro, operator, chess, poker } = table();
  operator.ask({ do: "setGlobalControls", to: { approval: true } });
  neuro.action("u1", "bet");
  check.equal(poker.heard(), []);
  const call = operator.call({ do: "sendAction", id: "chess", name: "a" });
  check.equal(chess.heard(), ["action a"]);
  chess.result(true);
  check.equal(operator.answer(call)?.fault, undefined);
  operator.control("chess", { approval: false });
  neuro.action("u2", "a");
  check.equal(chess.heard(), []);
  operator.ask({ do: "setGlobalControls", to: { approval: false } });
  neuro.action("u3", "a");
  check.equal(chess.heard(), ["action a"]);
});

test("NB216 actions of the built-in Neuro need approval, too; a person's answer does not", () => {
  const scenario = new Scenario({ neuros: [] });
  const chess = started(scenario, "Chess", "a");
  const operator = new Operator(scenario);
  operator.control("chess", { approval: true });
  chess.force(["a"]);
  const call = operator.call({ do: "answerForce", force: operator.forceId(), name: "a" });
  const actions = (): readonly string[] => chess.heard().filter((word) => word.startsWith("action"));
  check.equal(actions(), ["action a"]);
  chess.result(true);
  check.equal(operator.answer(call)?.fault, undefined);
  scenario.pass(500);
  chess.force(["a"]);
  scenario.pass(8_000);
  operator.ask({ do: "decideAction", pending: only(operator), approve: false });
  check.equal(actions(), [], "decided again, as Neuro would, and it waits again");
  operator.ask({ do: "decideAction", pending: only(operator), approve: true });
  check.equal(actions(), ["action a"]);
});

/** Chess has an action with a schema, which needs approval, and an action that takes no data. */
function withSchema(): Table {
  const { chess, ...others } = table();
  const schema = { type: "object", properties: { to: { type: "string" } }, required: ["to"] };
  chess.register({ name: "move", description: "Moves.", schema }, { name: "rest", description: "Rests." });
  others.neuro.heard();
  return { chess, ...others };
}

test("NB217 an action is approved with other data, if that fits its schema, and its game gets that", () => {
  const { scenario, neuro, operator, chess } = withSchema();
  neuro.action("u1", "move", `{"to":"e4"}`);
  const pending = only(operator);
  check.equal(operator.fault({ do: "decideAction", pending, approve: true, data: `{"to":1}` }), "badMessage");
  check.equal(operator.fault({ do: "decideAction", pending, approve: true, data: "{" }), "badMessage");
  check.equal([operator.pendings()[0]?.data, chess.heard()], [`{"to":"e4"}`, []], "nothing has changed");
  const answer = operator.ask({ do: "decideAction", pending, approve: true, data: ` {"to":"d4"}` });
  check.equal(answer, { body: { status: "approved" } });
  check.equal(chess.heard(), [`action move {"to":"d4"}`]);
  check.equal(scenario.observed("operator_acted").at(-1)?.did, "approve_edited");
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
  neuro.action("u2", "rest");
  check.equal(
    operator.fault({ do: "decideAction", pending: only(operator), approve: true, data: `{"a":1}` }),
    "badMessage",
  );
  check.equal(operator.ask({ do: "decideAction", pending: only(operator), approve: true, data: "{}" }).fault, undefined);
  check.equal(chess.heard(), ["action rest"]);
});

test("NB217 an action that another integration has got already is not changed", () => {
  const { neuro, operator, chess, poker } = table();
  neuro.action("u1", "wave", "{}");
  check.equal([chess.heard(), poker.heard()], [[], ["action wave {}"]]);
  const pending = only(operator);
  check.equal(operator.fault({ do: "decideAction", pending, approve: true, data: `{"a":1}` }), "notNow");
  check.equal(operator.fault({ do: "decideAction", pending, approve: true }), undefined);
  check.equal(chess.heard(), ["action wave {}"]);
});

test("NB218 actions that are always allowed need no approval, also after a restart, until they are taken off the list", () => {
  const { scenario, neuro, operator, chess } = table();
  const allow = (...names: readonly string[]) =>
    operator.ask({ do: "setControls", id: "chess", to: { always_allowed: names } });
  check.equal(operator.fault({ do: "setControls", id: "chess", to: { always_allowed: ["z"] } }), "notFound");
  check.equal(allow("a", "a").fault, undefined);
  check.equal(scenario.observed("operator_acted").at(-1)?.to, "chess a, a");
  neuro.action("u1", "a");
  neuro.action("u2", "b");
  check.equal(chess.heard(), ["action a"]);
  check.equal(operator.pendings().filter(({ is }) => is === "approval").map(({ action }) => action), ["b"]);
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now + 1_000 });
  const again = new Operator(later);
  check.equal(again.detail("chess").always_allowed, ["a"]);
  const her = later.neuro().open();
  const back = started(later, "Chess", "a", "b");
  her.heard();
  her.action("u3", "a");
  check.equal(back.heard(), ["action a"]);
  again.ask({ do: "setControls", id: "chess", to: { always_allowed: [] } });
  her.action("u4", "a");
  check.equal(back.heard(), []);
});

test("NB219 a force shows its attempt, the failure before, and until when Neuro has time", () => {
  const { scenario, neuro, operator, chess } = table();
  operator.control("chess", { approval: false });
  chess.force(["a"]);
  const { deadline, attempt, last_failure } = operator.forces()[0] ?? {};
  check.equal([deadline, attempt, last_failure], [scenario.now + 120_000, 1, null]);
  scenario.pass(10_000);
  neuro.action("u1", "a");
  chess.result(false, { message: "There is no such square." });
  const [failed] = operator.forces();
  check.equal([failed?.attempt, failed?.last_failure], [2, "There is no such square."]);
  check.equal(failed?.deadline, scenario.now + 15_000, "`actions.retry_timeout`");
  neuro.action("u2", "a");
  chess.result(false, { message: "x".repeat(5_000) });
  check.equal(operator.forces()[0]?.last_failure?.length, 200);
});
