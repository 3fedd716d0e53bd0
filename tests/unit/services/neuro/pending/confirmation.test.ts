/** Clients that send no results of successes: evidence in their other messages, and what ends that assumption. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, Scenario, type ScenarioOptions, started } from "../fixture.ts";

/** A scenario with a connected Neuro. */
function opened(options: ScenarioOptions = {}): { scenario: Scenario; neuro: ReturnType<Scenario["neuro"]> } {
  const scenario = new Scenario(options);
  return { scenario, neuro: scenario.neuro().open() };
}

const ends = (scenario: Scenario): readonly string[] =>
  scenario.observed("force_ended").map(({ integration, end }) => `${integration} ${end}`);

interface Evidence {
  readonly what: string;
  readonly isForced?: boolean;
  /** The message of the game, while its action `buy_book` is pending. */
  send(game: ReturnType<typeof started>): void;
  readonly settles: boolean;
}

const EVIDENCE: readonly Evidence[] = [
  { what: "it unregisters the action", send: (game) => game.unregister("buy_book"), settles: true },
  {
    what: "it unregisters the action of its force",
    isForced: true,
    send: (game) => game.unregister("buy_book"),
    settles: true,
  },
  { what: "it unregisters another action", send: (game) => game.unregister("wait"), settles: false },
  {
    what: "it forces again after the action of its force",
    isForced: true,
    send: (game) => game.force(["wait"]),
    settles: true,
  },
  { what: "it forces the action again", send: (game) => game.force(["buy_book", "wait"]), settles: true },
  { what: "it forces another action while no force was answered", send: (game) => game.force(["wait"]), settles: false },
  { what: "a context names the action", send: (game) => game.context("You used buy_book."), settles: true },
  { what: "a context has the words of its name", send: (game) => game.context("Buy book: done"), settles: true },
  { what: "a context has a longer word", send: (game) => game.context("You rebuy bookshelves"), settles: false },
  { what: "a context is about something else", send: (game) => game.context("It rains"), settles: false },
  { what: "it registers another action", send: (game) => game.register("other"), settles: false },
  { what: "it registers the action again", send: (game) => game.register("buy_book"), settles: false },
];

test("NB15d NB15e evidence that an action is over makes it a success after 2 s, and nothing else does", () => {
  for (const { what, isForced = false, send, settles } of EVIDENCE) {
    const { scenario, neuro } = opened();
    const game = started(scenario, "Go Game", "buy_book", "wait");
    const other = started(scenario, "Poker", "bet");
    other.result(true);
    if (isForced) game.force(["buy_book", "wait"]);
    neuro.action("u1", "buy_book");
    neuro.heard();
    scenario.pass(100);
    send(game);
    scenario.pass(1_999);
    const results = () => neuro.heard().filter((line) => line.startsWith("result"));
    check.equal(results(), [], `${what}: early`);
    scenario.pass(1);
    check.equal(results(), settles ? ["result u1 true"] : [], what);
    check.equal(
      scenario.observed("input_repaired").map(({ from, what }) => `${from} ${what}`),
      settles ? ["Go Game results_missing"] : [],
    );
    scenario.pass(18_000);
    check.equal(results().length, settles ? 0 : 1, `${what}: exactly one result`);
    game.register("later");
    neuro.action("u2", "later");
    scenario.pass(500);
    check.equal(results(), settles ? ["result u2 true"] : [], `${what}: a later action`);
  }
});

test("NB15d a result within 2 s after the evidence is the result, whatever it says", () => {
  for (const success of [true, false]) {
    const { scenario, neuro } = opened();
    const game = started(scenario, "Chess", "a", "b");
    neuro.action("u1", "a");
    game.unregister("a");
    scenario.pass(1_999);
    game.result(success);
    neuro.heard();
    neuro.action("u2", "b");
    scenario.pass(1_000);
    check.equal(neuro.heard(), [], "its next result is awaited");
    check.equal(scenario.observed("input_repaired"), []);
    check.equal(scenario.observed("action_result").map(({ success, origin }) => `${success} ${origin}`), [
      `${success} game`,
    ]);
  }
});

test("NB15d the newer force of such a client is sent without a wait for the deadline", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Go Game", "a", "b").force(["a"]);
  neuro.action("u1", "a");
  game.force(["b"]);
  neuro.heard();
  scenario.pass(1_999);
  check.equal(neuro.heard(), []);
  scenario.pass(501);
  check.equal(neuro.heard(), ["result u1 true", "force b"]);
  neuro.action("u2", "b");
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u2 true"]);
});

test("NB15d the other actions of such a client do not wait, either", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Go Game", "a", "b");
  neuro.action("u1", "a");
  neuro.action("u2", "b");
  neuro.heard();
  game.context("a is done");
  scenario.pass(2_000);
  check.equal(neuro.heard(), ["context [Go Game] a is done", "result u1 true"]);
  scenario.pass(500);
  check.equal(neuro.heard(), ["result u2 true"]);
});

test("NB15e the evidence of one game settles no action of another, and none of a client that has sent a success", () => {
  const { scenario, neuro } = opened();
  const chess = started(scenario, "Chess", "a");
  const poker = started(scenario, "Poker", "a", "bet");
  chess.force(["a"]);
  neuro.action("u1", "a");
  neuro.heard();
  poker.context("a").force(["a"]).unregister("a");
  scenario.pass(17_000);
  check.equal(neuro.heard().filter((line) => line.startsWith("result")), [], "of another game");
  chess.result(true);
  scenario.pass(500);
  neuro.heard();
  neuro.action("u2", "a");
  chess.context("a").force(["a"]).unregister("a");
  scenario.pass(17_000);
  check.equal(neuro.heard().filter((line) => line.startsWith("result")), [], "of a client that confirms");
  chess.result(false);
  check.equal(neuro.heard().at(-1), "result u2 false");
});

test("NB15e a success that arrives after the evidence for another action shows that the result may still come", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Chess", "a", "b");
  neuro.action("u1", "a");
  neuro.action("u2", "b");
  const [first = "", second = ""] = game.ids();
  game.unregister("a", "b").result(true, { id: first });
  neuro.heard();
  scenario.pass(10_000);
  check.equal(neuro.heard(), []);
  game.result(false, { id: second });
  check.equal(neuro.heard(), ["result u2 false"]);
});

test("NB15e evidence of one owner of a shared action settles it, and evidence of a game without it does not", () => {
  const { scenario, neuro } = opened();
  const one = started(scenario, "One", "a");
  started(scenario, "Two", "a");
  neuro.action("u1", "a");
  neuro.heard();
  started(scenario, "Three", "b").context("a");
  scenario.pass(5_000);
  check.equal(neuro.heard(), ["register b", "context [Three] a"]);
  one.context("a");
  scenario.pass(2_000);
  check.equal(neuro.heard(), ["context [One] a", "result u1 true"]);
  check.equal(scenario.observed("input_repaired").map(({ from }) => from), ["One"]);
});

test("NB15h an action that is over by evidence does not answer the force that its game sent after it", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Go Game", "a");
  neuro.action("u1", "a");
  neuro.heard();
  game.force(["a"]);
  scenario.pass(2_000);
  check.equal(neuro.heard(), ["force a", "result u1 true", "unregister a", "register a", "force a"]);
  neuro.action("u2", "a");
  scenario.pass(1_000);
  check.equal([neuro.heard(), ends(scenario)], [["result u2 true"], ["Go Game completed"]]);
});

test("NB15f a success that comes late ends the assumption that a client sends none", () => {
  for (const late of [true, false]) {
    const { scenario, neuro } = opened();
    const game = started(scenario, "Slow Game", "a");
    neuro.action("u1", "a");
    game.context("a begins");
    scenario.pass(2_000);
    game.result(late);
    neuro.heard();
    neuro.action("u2", "a");
    scenario.pass(1_000);
    check.equal(neuro.heard(), late ? [] : ["result u2 true"]);
    check.equal(scenario.observed("result_ignored").map(({ why }) => why), ["late"]);
  }
});

test("NB15f the assumption survives a restart of the relay", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Go Game", "a");
  scenario.pass(1_000);
  scenario.store();
  neuro.action("u1", "a");
  game.context("a");
  scenario.pass(3_000);
  const next = new Scenario({ entries: scenario.entries() });
  const again = next.neuro().open();
  next.game("Go Game").register("a");
  again.action("u2", "a");
  next.pass(500);
  check.equal(again.heard().at(-1), "result u2 true");
});

test("NB15i a failure that comes after its action counted as a success asks Neuro again for the force", () => {
  const policies = { "failures-only": 500, "required": 18_000 } as const;
  for (const [results, ms] of Object.entries(policies) as [keyof typeof policies, number][]) {
    const { scenario, neuro } = opened({ integrations: [{ match: "*", results }] });
    const game = started(scenario, "Slow Game", "a").force(["a"]);
    neuro.action("u1", "a");
    scenario.pass(ms + 600);
    const id = game.lastId();
    neuro.heard();
    check.equal(ends(scenario), ["Slow Game completed"]);
    game.result(false, { id });
    check.equal(neuro.heard(), ["force a"], results);
    game.result(false, { id });
    check.equal(neuro.heard(), [], "once");
  }
});

test("NB15i such a failure changes nothing once the game has sent another force, or has begun again", () => {
  for (
    const send of [
      (game) => game.force(["b"]),
      (game) => game.startup().register("a", "b"),
    ] as ((game: FakeGame) => FakeGame)[]
  ) {
    const { scenario, neuro } = opened({ integrations: [{ match: "*", results: "failures-only" }] });
    const game = started(scenario, "Slow Game", "a", "b").force(["a"]);
    neuro.action("u1", "a");
    scenario.pass(1_100);
    const id = game.lastId();
    send(game);
    neuro.heard();
    game.result(false, { id });
    check.equal(neuro.heard(), []);
  }
});

test("NB15i such a failure changes nothing if the game had sent another force before the action counted as a success", () => {
  const { scenario, neuro } = opened();
  const game = started(scenario, "Slow Game", "a", "b").force(["a"]);
  neuro.action("u1", "a");
  const id = game.lastId();
  game.force(["b"]);
  neuro.heard();
  scenario.pass(2_600);
  check.equal(neuro.heard(), ["result u1 true", "force b"]);
  game.result(false, { id });
  check.equal(neuro.heard(), []);
  neuro.action("u2", "b");
  game.result(false);
  check.equal([neuro.heard(), ends(scenario)], [["result u2 false"], ["Slow Game completed"]], "Neuro tries again");
});

test("NB15g a client without results that disconnects within 500 ms gets its grace", () => {
  const { scenario, neuro } = opened({ integrations: [{ match: "*", results: "failures-only" }] });
  const game = started(scenario, "Go Game", "a");
  neuro.action("u1", "a");
  game.heard();
  neuro.heard();
  game.close();
  scenario.pass(9_999);
  check.equal(neuro.heard(), []);
  scenario.pass(1);
  check.equal(neuro.heard(), ["unregister a", "result u1 false"]);
});
