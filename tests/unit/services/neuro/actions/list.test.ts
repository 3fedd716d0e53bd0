/** Games register, redefine and unregister in any order: Neuro's list is exactly what they have, and each name on it works. */
import { test } from "#runner";
import fc from "fast-check";
import { isObject, type JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, otherAction, Scenario } from "../fixture.ts";

const GAMES = ["A", "B"];
const NAMES = ["look", "a--look"];
const DESCRIPTIONS = ["one", "two"];

interface Step {
  readonly game: number;
  readonly name: number;
  /** Undefined: the name is unregistered. */
  readonly description: number | undefined;
}

const steps = fc.array(
  fc.record({
    game: fc.nat(GAMES.length - 1),
    name: fc.constantFrom(0, 0, 0, 1), // Why: the same name again and again finds more.
    description: fc.option(fc.nat(DESCRIPTIONS.length - 1), { nil: undefined }),
  }),
  { maxLength: 25 },
);

/** Neuro's list, from the frames: descriptions by name. A name must not be registered twice. */
function listen(neuro: FakeNeuro, list: Map<string, string>): void {
  for (const { command, data } of neuro.frames()) {
    if (!isObject(data)) continue;
    if (command === "actions/unregister") { for (const name of data["action_names"] as string[]) list.delete(name); }
    if (command !== "actions/register") continue;
    for (const { name, description } of data["actions"] as { name: string; description: string }[]) {
      check.that(!list.has(name), `${name} is registered twice`);
      list.set(name, description);
    }
  }
}

/** The games that get an action of Neuro under a name. */
function reached(neuro: FakeNeuro, games: readonly FakeGame[], name: string): readonly string[] {
  for (const game of games) game.heard();
  neuro.action(`u-${name}`, name);
  const isFor = ({ data }: JsonObject) => isObject(data) && "id" in data;
  const found = games.filter((game) => {
    const actions = game.heardFrames().filter(isFor);
    for (const { data } of actions) game.result(true, { id: String((data as JsonObject)["id"]) });
    return actions.length > 0;
  });
  neuro.frames();
  return found.map((game) => game.name);
}

for (const naming of ["shared", "prefixed"] as const) {
  test(`NB28c Neuro has each action of the games once, and under its name it reaches its owners (${naming})`, () => {
    fc.assert(
      fc.property(steps, (all: readonly Step[]) => {
        const scenario = new Scenario({ actions: { naming } });
        const neuro = scenario.neuro().open();
        const games = GAMES.map((name) => scenario.game(name).startup());
        const registered = new Map<string, Map<string, string>>(GAMES.map((name) => [name, new Map()]));
        const list = new Map<string, string>();
        for (const { game: at, name: nameAt, description: textAt } of all) {
          const [game, name, description] = [games[at], NAMES[nameAt] ?? "", DESCRIPTIONS[textAt ?? -1]];
          const own = registered.get(GAMES[at] ?? "");
          if (description === undefined) own?.delete(name);
          else own?.set(name, description);
          if (description === undefined) game?.unregister(name);
          else game?.register(otherAction(name, description));
          listen(neuro, list);
        }
        const texts = [...registered].flatMap(([game, own]) =>
          [...own].map(([name, description]) =>
            naming === "shared" ? `${name} ${description}` : `${game} ${name} ${description}`
          )
        );
        check.equal(list.size, new Set(texts).size);
        const owners = new Map<string, number>();
        for (const name of list.keys()) {
          for (const game of reached(neuro, games, name)) owners.set(game, (owners.get(game) ?? 0) + 1);
        }
        for (const [game, own] of registered) {
          check.equal(owners.get(game) ?? 0, own.size, `actions of ${game} that Neuro can use`);
        }
      }),
      { numRuns: 1_000 },
    );
  });
}
