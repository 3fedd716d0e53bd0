/** Forces: Neuro has one, all others wait, and each ends with a reason. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, Scenario, type ScenarioOptions, started } from "../fixture.ts";

interface Table {
  readonly scenario: Scenario;
  readonly neuro: ReturnType<Scenario["neuro"]>;
  readonly chess: FakeGame;
  readonly poker: FakeGame;
}

/** Two games and a Neuro, everything registered. */
function table(options: ScenarioOptions = {}): Table {
  const scenario = new Scenario(options);
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "a", "b");
  const poker = started(scenario, "Poker", "bet", "fold");
  neuro.heard();
  return { scenario, neuro, chess, poker };
}

const ends = (scenario: Scenario): readonly string[] =>
  scenario.observed("force_ended").map(({ integration, end }) => `${integration} ${end}`);

test("NB3 names unregistered inside a force are unregistered before its result is sent, and the next force is sent after it", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a", "b"]);
  poker.force(["bet"]);
  neuro.action("u1", "a");
  check.equal(neuro.heard(), ["force a b"]);
  chess.unregister("a", "b").result(true);
  check.equal(neuro.heard(), ["unregister a b", "result u1 true", "force bet"]);
  check.equal(ends(scenario), ["Chess completed"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NB4 NB4b a failure after all names are gone ends the force, and no retry is delivered", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  neuro.action("u1", "a");
  chess.heard();
  chess.unregister("a").result(false);
  check.equal(neuro.heard(), ["force a", "unregister a", "result u1 false"]);
  neuro.action("u2", "a");
  check.equal(neuro.heard(), ["result u2 true"], "while the slot is being freed");
  scenario.pass(500);
  check.equal(neuro.heard(), ["force bet"]);
  neuro.action("u3", "a");
  check.equal(neuro.heard(), ["result u3 true"], "while another force is open");
  check.equal(chess.heard(), []);
  check.equal(ends(scenario), ["Chess names_gone"]);
});

test("NB4 a force whose names are unregistered before an answer ends after 500 ms", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  chess.unregister("a");
  scenario.pass(499);
  check.equal(neuro.heard(), ["force a", "unregister a"]);
  scenario.pass(1);
  check.equal(neuro.heard(), ["force bet"]);
});

test("NB5 NB6 one force at a time, by priority and then arrival; a newer one replaces its game's waiting one", () => {
  const { scenario, neuro, chess, poker } = table();
  const tetris = started(scenario, "Tetris", "turn");
  neuro.heard();
  tetris.force(["turn"]);
  chess.force(["a"], { priority: "low" });
  poker.force(["bet"], { priority: "high" });
  chess.force(["b"], { priority: "low" });
  check.equal(neuro.heard(), ["force turn"]);
  neuro.action("u1", "turn");
  tetris.unregister("turn").result(true);
  check.equal(neuro.heard(), ["unregister turn", "result u1 true", "force bet"]);
  neuro.action("u2", "bet");
  poker.unregister("bet").result(true);
  check.equal(neuro.heard(), ["unregister bet", "result u2 true", "force b"]);
  check.equal(ends(scenario), ["Chess replaced", "Tetris completed", "Poker completed"]);
});

test("NB6b a game's newer force replaces the one that Neuro has at once", () => {
  const { scenario, neuro, chess } = table();
  chess.force(["a"]);
  scenario.pass(30_000);
  chess.force(["b"]);
  check.equal(neuro.heard(), ["force a", "unregister a", "register a", "force b"]);
  check.equal(ends(scenario), ["Chess replaced"]);
  neuro.action("u1", "b");
  chess.result(true);
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u1 true"]);
  check.equal(ends(scenario), ["Chess replaced", "Chess completed"]);
});

test("NB6c the newer force waits while an action of the older one is with the game, and is sent before any retry of it", () => {
  for (const success of [true, false]) {
    const { scenario, neuro, chess } = table();
    chess.force(["a"]);
    neuro.action("u1", "a");
    chess.force(["b"], { priority: "critical" });
    check.equal(neuro.heard(), ["force a"]);
    chess.result(success);
    scenario.pass(500);
    const replacement = success ? ["force b"] : ["unregister a", "register a", "force b"];
    check.equal(neuro.heard(), [`result u1 ${success}`, ...replacement]);
    check.equal(ends(scenario), [success ? "Chess completed" : "Chess replaced"]);
  }
});

test("NB6b the newer force replaces the older one once its names are registered, or after `actions.await_names`", () => {
  const { scenario, neuro, chess } = table();
  chess.force(["a"]).force(["later"]);
  check.equal(neuro.heard(), ["force a"]);
  chess.register("later");
  check.equal(neuro.heard(), ["register later", "unregister a", "register a", "force later"]);
  chess.force(["a", "never"]);
  scenario.pass(2_000);
  check.equal(neuro.heard(), ["unregister later", "register later", "force a"]);
});

test("NB6d NB39 a game that repeats its force does not renew the time that Neuro has to answer", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  const asked: string[] = [];
  for (let seconds = 0; seconds < 300 && !asked.includes("force bet"); seconds += 30) {
    scenario.pass(30_000);
    chess.force([seconds % 60 === 0 ? "b" : "a"]);
    asked.push(...neuro.heard());
  }
  check.that(asked.includes("force bet"), "Poker never had its turn");
});

test("NB6b an overdue force is replaced by its game's newer one, without being repeated first", () => {
  const { scenario, neuro, chess } = table();
  chess.force(["a"]);
  scenario.pass(130_000);
  neuro.heard();
  chess.force(["b"]);
  check.equal(neuro.heard(), ["unregister a", "register a", "force b"]);
});

test("NB7 a game whose forces are always critical does not block the others", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"], { priority: "critical" });
  poker.force(["bet"], { priority: "low" });
  const asked: string[] = [];
  for (let round = 0; round < 10; round++) {
    asked.push(...neuro.heard().filter((word) => word.startsWith("force")));
    if (asked.includes("force bet")) break;
    neuro.action(`u${round}`, "a");
    chess.force(["a"], { priority: "critical" });
    chess.result(true);
    scenario.pass(10_000);
  }
  check.equal(asked.at(-1), "force bet");
  check.that(asked.length <= 7, `after ${asked.length} forces`);
});

test("NB7b with equal urgency, the game whose last force is longest ago is next", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  neuro.action("u1", "a");
  scenario.pass(1);
  chess.force(["b"]);
  scenario.pass(1);
  poker.force(["bet"]);
  chess.result(true);
  scenario.pass(500);
  check.equal(neuro.heard(), ["force a", "result u1 true", "force bet"]);
});

test("NB7c a priority is at most the `priority_max` of its policy", () => {
  const { neuro, chess } = table({ integrations: [{ match: "Ch*s", priority_max: "medium" }] });
  chess.force(["a"], { priority: "critical" });
  check.equal(neuro.frames().map(({ data }) => (data as { priority: string }).priority), ["medium"]);
});

test("NB9 after a success the force settles: its names may still be used, and no other force is sent", () => {
  const { scenario, neuro, chess, poker } = table();
  neuro.action("u1", "a");
  chess.force(["a"]);
  poker.force(["bet"]);
  chess.result(true);
  check.equal(neuro.heard(), ["force a", "result u1 true"]);
  neuro.action("u2", "a");
  check.equal(chess.ids().length, 2, "delivered, once each");
  chess.result(true);
  check.equal(neuro.heard(), ["result u2 true"]);
  scenario.pass(500);
  check.equal(neuro.heard(), ["force bet"]);
  check.equal(ends(scenario), ["Chess completed"]);
});

test("NB9b a name that is unregistered while the force settles ends it at once, and the relay answers for it", () => {
  const { neuro, chess, poker } = table();
  neuro.action("u1", "a");
  chess.force(["a"]);
  poker.force(["bet"]);
  chess.result(true);
  chess.heard();
  chess.unregister("a");
  check.equal(neuro.heard(), ["force a", "result u1 true", "unregister a", "force bet"]);
  neuro.action("u2", "a");
  check.equal(neuro.heard(), ["result u2 true"]);
  check.equal(chess.heard(), []);
});

test("NB8b after a failure inside a force Neuro may retry, and the failure is sent as the game sent it", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  neuro.heard();
  for (const id of ["u1", "u2"]) {
    neuro.action(id, "a");
    chess.result(false);
    check.equal(neuro.heard(), [`result ${id} false`]);
  }
  scenario.pass(10_000);
  check.equal(neuro.heard(), []);
});

test("NB17 a force that arrives before its names are registered waits for them", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["later"]);
  check.equal(neuro.heard(), []);
  poker.force(["bet"]);
  check.equal(neuro.heard(), ["force bet"], "without holding up the others");
  neuro.action("u1", "bet");
  poker.unregister("bet").result(true);
  chess.register("later");
  check.equal(neuro.heard(), ["unregister bet", "result u1 true", "register later", "force later"]);
  check.equal(scenario.observed("force_opened").length, 2);
});

test("NB17b after 2 s the force is sent with the registered names, or ends", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a", "never"]);
  poker.force(["nothing"]);
  scenario.pass(1_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["force a"]);
  neuro.action("u1", "a");
  chess.unregister("a").result(true);
  check.equal(ends(scenario), ["Chess completed", "Poker names_gone"]);
});

test("NB17c names that are never registered are reported to the developer once; names that were unregistered are not", () => {
  const { scenario, chess, poker } = table();
  chess.force(["a", "never", "ever"]);
  poker.force(["bet"]);
  poker.unregister("bet");
  scenario.pass(2_000);
  chess.force(["never"]);
  scenario.pass(200_000);
  check.equal(scenario.observed("input_repaired"), [{
    is: "input_repaired",
    from: "Chess",
    what: "force_names_unknown",
    hint: "register an action before you force it; not registered: never, ever",
  }]);
});

test("NB17d a force waits while its names may be registered again after `actions/reregister_all`", () => {
  for (const isRegisteredAgain of [true, false]) {
    const scenario = new Scenario();
    const chess = started(scenario, "Chess", "a", "move").force(["move"]);
    chess.close();
    const back = scenario.game("Chess").context("back").register("a");
    const neuro = scenario.neuro().open();
    check.equal(ends(scenario), []);
    if (isRegisteredAgain) back.register("a", "move");
    scenario.pass(300);
    check.equal(neuro.heard().includes("force move"), isRegisteredAgain);
    check.equal(ends(scenario), isRegisteredAgain ? [] : ["Chess names_gone"]);
  }
});

test("NB39 NB39b a force without an answer is sent once more when others wait, and then is queued last", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"], { priority: "critical" });
  scenario.pass(130_000);
  check.equal(neuro.heard(), ["force a"], "nobody waits, so nothing is given up");
  check.equal(scenario.observed("upstream_silent").length, 1);
  poker.force(["bet"]);
  check.equal(neuro.heard(), ["force a"], "asked again as soon as somebody waits");
  scenario.pass(120_000);
  check.equal(neuro.heard(), ["unregister a", "register a", "force bet"]);
  check.equal(ends(scenario), ["Chess expired"]);
  neuro.action("u1", "bet");
  poker.unregister("bet").result(true);
  check.equal(neuro.heard(), ["unregister bet", "result u1 true", "force a"]);
});

test("NB39 a force is not overdue while one of its actions is with the game", () => {
  const { scenario, neuro, chess, poker } = table({ neuros: [{ action_deadline: 1_000_000 }] });
  chess.force(["a"]);
  poker.force(["bet"]);
  scenario.pass(119_000);
  neuro.action("u1", "a");
  scenario.pass(60_000);
  check.equal(neuro.heard(), ["force a"]);
});

test("NB46 when Neuro does not try again after a failure, others wait for `actions.retry_timeout` only", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  for (const id of ["u1", "u2"]) {
    scenario.pass(14_999);
    neuro.action(id, "a");
    chess.result(false);
  }
  neuro.heard();
  scenario.pass(14_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["unregister a", "register a", "force bet"]);
  check.equal(ends(scenario), ["Chess given_up"]);
  neuro.action("u3", "bet");
  poker.unregister("bet").result(true);
  check.equal(neuro.heard(), ["unregister bet", "result u3 true", "force a"], "it comes last");
});

test("NB46 `actions.retry_timeout` can be set, and a force alone is not given up", () => {
  const { scenario, neuro, chess, poker } = table({ actions: { retry_timeout: 3_000 } });
  chess.force(["a"]);
  neuro.action("u1", "a");
  chess.result(false);
  scenario.pass(60_000);
  check.equal([neuro.heard(), ends(scenario)], [["force a", "result u1 false"], []]);
  poker.force(["bet"]);
  check.equal(neuro.heard(), ["unregister a", "register a", "force bet"], "as soon as another one waits");
});

test("NB46b failures do not extend the time of a force: with others waiting, `actions.force_timeout` is the limit", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  poker.force(["bet"]);
  let tries = 0;
  for (; tries < 60 && ends(scenario).length === 0; tries++) {
    neuro.action(`u${tries}`, "a");
    scenario.pass(5_000);
    chess.result(false);
  }
  check.equal(ends(scenario), ["Chess given_up"]);
  check.equal(tries, 24, "after 120 s");
});

test("NB46c the built-in Neuro gives up at once after its last failure", () => {
  const scenario = new Scenario({ neuros: [] });
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "bet");
  chess.force(["a"]);
  poker.force(["bet"]);
  scenario.pass(8_000);
  for (let tries = 0; tries < 20 && ends(scenario).length === 0; tries++) chess.result(false);
  check.equal(ends(scenario), ["Chess given_up"]);
  scenario.pass(8_000);
  check.equal(poker.heard().filter((word) => word.startsWith("action")), ["action bet"]);
});

test("NB8 NB8d forces beyond the limit are refused", () => {
  const scenario = new Scenario({ settings: {} });
  const neuro = scenario.neuro().open();
  started(scenario, "First", "a").force(["a"]);
  for (let n = 0; n < 257; n++) scenario.game(`G${n}`).startup().force(["x"]);
  check.equal(ends(scenario), ["G256 refused"]);
  check.equal(neuro.heard().filter((word) => word.startsWith("force")), ["force a"]);
});

test("NB8c queries are attributed, the state is not, and Neuro gets what the game sent", () => {
  const { neuro, chess } = table();
  chess.say("actions/force", {
    query: "your move",
    state: "board",
    ephemeral_context: true,
    priority: "high",
    action_names: ["a", "b"],
  });
  check.equal(neuro.frames(), [{
    command: "actions/force",
    game: "Relay Integration",
    data: {
      state: "board",
      query: "[Chess] your move",
      ephemeral_context: true,
      priority: "high",
      action_names: ["a", "b"],
    },
  }]);
});

test("NB26b when a definition in the open force changes, Neuro is asked again", () => {
  const { scenario, neuro, chess } = table();
  chess.force(["a"]);
  neuro.heard();
  chess.register({ name: "a", description: "changed" });
  check.equal(neuro.heard(), ["unregister a", "register a", "force a"]);
  neuro.action("u1", "a");
  chess.result(true);
  check.equal(ends(scenario), []);
  scenario.pass(500);
  check.equal(ends(scenario), ["Chess completed"]);
});

test("NB9c a success by a name that Neuro was not given leaves the force open", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.force(["a"]);
  neuro.action("u1", "a");
  neuro.action("u2", "a");
  const [first = "", second = ""] = chess.ids();
  chess.unregister("a").force(["a", "b"]).result(true, { id: first });
  scenario.pass(5_000);
  check.equal(neuro.heard(), ["force a", "unregister a", "result u1 true", "force b"]);
  chess.result(true, { id: second });
  poker.force(["bet"]);
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u2 true"], "Neuro still has the force");
  neuro.action("u3", "b");
  chess.result(true);
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u3 true", "force bet"]);
});

test("NB9d a success by a name of the force that was registered later ends the force, and withdraws it from Neuro", () => {
  const { scenario, neuro, chess, poker } = table();
  chess.unregister("b").force(["a", "b"]);
  scenario.pass(5_000);
  chess.register("b");
  poker.force(["bet"]);
  scenario.pass(500);
  neuro.heard();
  neuro.action("u1", "b");
  chess.result(true);
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u1 true", "unregister a", "register a", "force bet"]);
  check.equal(ends(scenario), ["Chess completed"]);
});

test("NB9e a success by a name of a force that waits completes it, unless the action is older than the force", () => {
  const { scenario, neuro, chess, poker } = table();
  poker.force(["bet"]);
  neuro.action("u1", "a");
  scenario.pass(1);
  chess.force(["a", "b"]);
  chess.result(true);
  check.equal(ends(scenario), []);
  neuro.action("u2", "b");
  chess.result(false);
  check.equal(ends(scenario), []);
  neuro.action("u3", "b");
  chess.result(true);
  check.equal(ends(scenario), ["Chess completed"]);
});
