/** Who the relay is in the place of Neuro: what the answer to `startup` says, and when it is sent again. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import type { Json } from "../../../../../src/core/json.ts";
import type { BackendSettings } from "../../../../../src/core/settings.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, Scenario, started } from "../fixture.ts";
import { Operator } from "../operator/operator-fixture.ts";

const standalone = (backend: Partial<BackendSettings> = {}) => ({
  neuros: [],
  settings: { "nakurity-backend": { ...DEFAULTS["nakurity-backend"], ...backend } },
});

/** The sessions that the game was sent since the last call. */
const sessionsOf = (game: FakeGame): readonly Json[] =>
  game.heardFrames().flatMap(({ command, data }) => command === "startup" ? [data ?? null] : []);

const ROBO = { character: "evil", display_name: "Robo-Neuro", session_id: "test-1" };
const ROBO_SESSION = { session: { sessionId: "test-1", characterId: "evil", displayName: "Robo-Neuro" } };

test("NB267 display name, character and session id of the answer to `startup` are those of the settings", () => {
  const scenario = new Scenario(standalone(ROBO));
  check.equal(sessionsOf(started(scenario, "Chess", "move")), [ROBO_SESSION]);
  const plain = new Scenario(standalone());
  const sessions = [sessionsOf(started(plain, "Chess", "move")), sessionsOf(started(plain, "Poker", "bet"))].flat();
  check.equal(sessions.length, 2);
  check.equal(sessions[0], sessions[1], "one session for all games");
});

test("NB267b when one of them changes in the settings, each connected game gets the new session; another change sends none", () => {
  const scenario = new Scenario(standalone());
  const chess = started(scenario, "Chess", "move");
  chess.heard();
  scenario.configure(standalone(ROBO));
  check.equal(sessionsOf(chess), [ROBO_SESSION]);
  check.equal(scenario.observed("character_changed").map(({ character }) => character), ["neuro", "evil"]);
  scenario.configure(standalone({ ...ROBO, retries: 1 }));
  check.equal(sessionsOf(chess), []);
  scenario.configure(standalone({ ...ROBO, display_name: "Other" }));
  check.equal(sessionsOf(chess).length, 1);
  check.equal(scenario.observed("character_changed").length, 2);
});

test("NB267c an operator sends the session again, to one integration or to all; one that is away is refused", () => {
  const scenario = new Scenario(standalone(ROBO));
  const operator = new Operator(scenario);
  const [chess, poker] = [started(scenario, "Chess", "move"), started(scenario, "Poker", "bet")];
  for (const game of [chess, poker]) game.heard();
  check.equal(operator.ask({ do: "resendSession", id: "chess" }).body, { status: "asked", count: 1 });
  check.equal([sessionsOf(chess), sessionsOf(poker)], [[ROBO_SESSION], []]);
  check.equal(operator.ask({ do: "resendSession" }).body, { status: "asked", count: 2 });
  check.equal([sessionsOf(chess), sessionsOf(poker)], [[ROBO_SESSION], [ROBO_SESSION]]);
  poker.close();
  check.equal(operator.fault({ do: "resendSession", id: "poker" }), "notNow");
  check.equal(operator.fault({ do: "resendSession", id: "nobody" }), "notFound");
  check.equal(new Operator(scenario, ["watch", "command"]).fault({ do: "resendSession" }), "notAllowed");
  check.equal(scenario.observed("operator_acted").map(({ did, to, outcome }) => `${did} ${to} ${outcome}`), [
    "introduce chess done",
    "introduce all done",
    "introduce poker notNow",
    "introduce nobody notFound",
    "introduce all notAllowed",
  ]);
});

test("NB267c a real Neuro's session is sent again, too; while it is unknown, no game is asked", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const operator = new Operator(scenario);
  const chess = started(scenario, "Chess", "move");
  chess.heard();
  check.equal(operator.ask({ do: "resendSession" }).body, { status: "asked", count: 0 });
  neuro.introduce("evil");
  chess.heard();
  operator.ask({ do: "resendSession" });
  check.equal(sessionsOf(chess), [{ session: { sessionId: "s", characterId: "evil", displayName: "evil" } }]);
});
