/** A store that keeps failing: writes of which no peer is notified are suspended. */
import { test } from "#runner";
import { logMessageOf } from "../../../../src/observability/log-messages.ts";
import { createMetrics } from "../../../../src/observability/metric-definitions.ts";
import { check } from "../../../harness/check.ts";
import { Scenario, started } from "./fixture.ts";
import { Operator } from "./operator/operator-fixture.ts";

/** The puts since the last call; each of them is settled. */
function settle(scenario: Scenario, isStored: boolean): number {
  let count = 0;
  for (const effect of scenario.effects.splice(0)) {
    if (effect.do !== "put") continue;
    count++;
    if (isStored) scenario.step({ is: "stored", key: effect.key });
    else scenario.step({ is: "storeFailed", key: effect.key, reason: "disk full" });
  }
  return count;
}

/** Games whose contexts wait for Neuro, and a store that has failed three times. */
function failing(): Scenario {
  const scenario = new Scenario();
  for (let n = 0; n < 5; n++) started(scenario, `Game ${n}`, "a").context("waits");
  scenario.pass(1_000);
  settle(scenario, false);
  return scenario;
}

const reasons = (scenario: Scenario): string => JSON.stringify(new Operator(scenario).ask({ get: "ready" } as never).body);

test("NB48 after three failed writes in a row, contexts, registries and forces are not written until a trial succeeds", () => {
  const scenario = failing();
  const game = scenario.game("Game 0").context("back");
  for (let ms = 0; ms < 19_000; ms += 500) {
    game.context(`context at ${ms}`).register(`action-${ms}`).force([`action-${ms}`]);
    scenario.pass(500);
  }
  check.equal(settle(scenario, false), 0, "suspended");
  scenario.pass(1_000);
  check.equal(settle(scenario, false), 1, "one trial after 20 s");
  scenario.pass(39_999);
  check.equal(settle(scenario, false), 0, "its failure doubles the time");
  scenario.pass(1);
  check.equal(settle(scenario, true), 1);
  scenario.pass(2_000);
  check.that(settle(scenario, true) > 10, "everything else follows");
  scenario.pass(60_000);
  check.equal(settle(scenario, true), 0);
});

test("NB48 the longest suspension is 60 s, and a trial without an end is repeated after 60 s", () => {
  const scenario = failing();
  for (const seconds of [20, 40, 60, 60]) {
    scenario.pass(seconds * 1_000 - 1);
    check.equal(settle(scenario, false), 0, `${seconds}`);
    scenario.pass(1);
    check.equal(settle(scenario, false), 1, `${seconds}`);
  }
  scenario.pass(60_000);
  scenario.effects.length = 0;
  scenario.pass(60_000);
  check.equal(settle(scenario, true), 1);
});

test("NB48b controls of a person are written all the same, and a context of a person or watcher is refused or stored", () => {
  const scenario = failing();
  new Operator(scenario).call({ do: "setGlobalControls", to: { stopped: true } });
  check.equal(settle(scenario, false), 1);
});

test("NB48c a suspension is reported once: to the log, to watchers, in a metric and by /ready", () => {
  const scenario = failing();
  check.match(reasons(scenario), /store keeps failing/);
  scenario.pass(20_000);
  settle(scenario, false);
  const metrics = createMetrics();
  const measure = () => {
    for (const observation of scenario.observations.splice(0)) {
      if (observation.is === "writes_suspended" || observation.is === "writes_resumed") {
        logMessageOf(observation.is).measure?.(observation, metrics, () => scenario.now);
        seen.push(observation.is);
      }
    }
    return metrics.writesSuspended.labels("neuro").value;
  };
  const seen: string[] = [];
  check.equal(measure(), 1);
  scenario.pass(40_000);
  settle(scenario, true);
  check.equal(measure(), 0);
  check.equal(seen, ["writes_suspended", "writes_resumed"]);
  check.that(!reasons(scenario).includes("store"), "ready again");
});

test("NB48d with a store that fails, 500 contexts a second of 100 games cause a bounded number of writes, and a stop is answered at once", () => {
  const scenario = new Scenario();
  const games = Array.from({ length: 100 }, (_, n) => started(scenario, `Game ${n}`, "a"));
  let writes = 0;
  for (let n = 0; n < 5_000; n++) {
    games[n % 100]?.context(`context ${n}`);
    if (n % 5 === 4) scenario.pass(10);
    if (n % 500 === 499) writes += settle(scenario, false);
  }
  check.that(writes < 1_500, `${writes} writes in 10 s`);
  const began = performance.now();
  new Operator(scenario).stop();
  check.that(performance.now() - began < 100, "the kill switch");
});
