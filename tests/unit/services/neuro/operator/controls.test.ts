/** Controls: a person holds one integration, all but one, or all; each control stays until it is lifted. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { otherAction, Scenario, started } from "../fixture.ts";
import { Operator, table } from "./operator-fixture.ts";

const results = (scenario: Scenario) =>
  scenario.observed("action_result").map(({ name, success, origin }) => [name, success, origin]);

test("NB200 the names of a paused integration are unregistered until it is resumed, and Neuro's actions for it fail", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  operator.pause("chess");
  check.equal(neuro.heard(), ["unregister a b"], "what another offers as well stays");
  neuro.action("u1", "a");
  check.equal(neuro.heard(), ["result u1 false"]);
  check.match(String(scenario.observed("action_result").at(-1)?.message), /paused Chess/);
  neuro.action("u2", "wave");
  poker.heard();
  poker.result(true);
  check.equal([chess.heard(), neuro.heard()], [[], ["result u2 true"]]);
  chess.register("c").unregister("b");
  check.equal(neuro.heard(), []);
  check.equal(operator.integration("chess").visible, false);
  operator.pause("chess", false);
  check.equal(neuro.heard(), ["register a c"]);
  neuro.action("u3", "a");
  chess.heard();
  chess.result(true);
  check.equal(neuro.heard(), ["result u3 true"]);
});

test("NB200b a paused integration answers the actions that it received; those that were not sent yet fail", () => {
  const { scenario, neuro, operator, chess } = table();
  neuro.action("u1", "a");
  chess.heard();
  operator.pause("chess");
  check.equal(neuro.heard(), ["unregister a b"]);
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
  operator.pause("chess", false);
  chess.close();
  neuro.action("u2", "b");
  check.equal(neuro.heard(), ["register a b"], "held for its return");
  operator.pause("chess");
  check.equal(neuro.heard(), ["unregister a b", "result u2 false"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
  check.equal(results(scenario), [["a", true, "game"], ["b", false, "operator"]]);
});

test("NB201 the force of a paused integration makes room, waits, and is asked again after the pause", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  chess.force(["a", "b"]);
  poker.force(["bet"]);
  check.equal(neuro.heard(), ["force a b"]);
  operator.pause("chess");
  check.equal(neuro.heard(), ["unregister a b", "force bet"]);
  check.equal(operator.forces().map(({ name, is, waits_for }) => [name, is, waits_for]), [
    ["Poker", "open", null],
    ["Chess", "waiting", "held"],
  ]);
  neuro.action("u1", "a");
  check.equal(neuro.heard(), ["result u1 true"], "no retry of a force that she has lost");
  check.equal(chess.heard(), []);
  neuro.action("u2", "bet");
  poker.heard();
  poker.unregister("bet").result(true);
  check.equal(neuro.heard(), ["unregister bet", "result u2 true"]);
  operator.pause("chess", false);
  check.equal(neuro.heard(), ["register a b", "force a b"]);
  const ends = scenario.observed("force_ended").map(({ integration, end }) => `${integration} ${end}`);
  check.equal(ends, ["Chess held", "Poker completed"]);
});

test("NB201b a force whose action is outstanding ends by its success, or waits again after its failure", () => {
  for (const success of [true, false]) {
    const { scenario, neuro, operator, chess } = table();
    chess.force(["a"]);
    neuro.action("u1", "a");
    chess.heard();
    neuro.heard();
    operator.pause("chess");
    chess.result(success);
    check.equal(neuro.heard(), ["unregister a b", `result u1 ${success}`]);
    scenario.pass(1_000);
    check.equal(operator.forces().length, success ? 0 : 1);
    operator.pause("chess", false);
    check.equal(neuro.heard(), success ? ["register a b"] : ["register a b", "force a"]);
  }
});

test("NB201b resumed before the result: the force is still open, and Neuro is asked again after a failure", () => {
  const { neuro, operator, chess } = table();
  chess.force(["a"]);
  neuro.action("u1", "a");
  chess.heard();
  neuro.heard();
  operator.pause("chess");
  operator.pause("chess", false);
  check.equal(neuro.heard(), ["unregister a b", "register a b"]);
  chess.result(false);
  check.equal(neuro.heard(), ["result u1 false", "force a"]);
});

test("NB201 a force whose name another integration has, too, is withdrawn there as well", () => {
  const { neuro, operator, chess, poker } = table();
  chess.force(["wave"]);
  check.equal(neuro.heard(), ["force wave"]);
  operator.pause("chess");
  check.equal(neuro.heard(), ["unregister a b", "unregister wave", "register wave"]);
  neuro.action("u1", "wave");
  check.equal([chess.heard(), poker.heard()], [[], ["action wave"]]);
  poker.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
});

test("NB202 NB202b contexts of a paused integration wait; those of a muted one are dropped and counted", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  operator.pause("chess");
  neuro.heard();
  chess.context("one").context("two");
  poker.context("hello");
  check.equal(neuro.heard(), ["context [Poker] hello"]);
  operator.pause("chess", false);
  check.equal(neuro.heard(), ["register a b", "context [Chess] one", "context [Chess] two"]);
  chess.close();
  operator.control("poker", { muted: true });
  poker.context("noise");
  operator.control("poker", { muted: false });
  poker.context("again");
  check.equal(neuro.heard(), ["context [Poker] again"]);
  check.equal(scenario.observed("context_dropped").map(({ slug }) => slug), ["poker"]);
  check.equal(operator.integration("poker").counts.contexts, 3);
  operator.pause("poker");
  poker.context("kept");
  operator.control("poker", { muted: true, paused: false });
  check.equal(neuro.heard(), ["unregister bet", "register bet"], "what was held is dropped, too");
});

test("NB203 the kill switch: all actions that Neuro waits for fail once, and later results are ignored", () => {
  const { scenario, neuro, operator, chess, poker } = table();
  poker.force(["bet"]);
  neuro.action("u1", "bet");
  neuro.action("u2", "a");
  neuro.action("u3", "wave");
  neuro.heard();
  operator.stop();
  check.equal(neuro.heard(), ["unregister a b wave bet", "result u1 false", "result u2 false", "result u3 false"]);
  check.equal(operator.pendings(), []);
  for (const game of [chess, poker]) for (const id of game.ids()) game.result(true, { id });
  poker.force(["bet"]);
  chess.context("hm");
  neuro.action("u4", "b");
  check.equal(neuro.heard(), ["result u4 false"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
  started(scenario, "Newcomer", "new").force(["new"]);
  check.equal(neuro.heard(), [], "who comes now is held, too");
  operator.stop(false);
  check.equal(neuro.heard(), ["register a b wave bet new", "force bet", "context [Chess] hm"]);
});

test("NB203b a force whose action was stopped is asked again, unless its game has done the action after all", () => {
  for (const success of [true, false]) {
    for (const isLiftedFirst of [true, false]) {
      const { scenario, neuro, operator, poker } = table();
      poker.force(["bet"]);
      neuro.action("u1", "bet");
      poker.heard();
      neuro.heard();
      operator.stop();
      neuro.action("u2", "bet");
      check.equal(neuro.heard(), ["unregister a b wave bet", "result u1 false", "result u2 true"], "no trying again");
      if (isLiftedFirst) operator.stop(false);
      poker.result(success);
      scenario.pass(1_000);
      if (!isLiftedFirst) operator.stop(false);
      check.equal(
        neuro.heard(),
        ["register a b wave bet", ...(success ? [] : ["force bet"])],
        `${success} ${isLiftedFirst}`,
      );
      check.equal(poker.heard(), [], "only once");
      check.equal(
        scenario.observed("action_result").filter(({ name }) => name === "bet").length,
        2,
        "one for each of Neuro's",
      );
    }
  }
});

test("NB203b a force whose stopped action is never answered is asked again", () => {
  const { scenario, neuro, operator, poker } = table();
  poker.force(["bet"]);
  neuro.action("u1", "bet");
  operator.stop();
  operator.stop(false);
  check.equal(neuro.heard(), ["force bet", "unregister a b wave bet", "result u1 false", "register a b wave bet"]);
  scenario.pass(18_000);
  check.equal(neuro.heard(), ["force bet"]);
  check.equal(scenario.observed("action_expired"), []);
});

test("NB203c a success of a stopped action whose force is over withdraws a later force with the same name", () => {
  const { scenario, neuro, operator, poker } = table();
  poker.force(["bet"]);
  neuro.action("u1", "bet");
  const [force] = operator.forces();
  operator.ask({ do: "cancelForce", force: force?.id ?? "" });
  operator.stop();
  operator.stop(false);
  poker.heard();
  poker.force(["bet"]);
  check.equal(neuro.heard().at(-1), "force bet");
  poker.result(true);
  check.equal(neuro.heard(), ["unregister bet", "register bet"], "Neuro got a failure, and would still answer");
  scenario.pass(500);
  check.equal(operator.forces(), []);
});

test("NB204 while one is solo all others are held, those that connect later, too; several may be solo", () => {
  const { scenario, neuro, operator } = table();
  operator.control("poker", { solo: true });
  check.equal(neuro.heard(), ["unregister a b"]);
  const tetris = started(scenario, "Tetris", "turn");
  check.equal(neuro.heard(), []);
  operator.control("tetris", { solo: true });
  check.equal(neuro.heard(), ["register turn"]);
  operator.control("poker", { solo: false });
  check.equal(neuro.heard(), ["unregister bet wave"]);
  operator.control("tetris", { paused: true });
  check.equal(neuro.heard(), ["unregister turn"], "solo lifts no pause");
  operator.control("tetris", { solo: false, paused: false });
  check.equal(neuro.heard(), ["register a b wave bet turn"]);
  check.equal(tetris.heard(), []);
});

test("NB205 controls stay over a restart, a reconnect of the game and a reconnect of Neuro", () => {
  const { scenario, neuro, operator, chess } = table();
  operator.control("chess", { paused: true, approval: true });
  operator.control("poker", { muted: true });
  chess.force(["a"]);
  chess.close();
  check.equal(started(scenario, "Chess", "a", "b", "wave").heard(), []);
  neuro.drop();
  neuro.reopen();
  check.equal(neuro.heard(), ["startup", "register wave bet"], "only Poker's");
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now + 1_000 });
  const again = new Operator(later);
  const { paused, muted, solo, approval } = again.integration("chess");
  check.equal([paused, muted, solo, approval, again.integration("poker").muted], [true, false, false, true, true]);
  const her = later.neuro().open();
  started(later, "Chess", "a", "b");
  started(later, "Poker", "bet");
  check.equal(her.heard(), ["startup", "register bet"]);
  again.pause("chess", false);
  check.equal(her.heard(), ["register a b"]);
  const last = new Scenario({ entries: later.entries(), now: later.now + 1_000 });
  check.equal(new Operator(last).integration("chess").paused, false);
});

test("NB205 the kill switch and the approval of all stay over a restart, and are written in the same step", () => {
  const { scenario, operator } = table();
  operator.ask({ do: "setGlobalControls", to: { stopped: true, approval: true } });
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now + 1_000 });
  const again = new Operator(later);
  check.equal(again.status().controls, { stopped: true, approval: true, behaviour: null });
  const neuro = later.neuro().open();
  started(later, "Chess", "a");
  check.equal(neuro.heard(), ["startup"]);
  again.ask({ do: "setGlobalControls", to: { stopped: false, approval: false } });
  check.equal(neuro.heard(), ["register a"]);
  const last = new Scenario({ entries: later.entries(), now: later.now + 1_000 });
  check.equal(new Operator(last).status().controls, { stopped: false, approval: false, behaviour: null });
  check.equal([...last.harness.stored.keys()].filter((key) => key.includes("/controls/")), []);
});

test("NB205b a command is answered once its controls are stored, and takes effect before that", () => {
  const { scenario, neuro, operator } = table();
  const call = operator.call({ do: "setControls", id: "chess", to: { paused: true } });
  check.equal(neuro.heard(), ["unregister a b"]);
  const put = scenario.effects.find((effect) => effect.do === "put" && effect.key.startsWith("neuro/game/"));
  check.that(put?.do === "put");
  check.equal(operator.answer(call)?.after, put.key);
  scenario.step({ is: "storeFailed", key: put.key, reason: "full" });
  scenario.pass(5_000);
  const again = scenario.effects.findLast((effect) => effect.do === "put" && effect.key.startsWith("neuro/game/"));
  check.that(again?.do === "put" && again.key !== put.key, "it is tried again");
  check.that(
    operator.answer(operator.call({ do: "setGlobalControls", to: { stopped: false } }))?.after === undefined,
    "nothing new",
  );
});

test("NB205 a paused integration is not forgotten while it is away", () => {
  const { scenario, operator, chess, poker } = table();
  operator.pause("chess");
  chess.close();
  poker.close();
  scenario.pass(3 * 24 * 3_600_000);
  check.equal(operator.fault({ get: "integration", id: "poker" }), "notFound");
  check.equal(operator.integration("chess").paused, true);
  operator.pause("chess", false);
  scenario.pass(24 * 3_600_000);
  check.equal(operator.fault({ get: "integration", id: "chess" }), "notFound");
});

test("NB206 two upstreams: a pause holds an integration at its own, the kill switch at both", () => {
  const scenario = new Scenario({
    neuros: [{ id: "neuro" }, { id: "evil" }],
    integrations: [{ match: "Poker", upstream: "evil" }],
  });
  const [neuro, evil] = [scenario.neuro("neuro").open(), scenario.neuro("evil").open()];
  const operator = new Operator(scenario);
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "a", "bet");
  chess.force(["a"]);
  poker.force(["bet"]);
  check.equal([neuro.heard(), evil.heard()], [["startup", "register a", "force a"], [
    "startup",
    "register a bet",
    "force bet",
  ]]);
  operator.pause("poker");
  check.equal([neuro.heard(), evil.heard()], [[], ["unregister a bet"]]);
  neuro.action("n1", "a");
  operator.stop();
  check.equal([neuro.heard(), evil.heard()], [["unregister a", "result n1 false"], []]);
  chess.heard();
  chess.result(false);
  operator.stop(false);
  check.equal([neuro.heard(), evil.heard()], [["register a", "force a"], []]);
  operator.pause("poker", false);
  check.equal(evil.heard(), ["register a bet", "force bet"]);
});

test("NB207 a shared action with a paused owner goes to the others, and the paused one's result is still awaited", () => {
  const { neuro, operator, chess, poker } = table();
  neuro.action("u1", "wave");
  check.equal([chess.heard(), poker.heard()], [["action wave"], ["action wave"]]);
  operator.pause("chess");
  poker.result(false);
  check.equal(neuro.heard(), ["unregister a b"], "Chess may still answer");
  chess.result(true);
  check.equal(neuro.heard(), ["result u1 true"]);
  neuro.action("u2", "wave");
  check.equal([chess.heard(), poker.heard()], [[], ["action wave"]]);
  poker.result(false);
  check.equal(neuro.heard(), ["result u2 false"]);
});

test("NB208 a definition that was registered while held is the one that Neuro gets", () => {
  const { neuro, operator, chess } = table();
  operator.pause("chess");
  chess.register(otherAction("a"));
  operator.pause("chess", false);
  const [, registered] = neuro.frames();
  check.match(JSON.stringify(registered), /something else/);
});
