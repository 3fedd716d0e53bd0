/** Policies: how many contexts of an integration reach Neuro, how long they are, what they look like, and which replace each other. */
import { test } from "#runner";
import { toRequestId } from "../../../../../src/core/ids.ts";
import { CONTEXT_KEYS_MAX } from "../../../../../src/core/limits.ts";
import { seededRandom } from "../../../../../src/core/random.ts";
import type { PolicySettings } from "../../../../../src/core/settings.ts";
import { wildcardsIn } from "../../../../../src/core/text.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, Scenario, started } from "../fixture.ts";

interface Table {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly chess: FakeGame;
}

function table(policy: Omit<PolicySettings, "match">): Table {
  const scenario = new Scenario({ neuros: [{ context_rate: 0 }], integrations: [{ match: "Chess", ...policy }] });
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "move");
  neuro.heard();
  return { scenario, neuro, chess };
}

const countOf = (scenario: Scenario, what: string): number => {
  const { games } = scenario.harness.state;
  return [...games.values()].flatMap(({ findings }) => [...findings]).find(([id]) => id === what)?.[1].count ?? 0;
};

test("NB310 at most `contexts_per_minute` contexts of an integration reach Neuro, and the others are counted, on both listeners", () => {
  const scenario = new Scenario({ integrations: [{ match: "*", contexts_per_minute: 3 }] });
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "move");
  const overlay = scenario.integration("overlay");
  neuro.heard();
  for (let at = 0; at < 20; at++) {
    chess.context(`${at}`);
    overlay.say({ command: "context", message: `${at}`, silent: true });
  }
  const heard = neuro.heard();
  check.equal(heard.filter((text) => text.includes("Chess")), [
    "context [Chess] 0",
    "context [Chess] 1",
    "context [Chess] 2",
  ]);
  check.equal(heard.length, 6);
  check.equal(countOf(scenario, "contexts_dropped"), 17);
  check.equal(scenario.observed("diagnostic").map(({ what, from }) => [what, from]), [
    ["contexts_dropped", "Chess"],
    ["contexts_dropped", "overlay"],
  ]);
  scenario.pass(60_000);
  chess.context("next minute");
  check.equal(neuro.heard(), ["context [Chess] next minute"]);
});

test("NB310b a context that replaces a waiting one does not count", () => {
  const { scenario, neuro, chess } = table({ contexts_per_minute: 2, coalesce: ["Score: *"] });
  for (let at = 0; at < 10; at++) chess.context(`Score: ${at}`);
  scenario.pass(1_000);
  check.equal(neuro.heard(), ["context [Chess] Score: 0", "context [Chess] Score: 9"]);
  chess.context("Score: 10");
  scenario.pass(1_000);
  check.equal(neuro.heard(), []);
});

test("NB311 a context has at most `context_length` characters, before the template", () => {
  const { scenario, neuro, chess } = table({ context_length: 16 });
  chess.context("0123456789abcdef");
  chess.context("0123456789abcdefg");
  chess.context("0123456789abcdefgh");
  check.equal(neuro.heard(), Array(3).fill("context [Chess] 0123456789abcdef"));
  check.equal(countOf(scenario, "context_shortened"), 2);
});

test("NB312 a context is written into the `context_template` of its integration", () => {
  const { scenario, neuro, chess } = table({ context_template: "<{game}> {message} </{game}>" });
  chess.context("mate in {game} $& {message}");
  started(scenario, "Poker").context("raise");
  check.equal(neuro.heard(), ["context <Chess> mate in {game} $& {message} </Chess>", "context [Poker] raise"]);
  scenario.configure({ integrations: [{ match: "*", context_template: "{message}" }] });
  chess.context("check");
  scenario.configure({ actions: { attribution: false } });
  chess.context("mate");
  check.equal(neuro.heard(), ["context check", "context mate"]);
});

test("NB312 the name of a game is no template", () => {
  const scenario = new Scenario({ integrations: [{ match: "*", context_template: "{game}: {message}" }] });
  const neuro = scenario.neuro().open();
  started(scenario, "{message} $1", "move").context("hello");
  check.equal(neuro.heard().at(-1), "context {message} $1: hello");
});

test("NB313 of contexts that match a pattern of `coalesce` the newest is sent, once in `coalesce_interval`", () => {
  const { scenario, neuro, chess } = table({ coalesce: ["Score: *"], coalesce_interval: 2_000 });
  for (let at = 0; at < 10; at++) {
    chess.context(`Score: ${at}`);
    scenario.pass(100);
  }
  chess.context("You win!");
  check.equal(neuro.heard(), ["context [Chess] Score: 0", "context [Chess] You win!"]);
  scenario.pass(999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["context [Chess] Score: 9"]);
  chess.context("Score: 10");
  scenario.pass(1_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["context [Chess] Score: 10"]);
  scenario.pass(2_000);
  chess.context("Score: 11");
  check.equal(neuro.heard(), ["context [Chess] Score: 11"]);
  check.equal(countOf(scenario, "context_replaced"), 8);
});

test("NB313b `{key}` separates contexts that do not replace each other", () => {
  const { scenario, neuro, chess } = table({ coalesce: ["Health of {key}: *", "*turn*"] });
  for (const text of ["Health of Vedal: 9", "Health of Neuro: 9", "White's turn", "Health of Vedal: 8", "Black's turn"]) {
    chess.context(text);
  }
  chess.context("Health of Vedal: 7").context("Health of Neuro: 8");
  check.equal(
    neuro.heard(),
    ["Health of Vedal: 9", "Health of Neuro: 9", "White's turn"].map((text) => `context [Chess] ${text}`),
  );
  scenario.pass(1_000);
  check.equal(
    neuro.heard(),
    ["Black's turn", "Health of Vedal: 7", "Health of Neuro: 8"].map((text) => `context [Chess] ${text}`),
  );
});

test("NB313b the text for a wildcard is the shortest one, as a regular expression finds it", () => {
  const random = seededRandom(7);
  const word = (letters: string, lengthMax: number) =>
    Array.from({ length: Math.floor(random() * (lengthMax + 1)) }, () => letters[Math.floor(random() * letters.length)])
      .join("");
  let matches = 0;
  for (let round = 0; round < 5_000; round++) {
    const pattern = word("ab*", 6);
    const text = word("ab", 8);
    const expected = new RegExp(`^${pattern.replaceAll("*", "(.*?)")}$`).exec(text);
    check.equal(wildcardsIn(pattern.split("*"), text), expected?.slice(1), `${pattern} ~ ${text}`);
    if (expected !== null) matches++;
  }
  check.that(matches > 500, `${matches}`);
});

test("NB313c contexts from before a force are sent with it", () => {
  const { scenario, neuro, chess } = table({ coalesce: ["Score: *"], coalesce_interval: 60_000 });
  chess.context("Score: 1").context("Score: 2").context("Score: 3").force(["move"]).context("Score: 4");
  check.equal(neuro.heard(), ["context [Chess] Score: 1", "context [Chess] Score: 3", "force move"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), ["context [Chess] Score: 4"]);
});

test("NB313d while Neuro is away only the newest context of a key waits, also over a restart", () => {
  const policies = { integrations: [{ match: "Chess", coalesce: ["Score: *"], coalesce_interval: 0 }] };
  const scenario = new Scenario(policies);
  const chess = started(scenario, "Chess", "move");
  for (const text of ["Score: 1", "Round 1", "Score: 2", "Score: 3"]) chess.context(text);
  scenario.pass(2_000);
  const entries = scenario.entries();
  check.equal(entries.filter(({ key }) => key.startsWith("neuro/context/")).length, 2);
  const restarted = new Scenario({ ...policies, entries, now: scenario.now + 1_000 });
  started(restarted, "Chess", "move").context("Score: 4");
  check.equal(restarted.neuro().open().heard().filter((text) => text.startsWith("context")), [
    "context [Chess] Round 1",
    "context [Chess] Score: 4",
  ]);
});

test("NB313e a delayed context survives a restart", () => {
  const policies = { integrations: [{ match: "Chess", coalesce: ["Score: *"], coalesce_interval: 10_000 }] };
  const scenario = new Scenario(policies);
  scenario.neuro().open();
  started(scenario, "Chess", "move").context("Score: 1").context("Score: 2");
  scenario.pass(2_000);
  const restarted = new Scenario({ ...policies, entries: scenario.entries(), now: scenario.now });
  check.equal(restarted.neuro().open().heard(), ["startup", "context [Chess] Score: 2"]);
});

test("NB313f the keys of an integration are bounded and charged to it; with too many keys, contexts are sent at once", () => {
  const { scenario, neuro, chess } = table({ coalesce: ["{key}:*"], coalesce_interval: 5_000 });
  const [game] = scenario.harness.state.games.values();
  const before = game?.retained.bytes ?? 0;
  for (let at = 0; at <= CONTEXT_KEYS_MAX; at++) chess.context(`${at}: 1`);
  check.equal(neuro.heard().length, CONTEXT_KEYS_MAX + 1);
  check.equal(game?.contextKeys?.size, CONTEXT_KEYS_MAX);
  check.that((game?.retained.bytes ?? 0) > before);
  chess.context(`${CONTEXT_KEYS_MAX}: 2`).context("0: 2").context(`${"x".repeat(65)}: 1`).context(`${"x".repeat(65)}: 1`);
  check.equal(neuro.heard().length, 3);
  scenario.pass(5_000);
  check.equal(neuro.heard(), ["context [Chess] 0: 2"]);
  chess.context("new: 1").context("new: 2");
  check.equal(neuro.heard(), ["context [Chess] new: 1"]);
  check.equal(game?.contextKeys?.size, CONTEXT_KEYS_MAX);
  scenario.configure({ neuros: [{ context_rate: 0 }] });
  check.equal(game?.contextKeys, undefined);
  scenario.pass(5_000);
  check.equal(neuro.heard(), ["context [Chess] new: 2"]);
  chess.context("bye").close();
  scenario.pass(86_400_001);
  check.equal(scenario.harness.state.games.size, 0);
  check.equal(scenario.harness.state.parked.bytes, 0);
});

test("NB313g delayed contexts of an integration that is held or muted are not sent", () => {
  const { scenario, neuro, chess } = table({ coalesce: ["Score: *"] });
  const controls = (to: { readonly paused?: boolean; readonly muted?: boolean }) =>
    scenario.step({
      is: "requested",
      requestId: toRequestId("1"),
      principal: { by: "test", scopes: ["admin"] },
      request: { of: "neuro", do: "setControls", id: "chess", to },
    });
  chess.context("Score: 1").context("Score: 2");
  controls({ paused: true });
  neuro.heard();
  scenario.pass(2_000);
  check.equal(neuro.heard(), []);
  controls({ paused: false });
  check.equal(neuro.heard(), ["register move", "context [Chess] Score: 2"]);
  chess.context("Score: 3");
  controls({ muted: true });
  scenario.pass(2_000);
  check.equal(neuro.heard(), []);
});
