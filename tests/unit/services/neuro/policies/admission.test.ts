/** Policies: an unknown integration needs an operator's approval. */
import { test } from "#runner";
import { toRequestId } from "../../../../../src/core/ids.ts";
import { isObject, type JsonObject } from "../../../../../src/core/json.ts";
import type { Scope } from "../../../../../src/core/settings.ts";
import type { Entry } from "../../../../../src/core/event.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeNeuro, Scenario, type ScenarioOptions, started } from "../fixture.ts";

const POLICY: ScenarioOptions = { integrations: [{ match: "*", admission: "approval" }] };

interface Table {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
}

function table(options: ScenarioOptions = POLICY): Table {
  const scenario = new Scenario(options);
  return { scenario, neuro: scenario.neuro().open() };
}

/** Decides, and returns the reply once it is stored. */
function decide(scenario: Scenario, id: string, approve: boolean, scopes: readonly Scope[] = ["admin"]): JsonObject {
  const before = scenario.effects.length;
  scenario.step({
    is: "requested",
    requestId: toRequestId("1"),
    principal: { by: "vedal", scopes },
    request: { of: "neuro", do: "decideIntegration", id, approve },
  });
  const reply = scenario.effects.slice(before).find((effect) => effect.do === "respond");
  check.that(reply !== undefined);
  const puts = scenario.effects.slice(before).flatMap((effect) => effect.do === "put" ? [effect.key] : []);
  if ("body" in reply) {
    check.that("after" in reply && reply.after !== undefined && puts.includes(reply.after), "it is stored");
  }
  return "body" in reply && isObject(reply.body) ? reply.body : { fault: "fault" in reply ? reply.fault : "" };
}

const restart = (entries: readonly Entry[], options: ScenarioOptions = POLICY): Table => table({ ...options, entries });

test("NB340 Neuro sees nothing of an unknown integration until an operator has approved it, on both listeners", () => {
  const { scenario, neuro } = table();
  const chess = started(scenario, "Chess", "move").context("hello").force(["move"]);
  scenario.integration("Overlay").register("show");
  scenario.pass(5_000);
  check.equal(neuro.heard(), ["startup"]);
  check.equal(scenario.observed("diagnostic").map(({ what, from, detail }) => [what, from, detail]), [
    ["integration_unapproved", "Chess", "pending"],
    ["integration_unapproved", "Overlay", "pending"],
  ]);
  check.equal(decide(scenario, "chess", true)["admission"], "approved");
  check.equal(neuro.heard(), ["register move", "context [Chess] hello", "force move"]);
  neuro.action("1", "move");
  chess.result(true);
  check.equal(neuro.heard(), ["result 1 true"]);
  decide(scenario, "overlay", true);
  check.equal(neuro.heard(), ["register show"]);
  check.equal(scenario.observed("operator_acted").map(({ by, did, to, outcome }) => [by, did, to, outcome]), [
    ["vedal", "approve", "chess", "done"],
    ["vedal", "approve", "overlay", "done"],
  ]);
});

test("NB340b of a rejected integration contexts are dropped and forces wait; an action that it has is completed", () => {
  const { scenario, neuro } = table();
  const chess = started(scenario, "Chess", "move", "look").context("hello");
  decide(scenario, "chess", true);
  chess.force(["move", "look"]);
  neuro.action("1", "move");
  neuro.heard();
  check.equal(decide(scenario, "chess", false)["admission"], "rejected");
  check.equal(neuro.heard(), ["unregister move look"]);
  chess.result(true);
  check.equal(neuro.heard(), ["result 1 true"]);
  check.equal(scenario.observed("force_ended").map(({ end }) => end), ["completed"]);
  chess.context("bye").force(["look"]);
  scenario.pass(5_000);
  check.equal(neuro.heard(), []);
  decide(scenario, "chess", true);
  check.equal(neuro.heard(), ["register move look", "force look"]);
});

test("NB341 a decision stays over restarts and absences, and other names have none", () => {
  const { scenario } = table();
  const games = ["Chess", "Poker", "Go"].map((name) => started(scenario, name, "move"));
  decide(scenario, "chess", true);
  decide(scenario, "poker", false);
  for (const game of games) game.close();
  scenario.pass(2 * 86_400_000);
  check.equal([...scenario.harness.state.games.keys()].sort(), ["neuro:Chess", "neuro:Poker"]);
  const { scenario: again, neuro } = restart(scenario.entries(), { ...POLICY, now: scenario.now });
  started(again, "Poker", "bet");
  started(again, "Go", "place");
  started(again, "Chess", "castle");
  check.equal(neuro.heard(), ["startup", "register castle"]);
});

test("NB341b a pending integration is pending after a restart, too", () => {
  const { scenario } = table();
  started(scenario, "Chess", "move");
  scenario.pass(2_000);
  const { scenario: again, neuro } = restart(scenario.entries());
  started(again, "Chess", "move");
  check.equal(neuro.heard(), ["startup"]);
});

test("NB342 an integration that the relay knows needs no approval when a policy begins to ask for it", () => {
  const { scenario, neuro } = table({});
  const chess = started(scenario, "Chess", "move");
  neuro.heard();
  scenario.configure(POLICY);
  started(scenario, "Poker", "bet");
  check.equal(neuro.heard(), []);
  chess.close();
  scenario.pass(1_000);
  scenario.game("Chess").startup().register("move");
  check.equal(neuro.heard(), []);
  const { scenario: again, neuro: other } = restart(scenario.entries());
  started(again, "Chess", "move");
  check.equal(other.heard(), ["startup", "register move"]);
});

test("NB342b a policy that does not ask any more shows pending and rejected integrations at once", () => {
  const { scenario, neuro } = table();
  started(scenario, "Chess", "move").force(["move"]);
  started(scenario, "Poker", "bet");
  decide(scenario, "poker", false);
  neuro.heard();
  scenario.configure({});
  check.equal(neuro.heard(), ["register move", "force move", "register bet"]);
  scenario.configure(POLICY);
  check.equal(neuro.heard(), ["unregister move", "unregister bet"]);
});

test("NB343 a decision needs the scope admin, and an integration that exists", () => {
  const { scenario, neuro } = table();
  started(scenario, "Chess", "move");
  check.equal(decide(scenario, "chess", true, ["watch", "command", "direct"]), { fault: "notAllowed" });
  check.equal(decide(scenario, "poker", true), { fault: "notFound" });
  check.equal(neuro.heard(), ["startup"]);
  check.equal(scenario.observed("operator_acted").map(({ did, to, outcome }) => [did, to, outcome]), [
    ["approve", "chess", "notAllowed"],
    ["approve", "poker", "notFound"],
  ]);
});

test("NB343b an action of Neuro for an integration that is not approved says so", () => {
  const { scenario, neuro } = table({});
  started(scenario, "Chess", "move");
  decide(scenario, "chess", false);
  scenario.configure(POLICY);
  neuro.frames();
  neuro.action("1", "move");
  check.equal(neuro.frames().map(({ data }) => data), [{
    id: "1",
    success: false,
    message: "No person has approved Chess.",
  }]);
});
