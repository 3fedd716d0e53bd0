/** Policies: a `critical` force takes the place of the one that Neuro has. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, Scenario, type ScenarioOptions, started } from "../fixture.ts";

interface Table {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly chess: FakeGame;
  readonly alarm: FakeGame;
}

const PREEMPTS = [{ match: "Alarm", critical_preempts: true }];

function table(options: ScenarioOptions = { integrations: PREEMPTS }): Table {
  const scenario = new Scenario(options);
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "move", "look");
  const alarm = started(scenario, "Alarm", "flee");
  neuro.heard();
  return { scenario, neuro, chess, alarm };
}

const ends = (scenario: Scenario): readonly string[] =>
  scenario.observed("force_ended").map(({ integration, end }) => `${integration} ${end}`);

const CRITICAL = { priority: "critical" };

test("NB330 with `critical_preempts` a critical force takes the place of the one that Neuro has, which waits again", () => {
  const { scenario, neuro, chess, alarm } = table();
  chess.force(["move", "look"], { priority: "high" });
  neuro.heard();
  alarm.force(["flee"], CRITICAL);
  check.equal(neuro.heard(), ["unregister move look", "register move look", "force flee"]);
  check.equal(ends(scenario), ["Chess preempted"]);
  neuro.action("1", "flee");
  alarm.result(true);
  check.equal(neuro.heard(), ["result 1 true"]);
  scenario.pass(500);
  check.equal(neuro.heard(), ["force move look"]);
  neuro.action("2", "move");
  chess.result(true);
  scenario.pass(500);
  check.equal(ends(scenario), ["Chess preempted", "Alarm completed", "Chess completed"]);
});

for (
  const [what, options, priority] of [
    ["without the policy", {}, "critical"],
    ["of another integration", { integrations: [{ match: "Chess", critical_preempts: true }] }, "critical"],
    ["that is not critical", { integrations: PREEMPTS }, "high"],
    ["whose `priority_max` is lower", { integrations: [{ ...PREEMPTS[0], match: "*", priority_max: "high" }] }, "critical"],
  ] as const satisfies readonly (readonly [string, ScenarioOptions, string])[]
) {
  test(`NB330b a force ${what} waits for the one that Neuro has`, () => {
    const { neuro, chess, alarm } = table(options);
    chess.force(["move"]);
    neuro.heard();
    alarm.force(["flee"], { priority });
    check.equal(neuro.heard(), []);
  });
}

test("NB331 an action that is with its integration is completed first, and after a failure the force gives way", () => {
  const { scenario, neuro, chess, alarm } = table();
  chess.force(["move", "look"]);
  neuro.action("1", "move");
  neuro.heard();
  alarm.force(["flee"], CRITICAL);
  scenario.pass(1_000);
  check.equal(neuro.heard(), []);
  chess.result(false);
  check.equal(neuro.heard(), ["result 1 false", "unregister move look", "register move look", "force flee"]);
  neuro.action("2", "flee");
  alarm.result(true);
  scenario.pass(500);
  neuro.heard();
  neuro.action("3", "look");
  alarm.force(["flee"], CRITICAL);
  chess.result(true);
  check.equal(neuro.heard(), ["result 3 true"]);
  scenario.pass(500);
  check.equal(neuro.heard(), ["force flee"]);
});

test("NB331b a force takes the place only once its actions are registered", () => {
  const { neuro, chess, alarm } = table();
  chess.force(["move"]);
  neuro.heard();
  alarm.force(["hide"], CRITICAL);
  check.equal(neuro.heard(), []);
  alarm.register("hide");
  check.equal(neuro.heard(), ["register hide", "unregister move", "register move", "force hide"]);
});

test("NB332 a flood of critical forces starves no other force", () => {
  const { scenario, neuro, chess, alarm } = table();
  chess.force(["move"]);
  let answered = 0;
  for (let at = 0; at < 240 && answered === 0; at++) {
    alarm.force(["flee"], CRITICAL);
    scenario.pass(250);
    for (const text of neuro.heard()) {
      if (text === "force flee") {
        neuro.action(`a${at}`, "flee");
        alarm.result(true);
      }
    }
    const [open] = scenario.harness.state.upstreams.values();
    if (open?.forces.current?.game.name === "Chess" && scenario.now - open.forces.current.requestedAt >= 45_000) {
      alarm.force(["flee"], CRITICAL);
      check.equal(open.forces.current?.game.name, "Chess");
      neuro.action("c", "move");
      chess.result(true);
      answered = scenario.now;
    }
  }
  check.equal(answered > 0, true);
  check.equal(ends(scenario).filter((end) => end === "Chess completed").length, 0);
  scenario.pass(500);
  check.equal(ends(scenario).filter((end) => end === "Chess completed").length, 1);
});

test("NB332 a force that gave way keeps its age, so it is not pre-empted again and again", () => {
  const { scenario, neuro, chess, alarm } = table();
  chess.force(["move"]);
  for (let at = 0; at < 6; at++) {
    alarm.force(["flee"], CRITICAL);
    check.equal(neuro.heard().at(-1), "force flee", `${at}`);
    neuro.action(`${at}`, "flee");
    alarm.result(true);
    scenario.pass(10_000);
    check.equal(neuro.heard().at(-1), "force move", `${at}`);
  }
  alarm.force(["flee"], CRITICAL);
  check.equal(neuro.heard(), []);
});

test("NB332b a critical force does not pre-empt another one", () => {
  const { scenario, neuro, chess, alarm } = table({ integrations: [{ match: "*", critical_preempts: true }] });
  chess.force(["move"], CRITICAL);
  alarm.force(["flee"], CRITICAL);
  check.equal(neuro.heard(), ["force move"]);
  check.equal(ends(scenario), []);
});

test("NB331c an answer of Neuro that crosses the pre-emption completes the force that waits again", () => {
  const { scenario, neuro, chess, alarm } = table();
  chess.force(["move", "look"]);
  alarm.force(["flee"], CRITICAL);
  neuro.heard();
  neuro.action("1", "move");
  check.equal(chess.heard().at(-1), "action move");
  chess.result(true);
  check.equal(neuro.heard(), ["result 1 true"]);
  check.equal(ends(scenario), ["Chess preempted", "Chess completed"]);
  neuro.action("2", "flee");
  alarm.result(true);
  scenario.pass(500);
  check.equal(neuro.heard(), ["result 2 true"]);
});
