/** An operator asks integrations to shut down, or to register their actions again. */
import { test } from "#runner";
import { toRequestId } from "../../../../../src/core/ids.ts";
import type { Json } from "../../../../../src/core/json.ts";
import type { NeuroRequest } from "../../../../../src/core/request.ts";
import type { Scope } from "../../../../../src/core/settings.ts";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeNeuro, Scenario, type ScenarioOptions, started } from "../fixture.ts";

type Ask = Extract<NeuroRequest, { readonly do: "shutDown" | "reregister" }>;

function opened(options: ScenarioOptions = {}): {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  /** The body of the reply, or its fault. */
  ask(request: Ask, scopes?: readonly Scope[]): Json | undefined;
} {
  const scenario = new Scenario(options);
  const neuro = scenario.neuro().open();
  neuro.heard();
  return {
    scenario,
    neuro,
    ask(request, scopes = ["admin"]) {
      const before = scenario.effects.length;
      scenario.step({ is: "requested", requestId: toRequestId("1"), principal: { by: "cora", scopes }, request });
      const reply = scenario.effects.splice(before).find((effect) => effect.do === "respond");
      check.that(reply !== undefined);
      return "body" in reply ? reply.body : reply.fault;
    },
  };
}

const asked = (count: number): Json => ({ status: "asked", count });
const shutdowns = (frames: readonly { readonly command?: Json | undefined; readonly data?: Json | undefined }[]) =>
  frames.filter(({ command }) => String(command).startsWith("shutdown/"));

test("NB250 an integration, or all, are asked to shut down, whatever their policy; the relay and Neuro are not concerned", () => {
  const { scenario, neuro, ask } = opened();
  const [chess, poker] = [started(scenario, "Chess", "move"), started(scenario, "Poker", "bet")];
  const lamp = scenario.integration("lamp");
  for (const one of [chess, poker, lamp, neuro]) one.heard();
  check.equal(ask({ of: "neuro", do: "shutDown", id: "chess", how: "graceful" }), asked(1));
  check.equal(shutdowns(chess.heardFrames()), [{ command: "shutdown/graceful", data: { wants_shutdown: true } }]);
  check.equal([poker.heard(), lamp.heard(), neuro.heard()], [[], [], []]);
  check.equal(ask({ of: "neuro", do: "shutDown", how: "immediate" }), asked(3));
  check.equal(shutdowns(poker.heardFrames()), [{ command: "shutdown/immediate" }]);
  check.equal(lamp.heard(), ["shutdown/immediate"]);
  chess.say("shutdown/ready");
  check.equal(neuro.heard(), []);
});

test("NB250b an integration that does not answer within `actions.shutdown_timeout` is disconnected", () => {
  for (const [timeout, closes] of [[undefined, 5_000], [1_000, 1_000], [0, Infinity]] as const) {
    const { scenario, ask } = opened({ actions: timeout === undefined ? {} : { shutdown_timeout: timeout } });
    const chess = started(scenario, "Chess", "move");
    const poker = started(scenario, "Poker", "bet");
    ask({ of: "neuro", do: "shutDown", how: "graceful" });
    poker.say("shutdown/ready");
    scenario.pass(Math.min(closes, 60_000) - 1);
    check.equal(scenario.closed, []);
    scenario.pass(1);
    check.equal(scenario.closed, closes === Infinity ? [] : [{ peer: chess.peer, fault: "leaving" }]);
    check.equal(DEFAULTS.actions.shutdown_timeout, 5_000);
  }
});

test("NB250c a cancellation reaches those that were asked and are still connected, ready or not", () => {
  const { scenario, ask } = opened();
  const [chess, poker, go] = ["Chess", "Poker", "Go"].map((name) => started(scenario, name, `${name.toLowerCase()}_move`));
  check.that(chess !== undefined && poker !== undefined && go !== undefined);
  for (const id of ["chess", "poker"]) ask({ of: "neuro", do: "shutDown", id, how: "graceful" });
  chess.say("shutdown/ready");
  for (const game of [chess, poker, go]) game.heard();
  check.equal(ask({ of: "neuro", do: "shutDown", how: "cancel" }), asked(2));
  for (const game of [chess, poker]) {
    check.equal(shutdowns(game.heardFrames()), [{ command: "shutdown/graceful", data: { wants_shutdown: false } }]);
  }
  check.equal(go.heard(), []);
  scenario.pass(60_000);
  check.equal([scenario.closed, ask({ of: "neuro", do: "shutDown", how: "cancel" })], [[], asked(0)]);
  ask({ of: "neuro", do: "shutDown", id: "go", how: "graceful" });
  go.close();
  const again = started(scenario, "Go", "go_move");
  again.heard();
  scenario.pass(60_000);
  check.equal([scenario.closed, ask({ of: "neuro", do: "shutDown", how: "cancel" })], [[], asked(0)]);
});

test("NB251 an integration, or all, are asked to register their actions again, and equal ones are not sent to Neuro again", () => {
  const { scenario, neuro, ask } = opened();
  const chess = started(scenario, "Chess", "move", "resign");
  const lamp = scenario.integration("lamp").register("light");
  scenario.pass(3_000);
  for (const one of [chess, lamp, neuro]) one.heard();
  check.equal(ask({ of: "neuro", do: "reregister" }), asked(2));
  check.equal([chess.heard(), lamp.heard()], [["reregister"], ["reregister"]]);
  chess.register("move", "resign", "castle");
  scenario.pass(300);
  check.equal(neuro.heard(), ["register castle"]);
  check.equal(scenario.observed("diagnostic"), []);
});

test("NB251b with `clear` the actions are unregistered first, and are registered when the integration sends them again", () => {
  const { scenario, neuro, ask } = opened();
  const chess = started(scenario, "Chess", "move");
  const poker = started(scenario, "Poker", "bet");
  for (const one of [chess, poker, neuro]) one.heard();
  check.equal(ask({ of: "neuro", do: "reregister", id: "chess", clear: true }), asked(1));
  check.equal([chess.heard(), poker.heard(), neuro.heard()], [["reregister"], [], ["unregister move"]]);
  chess.register("move");
  check.equal(neuro.heard(), ["register move"]);
  check.equal(scenario.observed("diagnostic"), []);
});

test("NB252 these commands need the scope `admin` and a connected integration, and each is observed", () => {
  const { scenario, ask } = opened();
  const chess = started(scenario, "Chess", "move");
  check.equal(ask({ of: "neuro", do: "shutDown", how: "graceful" }, ["command", "watch"]), "notAllowed");
  check.equal(ask({ of: "neuro", do: "reregister", id: "nobody" }), "notFound");
  ask({ of: "neuro", do: "reregister", id: "chess", clear: true });
  chess.close();
  check.equal(ask({ of: "neuro", do: "shutDown", id: "chess", how: "immediate" }), "notNow");
  check.equal(ask({ of: "neuro", do: "shutDown", how: "cancel" }), asked(0));
  check.equal(scenario.observed("operator_acted").map(({ did, to, outcome }) => `${did} ${to} ${outcome}`), [
    "shut_down all notAllowed",
    "reregister nobody notFound",
    "clear chess done",
    "shut_down_now chess notNow",
    "cancel_shutdown all done",
  ]);
});
