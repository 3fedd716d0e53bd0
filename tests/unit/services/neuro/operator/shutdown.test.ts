/** An operator asks integrations to shut down, or to register their actions again. */
import { test } from "#runner";
import { RELAY_PEER, toRequestId } from "../../../../../src/core/ids.ts";
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

/** Hands what Neuro sends to the relay's own integration back to the service, as the relay does. */
function passOn(scenario: Scenario): void {
  for (const message of scenario.posted()) {
    if (message.is === "neuroMessage" && message.peer === RELAY_PEER) scenario.post(message);
  }
}

test("NB255 with `shutdown_action` Neuro has an action for each connected integration, and asks it to shut down with it", () => {
  const { scenario, neuro } = opened({ integrations: [{ match: "Chess*", shutdown_action: true }] });
  const chess = started(scenario, "Chess", "move");
  started(scenario, "Poker", "bet");
  check.equal(scenario.harness.state.shutdownActions.offered, new Map([["shut_down_chess", "chess"]]));
  chess.heard();
  const act = (data: object): Json | undefined => {
    neuro.heard();
    neuro.action("1", "shut_down_chess", JSON.stringify(data));
    passOn(scenario);
    return neuro.frames().find(({ command }) => command === "action/result")?.data;
  };
  check.equal(act({ how: "graceful" }), { id: "1", success: true, message: "Chess was asked to shut down." });
  check.equal(shutdowns(chess.heardFrames()), [{ command: "shutdown/graceful", data: { wants_shutdown: true } }]);
  check.equal(act({ how: "cancel" }), { id: "1", success: true, message: "Chess continues." });
  check.equal(act({ how: "cancel" }), { id: "1", success: false, message: "Chess was not asked to shut down before." });
  check.equal(act({ how: "immediate" }), { id: "1", success: true, message: "Chess was asked to shut down." });
  check.equal(shutdowns(chess.heardFrames()).at(-1), { command: "shutdown/immediate" });
  check.equal(scenario.observed("operator_acted").map(({ by, did, outcome }) => [by, did, outcome]), [
    ["neuro", "shut_down", "done"],
    ["neuro", "cancel_shutdown", "done"],
    ["neuro", "cancel_shutdown", "notNow"],
    ["neuro", "shut_down_now", "done"],
  ]);
  for (const data of [{}, { how: "now" }, { how: 7 }]) {
    check.equal(act(data), { id: "1", success: false, message: "`how` must be one of graceful, cancel, immediate." });
  }
});

test("NB256 the action disappears with its integration and with the setting, and comes back", () => {
  const { scenario, neuro } = opened({ integrations: [{ match: "Chess", shutdown_action: true }] });
  const chess = started(scenario, "Chess", "move");
  const offered = (): readonly string[] => [...scenario.harness.state.shutdownActions.offered.keys()];
  check.equal(offered(), ["shut_down_chess"]);
  neuro.heard();
  chess.close();
  check.equal([offered(), neuro.heard()], [[], ["unregister shut_down_chess"]]);
  started(scenario, "Chess", "move");
  check.that(neuro.heard().includes("register shut_down_chess"));
  scenario.configure({ integrations: [] });
  check.equal([offered(), neuro.heard()], [[], ["unregister shut_down_chess"]]);
  scenario.configure({ integrations: [{ match: "Chess", shutdown_action: true }] });
  check.equal(neuro.heard(), ["register shut_down_chess"]);
});

test("NB257 without the setting there is no integration of the relay's own, and it is not asked with all others", () => {
  const { scenario, ask } = opened();
  started(scenario, "Chess", "move");
  check.equal([...scenario.harness.state.games.keys()], ["neuro:Chess"]);
  scenario.configure({ integrations: [{ match: "*", shutdown_action: true }] });
  check.equal([...scenario.harness.state.games.keys()], ["neuro:Chess", "intermediary:Neuro Relay"]);
  check.equal(ask({ of: "neuro", do: "shutDown", how: "graceful" }), asked(1));
});
