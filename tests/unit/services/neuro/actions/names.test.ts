/** Upstream names of actions. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { FakeNeuro, otherAction, Scenario, type ScenarioOptions, started } from "../fixture.ts";

function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: FakeNeuro } {
  const scenario = new Scenario(options);
  return { scenario, neuro: scenario.neuro().open() };
}

/** All names that Neuro was ever given. */
function namesHeard(neuro: FakeNeuro): readonly string[] {
  return neuro.heard().filter((word) => word.startsWith("register")).flatMap((word) => word.split(" ").slice(1));
}

const LEGAL = /^[a-z0-9_-]{1,64}$/;

test("NB28 every name is legal and unique, and maps back to the exact name that the game registered", () => {
  const { scenario, neuro } = opened();
  const originals = [
    "b--c",
    "Buy Now",
    "buy_now",
    "x/y",
    "x.y",
    "ゲーム",
    "",
    "é",
    "A".repeat(70),
    "A".repeat(71),
    "__proto__",
  ];
  const games = ["Game A", "game-a!", "ゲーム", "g--a", "g"].map((name) =>
    started(scenario, name, ...originals.filter(Boolean).map((each) => otherAction(each, `${name} ${each}`)))
  );
  const names = namesHeard(neuro);
  check.equal(names.length, games.length * 10);
  check.equal(new Set(names).size, names.length);
  for (const name of names) check.match(name, LEGAL);
  const reached = new Map<string, Set<string>>();
  for (const [at, name] of names.entries()) {
    neuro.action(`u${at}`, name);
    for (const game of games) {
      for (const { data } of game.heardFrames()) {
        const { name: original } = data as { name: string };
        reached.set(game.name, (reached.get(game.name) ?? new Set()).add(original));
      }
    }
  }
  for (const game of games) check.equal([...reached.get(game.name) ?? []].sort(), originals.filter(Boolean).sort());
});

test("NB28 names of games and actions that are equal when joined stay different", () => {
  const { scenario, neuro } = opened({ actions: { naming: "prefixed" } });
  started(scenario, "g--a", "b");
  started(scenario, "g", "a--b");
  started(scenario, "G", "a--b");
  const names = namesHeard(neuro);
  check.equal(new Set(names).size, 3);
  for (const name of names) check.match(name, LEGAL);
});

test("NB28b names are stable over a reconnect, and over a restart of the relay", () => {
  const { scenario, neuro } = opened();
  started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", otherAction("a"));
  check.equal(neuro.heard(), ["startup", "register a", "register poker--a"]);
  neuro.drop();
  check.equal(neuro.reopen().heard(), ["startup", "register a poker--a"]);
  scenario.pass(1_000);
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now });
  const again = later.neuro().open();
  check.equal(again.heard(), ["startup"], "those who are not back are not registered");
  later.game("Poker").context("back");
  check.equal(again.heard(), ["register poker--a", "context [Poker] back"]);
  check.that(poker.heard().length === 0);
});

test("NB29 the first owner keeps the plain name; another definition gets a prefix", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  started(scenario, "Poker", otherAction("a"));
  check.equal(neuro.heard(), ["startup", "register a", "register poker--a"]);
  chess.register(otherAction("a", "third"));
  check.equal(neuro.heard(), ["unregister a", "register a"], "a sole owner that redefines keeps it");
});

test("NB29 an owner that changes a shared definition gets a prefix, and one that adopts it shares it", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "a");
  neuro.heard();
  poker.register(otherAction("a"));
  check.equal(neuro.heard(), ["register poker--a"]);
  poker.register("a");
  check.equal(neuro.heard(), ["unregister poker--a"]);
  neuro.action("u1", "a");
  check.equal([chess.heard(), poker.heard()], [["action a"], ["action a"]]);
});

test("NB29b an action that is registered again gets its name back, and no other game gets it meanwhile", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  chess.unregister("a");
  const poker = started(scenario, "Poker", otherAction("a"));
  chess.register(otherAction("a", "new"));
  poker.unregister("a").register(otherAction("a"));
  check.equal(namesHeard(neuro), ["a", "poker--a", "a", "poker--a"]);
});

test("NB29b after a restart no other game gets a reserved name, even for an action without a description", () => {
  const { scenario } = opened();
  started(scenario, "Chess", "a").unregister("a");
  scenario.pass(1_000);
  const later = new Scenario({ entries: scenario.entries(), now: scenario.now });
  const neuro = later.neuro().open();
  started(later, "Poker", { name: "a", description: "" });
  check.equal(namesHeard(neuro), ["poker--a"]);
});

test("NB29 after a restart an action that became shareable is shared and does not get its former name", () => {
  const { scenario } = opened();
  started(scenario, "Chess", "a");
  started(scenario, "Poker", otherAction("a", "another"));
  scenario.pass(1_000);
  const entries = scenario.entries().map(({ key, value }) => ({
    key,
    value: JSON.parse(JSON.stringify(value).replace("another", "does a")),
  }));
  const later = new Scenario({ entries, now: scenario.now });
  const neuro = later.neuro().open();
  for (const name of ["Poker", "Chess"]) later.game(name).context("back");
  check.equal(neuro.heard(), ["startup", "register a", "context [Poker] back", "context [Chess] back"]);
});

test("NB30 `prefixed`: always the owner's prefix, never shared", () => {
  const { scenario, neuro } = opened({ actions: { naming: "prefixed" } });
  started(scenario, "Buckshot Roulette", "shoot");
  started(scenario, "Other", "shoot");
  check.equal(neuro.heard(), ["startup", "register buckshot-roulette--shoot", "register other--shoot"]);
});

test("NB28 a name that is too long for an identity is shortened, and two such names stay distinct", () => {
  const { scenario } = opened();
  const long = "x".repeat(100);
  started(scenario, `${long}1`, "a");
  started(scenario, `${long}2`, "b");
  const names = [...scenario.harness.state.games.values()].map(({ name }) => name);
  check.equal(new Set(names).size, 2);
  for (const name of names) check.that([...name].length <= 64);
});
