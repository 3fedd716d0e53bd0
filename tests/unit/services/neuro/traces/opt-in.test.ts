/** Traces for the integration itself: `neuro-relay/trace`. */
import { test } from "#runner";
import { isObject, type JsonObject } from "../../../../../src/core/json.ts";
import { type PeerId, toRequestId } from "../../../../../src/core/ids.ts";
import { check } from "../../../../harness/check.ts";
import { action, type FakeGame, Scenario, started } from "../fixture.ts";

/** The traces that a game was sent since the last call. */
const tracesOf = (game: FakeGame): readonly JsonObject[] =>
  game.heardFrames().flatMap(({ command, data }) =>
    command === "neuro-relay/trace" && isObject(data) && isObject(data["trace"]) ? [data["trace"]] : []
  );

const summaries = (game: FakeGame): readonly string[] => tracesOf(game).map(({ kind, outcome }) => `${kind} ${outcome}`);

function situation() {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  return { scenario, neuro, chess: started(scenario, "Chess", "move"), poker: started(scenario, "Poker", "bet") };
}

test("TR15 a game that asks for its traces gets them, and no other does, until it asks for no more or leaves", () => {
  const { scenario, neuro, chess, poker } = situation();
  chess.context("before").heard();
  chess.say("neuro-relay/trace");
  check.equal(chess.heardFrames(), [{ command: "neuro-relay/trace", data: { enabled: true } }]);
  chess.context("It is cold.").force(["move"]);
  check.equal(summaries(chess), ["context sent"]);
  poker.context("Not yours.");
  neuro.action("u1", "move");
  chess.result(true);
  scenario.pass(500);
  check.equal(summaries(chess), ["action succeeded", "force completed"]);
  check.equal(summaries(poker), []);
  chess.say("neuro-relay/trace", { enabled: false });
  check.equal(chess.heardFrames(), [{ command: "neuro-relay/trace", data: { enabled: false } }]);
  chess.context("unseen");
  check.equal(summaries(chess), []);
  chess.say("neuro-relay/trace", { enabled: true }).close();
  const again = started(scenario, "Chess", "move").context("It is back.");
  check.equal(summaries(again), []);
  for (const enabled of ["yes", 1, null, {}]) again.say("neuro-relay/trace", { enabled }).context(`${enabled}`);
  const accepted = again.heardFrames().filter(({ command }) => command === "neuro-relay/trace").length;
  check.equal(accepted, 3, "null counts as absent: the answer, and the contexts after it");
  check.equal(scenario.observed("input_refused").at(-1)?.reason, "`enabled` must be true or false");
});

test("TR15 an integration of the Intermediary that joined with traces gets its own", () => {
  const { scenario } = situation();
  const peer = "m9" as PeerId;
  scenario.post({ is: "integrationJoined", peer, name: "lamp", traces: true });
  scenario.posted();
  scenario.post({ is: "gameMessage", peer, message: { command: "context", message: "It is dark.", silent: true } });
  const [message] = scenario.posted().flatMap((each) =>
    each.is === "neuroMessage" && each.peer === peer ? [each.message] : []
  );
  check.that(message?.command === "other" && message.name === "neuro-relay/trace" && isObject(message.data?.["trace"]));
  check.equal(message.data["trace"]["texts"], { context: "It is dark." });
});

test("TR15b the trace of a shared action has no name of another integration, nor its result, nor an operator's name", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const [one, two] = [started(scenario, "One", action("shared")), started(scenario, "Two", action("shared"))];
  for (const game of [one, two]) game.say("neuro-relay/trace").heard();
  neuro.action("u1", "shared");
  one.result(true, { message: "a secret of One" });
  const [own] = tracesOf(one);
  const [other] = tracesOf(two);
  check.equal([own?.["texts"], other?.["texts"]], [{ result: "a secret of One" }, {}]);
  check.equal([own?.["names"], other?.["names"]], [["One"], ["Two"]]);
  check.that(!JSON.stringify(own).includes("Two") && !JSON.stringify(other).includes("One"), JSON.stringify(other));
  scenario.step({
    is: "requested",
    requestId: toRequestId("1"),
    principal: { by: "ada", scopes: ["command"] },
    request: { of: "neuro", do: "sendAction", id: "one", name: "shared" },
  });
  one.result(true);
  const [sent] = tracesOf(one);
  check.that(sent !== undefined && !JSON.stringify(sent).includes("ada"), JSON.stringify(sent));
});

test("TR15b a trace that is larger than a game's buffer comes without texts", () => {
  const { chess } = situation();
  const names = Array.from({ length: 64 }, (_, at) => `${at}${"n".repeat(900)}`);
  chess.say("neuro-relay/trace").heard();
  chess.force(names, { query: "é".repeat(4_000), state: "é".repeat(4_000) }).startup();
  const [trace] = tracesOf(chess);
  check.equal([trace?.["kind"], trace?.["texts"], trace?.["actions"]], ["force", {}, []]);
});

test("TR15c the request of a game survives an internal error and sleep", () => {
  const { scenario, chess } = situation();
  chess.say("neuro-relay/trace");
  const attached = scenario.effects.findLast((effect) => effect.do === "attach" && effect.peer === chess.peer);
  check.that(attached?.do === "attach");
  const { attachment } = attached;
  const connection = { address: "127.0.0.1", path: "/", userAgent: "", via: "" };
  const again = new Scenario({
    entries: scenario.entries(),
    resumed: [{ listener: "neuro", peer: chess.peer, connection, attachment }],
  });
  check.equal(again.harness.state.games.get("neuro:Chess")?.wantsTraces, true);
});
