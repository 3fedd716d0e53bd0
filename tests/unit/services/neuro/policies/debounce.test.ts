/** Policies: changes of a flapping action set wait for each other, and never for a force. */
import { test } from "#runner";
import { seededRandom } from "../../../../../src/core/random.ts";
import type { PolicySettings } from "../../../../../src/core/settings.ts";
import { check } from "../../../../harness/check.ts";
import { action, type FakeGame, type FakeNeuro, otherAction, Scenario, started } from "../fixture.ts";

interface Lists {
  readonly actions?: readonly { readonly name: string; readonly description: string }[];
  readonly action_names?: readonly string[];
}

interface Table {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly chess: FakeGame;
}

function table(policy: Omit<PolicySettings, "match"> = {}): Table {
  const scenario = new Scenario({ integrations: [{ match: "Chess", debounce: 1_000, ...policy }] });
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "move", "look");
  scenario.pass(policy.debounce ?? 1_000);
  check.equal(neuro.heard(), ["startup", "register move look"]);
  return { scenario, neuro, chess };
}

test("NB320 ten changes within `debounce` cost Neuro one change, on both listeners", () => {
  const { scenario, neuro, chess } = table();
  scenario.configure({ integrations: [{ match: "*", debounce: 1_000 }] });
  const overlay = scenario.integration("overlay");
  for (let at = 0; at < 5; at++) {
    chess.unregister("move").register(otherAction("move", `version ${at}`), `jump_${at}`);
    overlay.register(`show_${at}`);
    scenario.pass(150);
  }
  check.equal(neuro.heard(), []);
  scenario.pass(250);
  check.equal(neuro.heard(), [
    "unregister move",
    "register move jump_0 jump_1 jump_2 jump_3 jump_4",
    "register show_0 show_1 show_2 show_3 show_4",
  ]);
  scenario.pass(5_000);
  check.equal(neuro.heard(), []);
});

test("NB320b a change that is taken back costs nothing", () => {
  const { scenario, neuro, chess } = table();
  for (let at = 0; at < 10; at++) {
    chess.unregister("move");
    scenario.pass(50);
    chess.register("move", "jump").unregister("jump");
    scenario.pass(50);
  }
  scenario.pass(1_000);
  check.equal(neuro.heard(), []);
});

test("NB320c changes wait from the first one on, so a game that never rests is heard, too", () => {
  const { scenario, neuro, chess } = table();
  for (let at = 0; at < 30; at++) {
    chess.register(`jump_${at}`);
    scenario.pass(100);
  }
  check.equal(neuro.heard().map((text) => text.split(" ").length - 1), [10, 10, 10]);
});

test("NB321 a force sends the changes that wait first, and nothing waits until it is over", () => {
  const { scenario, neuro, chess } = table();
  chess.register("jump").unregister("look").force(["move", "jump"]);
  check.equal(neuro.heard(), ["unregister look", "register jump", "force move jump"]);
  chess.register("fly");
  check.equal(neuro.heard(), ["register fly"]);
  neuro.action("1", "move");
  chess.unregister("move", "jump").result(true);
  check.equal(neuro.heard(), ["unregister move jump", "result 1 true"]);
  check.equal(scenario.observed("force_ended").map(({ end }) => end), ["completed"]);
  chess.register("move");
  check.equal(neuro.heard(), []);
  scenario.pass(1_000);
  check.equal(neuro.heard(), ["register move"]);
});

test("NB321 the actions of a force that waits behind another game's are registered at once", () => {
  const { scenario, neuro, chess } = table();
  started(scenario, "Poker", "bet").force(["bet"]);
  neuro.heard();
  chess.register("jump").force(["jump"]).register("fly");
  check.equal(neuro.heard(), ["register jump", "register fly"]);
});

test("NB321b a force whose actions are registered after it does not wait for them", () => {
  const { neuro, chess } = table();
  chess.force(["jump"]).register("jump");
  check.equal(neuro.heard(), ["register jump", "force jump"]);
});

test("NB322 an action whose unregistration waits is answered and not delivered", () => {
  const { scenario, neuro, chess } = table();
  chess.unregister("move");
  chess.heard();
  neuro.action("1", "move");
  const message = "This action is no longer available.";
  check.equal(neuro.frames().map(({ data }) => data), [{ id: "1", success: false, message }]);
  check.equal(chess.heard(), []);
  chess.register("move");
  neuro.action("2", "move");
  check.equal(chess.heard(), ["action move"]);
  chess.result(true);
  check.equal(neuro.heard(), ["result 2 true"]);
  scenario.pass(1_000);
  check.equal(neuro.heard(), []);
});

test("NB322b changes of other games, an operator's commands and new connections wait for nothing", () => {
  const { scenario, neuro, chess } = table();
  chess.register("jump").unregister("look");
  started(scenario, "Poker", "bet");
  check.equal(neuro.heard(), ["register bet"]);
  scenario.configure({ integrations: [{ match: "Chess", debounce: 1_000, hide: ["move"] }] });
  check.equal(neuro.heard(), ["unregister move"]);
  neuro.drop();
  neuro.reopen();
  check.equal(neuro.heard(), ["startup", "register jump bet"]);
  scenario.pass(1_000);
  check.equal(neuro.heard(), []);
});

test("NB322c the actions of a game that has left are unregistered after its grace, whatever waits", () => {
  const { scenario, neuro, chess } = table({ grace: 100, debounce: 60_000 });
  chess.unregister("look").register("jump").close();
  scenario.pass(100);
  check.equal(neuro.heard(), ["unregister look move"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NB322d a name that is taken by another action while its unregistration waits is unregistered first", () => {
  const { scenario, neuro, chess } = table({ debounce: 60_000, parked: 1_000 });
  chess.unregister("move");
  scenario.pass(1_001);
  started(scenario, "Poker", otherAction("move"));
  check.equal(neuro.heard(), ["unregister move", "register move"]);
  neuro.action("1", "move");
  scenario.pass(60_000);
  check.equal(neuro.heard().filter((text) => !text.startsWith("result")), []);
});

test("NB322d a name that is taken while two games wait is registered once, for its new owners", () => {
  const scenario = new Scenario({
    integrations: [{ match: "Chess", debounce: 5_000, parked: 1_000 }, { match: "Poker", debounce: 60_000 }],
  });
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "move");
  scenario.pass(5_000);
  chess.unregister("move");
  scenario.pass(1_001);
  neuro.heard();
  started(scenario, "Poker", otherAction("move"));
  check.equal(neuro.heard(), ["unregister move"]);
  started(scenario, "Go", otherAction("move"));
  check.equal(neuro.heard(), ["register move"]);
  scenario.pass(60_000);
  check.equal(neuro.heard(), []);
});

test("NB322f a game that is moved to another upstream leaves nothing behind", () => {
  const neuros = [{ id: "neuro" }, { id: "evil" }];
  const scenario = new Scenario({ neuros, integrations: [{ match: "*", debounce: 1_000 }] });
  const [neuro, evil] = [scenario.neuro("neuro").open(), scenario.neuro("evil").open()];
  const chess = started(scenario, "Chess", "move", "look");
  scenario.pass(1_000);
  chess.unregister("move").register("jump");
  neuro.heard();
  evil.heard();
  scenario.configure({ neuros, integrations: [{ match: "*", debounce: 1_000, upstream: "evil" }] });
  check.equal([neuro.heard(), evil.heard()], [["unregister look move"], ["register look jump"]]);
  scenario.pass(1_000);
  check.equal([neuro.heard(), evil.heard()], [[], []]);
});

test("NB322g at most `limits.actions_per_integration` changes wait", () => {
  const { scenario, neuro, chess } = table({ debounce: 60_000, parked: 1_000 });
  const [game] = scenario.harness.state.games.values();
  let sizeMax = 0;
  for (let at = 0; at < 1_100; at++) {
    chess.register(`jump_${at}`).unregister(`jump_${at}`);
    sizeMax = Math.max(sizeMax, game?.waitingChanges?.size ?? 0);
    if (at % 100 === 0) scenario.pass(1_001);
  }
  check.that(sizeMax > 400 && sizeMax <= 500, `${sizeMax}`);
  check.equal(neuro.heard(), []);
});

test("NB322e an unregistration with `main_thread` is sent at once, and as it is", () => {
  const { neuro, chess } = table();
  chess.say("actions/unregister", { action_names: ["move"], main_thread: true });
  check.equal(neuro.frames().map(({ data }) => data), [{ action_names: ["move"], main_thread: true }]);
});

test("NB323 after the changes have been sent, Neuro has the actions that the games have, whatever they did before", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const pick = (count: number) => Math.floor(random() * count);
    const scenario = new Scenario({
      actions: { grace: 500, settle: 100 },
      integrations: [{ match: "Chess", debounce: 300, parked: 1_000 }, { match: "Poker", debounce: 700 }],
    });
    const neuro = scenario.neuro().open();
    const names = ["a", "b", "c", "d"];
    const games = ["Chess", "Poker", "Go"].map((name) => started(scenario, name));
    const listed = new Map<string, string>();
    let ids = 0;
    const read = () => {
      for (const { command, data } of neuro.frames()) {
        const { actions = [], action_names = [] } = (data ?? {}) as unknown as Lists;
        if (command === "actions/unregister") { for (const name of action_names) listed.delete(name); }
        if (command === "actions/force") {
          for (const name of action_names) check.that(listed.has(name), `${seed}: ${name}`);
        }
        for (const { name, description } of actions) {
          check.that(!listed.has(name), `${seed}: ${name} is registered twice`);
          listed.set(name, description);
        }
      }
    };
    for (let turn = 0; turn < 60; turn++) {
      const at = pick(3);
      const game = games[at] as FakeGame;
      const name = names[pick(4)] ?? "";
      const what = pick(10);
      if (what < 4) game.register(pick(2) === 0 ? action(name) : otherAction(name, game.name));
      else if (what < 7) game.unregister(name);
      else if (what === 7) game.force([name]);
      else if (what === 8) neuro.action(`${++ids}`, [...listed.keys()][0] ?? name);
      else if (pick(3) === 0) {
        game.close();
        games[at] = scenario.game(game.name);
      }
      for (const each of games) if (each.heard().some((text) => text.startsWith("action "))) each.result(pick(2) === 0);
      scenario.pass(pick(400));
      read();
    }
    scenario.pass(30_000);
    read();
    const wanted = [...scenario.harness.state.games.values()].filter(({ isVisible }) => isVisible)
      .flatMap(({ actions }) => [...actions.values()].map(({ upstreamAction: { definition } }) => definition));
    check.equal(
      [...listed].sort(),
      [...new Map(wanted.map(({ name, description }) => [name, description]))].sort(),
      `${seed}`,
    );
  }
});
