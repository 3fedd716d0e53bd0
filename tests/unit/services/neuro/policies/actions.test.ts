/** Policies: which actions an integration can register, which of them Neuro sees, and for how long it may be silent or away. */
import { test } from "#runner";
import { toRequestId } from "../../../../../src/core/ids.ts";
import { PolicyTable } from "../../../../../src/services/neuro/policy.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, Scenario, type ScenarioOptions, settingsOf, started } from "../fixture.ts";

type Policies = NonNullable<ScenarioOptions["integrations"]>;

interface Table {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly chess: FakeGame;
}

/** Chess with these actions, and Neuro. */
function table(integrations: Policies, ...actions: readonly string[]): Table {
  const scenario = new Scenario({ integrations });
  const neuro = scenario.neuro().open();
  return { scenario, neuro, chess: started(scenario, "Chess", ...actions) };
}

test("integrations to which the same entries apply share their policy", () => {
  const policies = new PolicyTable(
    settingsOf({ integrations: [{ match: "Ch*", grace: 1 }, { match: "*", parked: 9_000 }] }),
  );
  check.that(policies.of("Chess") === policies.of("Checkers") && policies.of("Poker") === policies.of("Go"));
  check.equal([policies.of("Chess").grace, policies.of("Chess").parked, policies.of("Poker").parked], [1, 9_000, 9_000]);
  check.that(policies.of("Poker").grace !== 1);
});

test("NB300 for each setting the first policy applies that matches the name and has the setting", () => {
  const settings = settingsOf({
    actions: { grace: 7_000 },
    integrations: [
      { match: "Chess", deny: ["resign"], results: "failures-only" },
      { match: "Ch*", deny: ["castle"], allow: ["m*"], shutdown: true },
      { match: "*", grace: 1_000, results: "required" },
    ],
  });
  const facts = (name: string) => {
    const { deny, allow, results, shutdown, grace, priority_max } = new PolicyTable(settings).of(name);
    return [deny, allow, results, shutdown, grace, priority_max];
  };
  check.equal(facts("Chess"), [["resign"], ["m*"], "failures-only", true, 1_000, "critical"]);
  check.equal(facts("Checkers"), [["castle"], ["m*"], "required", true, 1_000, "critical"]);
  check.equal(facts("Poker"), [[], ["*"], "required", false, 1_000, "critical"]);
  check.equal(new PolicyTable(settingsOf({ actions: { grace: 7_000 } })).of("Poker").grace, 7_000);
});

test("NB301 an action that a policy denies is refused and reported, on both listeners", () => {
  const { scenario, neuro } = table(
    [{ match: "Ch*", allow: ["move*", "resign"], deny: ["*_all"] }],
    "move",
    "move_all",
    "chat",
  );
  check.equal(neuro.heard(), ["startup", "register move"]);
  scenario.integration("Chat").register("move_all", "resign");
  check.equal(neuro.heard(), ["register resign"]);
  const refusals = scenario.observed("input_refused").map(({ from, fault, reason }) => [from, fault, reason]);
  check.equal(refusals, [
    ["Chess", "notAllowed", "the policy of this integration denies: move_all, chat"],
    ["Chat", "notAllowed", "the policy of this integration denies: move_all"],
  ]);
  check.equal(scenario.observed("diagnostic").map(({ what, from }) => [what, from]), [
    ["action_denied", "Chess"],
    ["action_denied", "Chat"],
  ]);
});

test("NB301b new settings deny a registered action at once, and allow it for the next registration", () => {
  const { scenario, neuro, chess } = table([], "move", "resign");
  neuro.heard();
  scenario.configure({ integrations: [{ match: "Chess", deny: ["resign"] }] });
  check.equal(neuro.heard(), ["unregister resign"]);
  check.equal(scenario.observed("actions_unregistered").at(-1)?.names, ["resign"]);
  neuro.action("1", "resign");
  check.equal(neuro.heard(), ["result 1 false"]);
  scenario.configure({});
  check.equal(neuro.heard(), []);
  chess.register("resign");
  check.equal(neuro.heard(), ["register resign"]);
});

test("NB302 Neuro does not see a hidden action, and an operator can use it", () => {
  const { scenario, neuro, chess } = table([{ match: "Chess", hide: ["cheat*"] }], "move", "cheat");
  check.equal(neuro.heard(), ["startup", "register move"]);
  neuro.action("1", "cheat");
  check.equal(neuro.heard(), ["result 1 false"]);
  scenario.step({
    is: "requested",
    requestId: toRequestId("1"),
    principal: { by: "test", scopes: ["command"] },
    request: { of: "neuro", do: "sendAction", id: "chess", name: "cheat" },
  });
  check.equal(chess.heard().slice(-1), ["action cheat"]);
});

test("NB302 an action that is shared is sent only to the owners that do not hide it", () => {
  const { scenario, neuro, chess } = table([{ match: "Chess", hide: ["*"] }], "jump");
  const poker = started(scenario, "Poker", "jump");
  check.equal(neuro.heard(), ["startup", "register jump"]);
  chess.heard();
  poker.heard();
  neuro.action("1", "jump");
  check.equal([chess.heard(), poker.heard()], [[], ["action jump"]]);
});

test("NB302b new settings hide and show registered actions at once", () => {
  const { scenario, neuro } = table([], "move", "jump");
  neuro.heard();
  scenario.configure({ integrations: [{ match: "*", hide: ["jump"] }] });
  check.equal(neuro.heard(), ["unregister jump"]);
  scenario.configure({ integrations: [{ match: "*", hide: ["move"] }] });
  check.equal(neuro.heard(), ["unregister move", "register jump"]);
  scenario.configure({});
  check.equal(neuro.heard(), ["register move"]);
});

for (const change of ["deny", "hide"] as const) {
  test(`NB302c a force whose action the game has is completed although a policy takes its names away (${change})`, () => {
    const { scenario, neuro, chess } = table([], "move", "jump");
    chess.force(["move", "jump"]);
    neuro.action("1", "move");
    neuro.heard();
    scenario.configure({ integrations: [{ match: "Chess", [change]: ["*"] }] });
    check.equal(neuro.heard(), ["unregister move jump"]);
    check.equal(scenario.observed("force_ended"), []);
    chess.result(true);
    check.equal(neuro.heard(), ["result 1 true"]);
    check.equal(scenario.observed("force_ended").map(({ end }) => end), ["completed"]);
  });
}

test("NB302d a force waits for no action that a policy keeps from Neuro, and is sent without it", () => {
  const { scenario, neuro, chess } = table([{ match: "Chess", hide: ["jump"], deny: ["fly"] }], "move", "jump");
  neuro.heard();
  chess.force(["move", "jump", "fly"]);
  check.equal(neuro.heard(), ["force move"]);
  neuro.action("1", "move");
  chess.result(true);
  scenario.pass(500);
  chess.force(["jump", "fly"]);
  check.equal(scenario.observed("force_ended").map(({ end }) => end), ["completed", "names_gone"]);
  const [withheld] = scenario.observed("diagnostic").filter(({ what }) => what === "force_names_withheld");
  check.equal(withheld?.detail, "jump, fly");
  check.that(!scenario.observed("diagnostic").some(({ what }) => what === "force_names_unknown"));
});

test("NB303 an integration registers at most the `actions_max` of its policy", () => {
  const { scenario, neuro, chess } = table([{ match: "Chess", actions_max: 2 }], "a", "b", "c");
  check.equal(neuro.heard(), ["startup", "register a b"]);
  const reason = "too many actions: c: 2 are registered; `actions_max` of the policy allows 2";
  check.equal(scenario.observed("input_refused").map((refusal) => refusal.reason), [reason]);
  scenario.configure({ integrations: [{ match: "Chess", actions_max: 1 }] });
  check.equal(neuro.heard(), []);
  chess.unregister("a", "b").register("b", "a");
  check.equal(neuro.heard(), ["unregister a b", "register b"]);
});

test("NB304 an action is answered after the `result_deadline` of its integration, and at the deadline of the upstream at the latest", () => {
  const { scenario, neuro } = table([{ match: "Chess", result_deadline: 3_000 }, {
    match: "Poker",
    result_deadline: 60_000,
  }], "move");
  started(scenario, "Poker", "bet");
  neuro.heard();
  neuro.action("1", "move");
  neuro.action("2", "bet");
  scenario.pass(2_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["result 1 false"]);
  scenario.pass(14_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["result 2 false"]);
});

test("NB304b an action of several integrations has the longest time of them", () => {
  const { scenario, neuro } = table([{ match: "Chess", result_deadline: 3_000 }, {
    match: "Poker",
    result_deadline: 5_000,
  }], "move");
  started(scenario, "Poker", "move");
  neuro.heard();
  neuro.action("1", "move");
  scenario.pass(4_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["result 1 false"]);
});

test("NB305 a policy sets how long an integration may be away, and how long its registry and its names are kept", () => {
  const { scenario, neuro, chess } = table([{ match: "Chess", grace: 1_000, parked: 5_000 }], "move");
  const poker = started(scenario, "Poker", "bet");
  neuro.heard();
  chess.close();
  poker.close();
  scenario.pass(1_000);
  check.equal(neuro.heard(), ["unregister move"]);
  scenario.pass(4_001);
  check.equal([...scenario.harness.state.games.keys()], ["neuro:Poker"]);
  scenario.pass(5_000);
  check.equal(neuro.heard(), ["unregister bet"]);
});

test("NB305b a name that is reserved for a short time is free afterwards, although others are reserved for longer", () => {
  const { scenario, neuro, chess } = table([{ match: "Chess", parked: 5_000 }], "move");
  const poker = started(scenario, "Poker", "bet");
  poker.unregister("bet");
  chess.unregister("move");
  neuro.heard();
  scenario.pass(5_001);
  poker.register({ name: "move", description: "another one" });
  check.equal(neuro.heard(), ["register move"]);
});
