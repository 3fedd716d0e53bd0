/** Commands of a person, actions of Neuro and events of games in any order: one result, one reply, one force, and no action for a held game. */
import { test } from "#runner";
import fc from "fast-check";
import { isObject, type Json, type JsonObject } from "../../../../../src/core/json.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, Scenario } from "../fixture.ts";
import { Operator } from "./operator-fixture.ts";

const NAMES = ["a", "b", "wave"] as const;
const GAMES = ["Chess", "Poker", "Tetris"] as const;
/** Games of which the last has a Neuro of its own. */
const OPTIONS = {
  neuros: [{ id: "neuro" }, { id: "evil" }],
  integrations: [{ match: "Tetris", upstream: "evil" }],
};

interface Held {
  paused: boolean;
  solo: boolean;
  approval: boolean;
}

/** One Neuro's own view: registered actions, open force, and actions without a result. */
class Mind {
  readonly neuro: FakeNeuro;
  readonly actions = new Set<string>();
  force: readonly string[] | undefined;
  results = new Map<string, number>();
  names = new Map<string, string>();

  constructor(neuro: FakeNeuro) {
    this.neuro = neuro;
  }

  listen(): void {
    for (const { command, data: given } of this.neuro.frames()) {
      const data = isObject(given) ? given : {};
      if (command === "actions/register") {
        for (const { name } of listOf(data["actions"])) this.actions.add(String(name));
      }
      if (command === "actions/unregister") { for (const name of textsOf(data["action_names"])) this.actions.delete(name); }
      if (this.force?.every((name) => !this.actions.has(name)) === true) this.force = undefined;
      if (command === "actions/force") {
        check.equal(this.force, undefined, "a second force");
        this.force = textsOf(data["action_names"]);
        check.equal(this.force.filter((name) => !this.actions.has(name)), [], "a force of what is not registered");
      }
      if (command === "action/result") this.#result(data);
    }
  }

  #result({ id: given, success }: JsonObject): void {
    const id = String(given);
    this.results.set(id, (this.results.get(id) ?? 0) + 1);
    check.equal(this.results.get(id), 1, `results for ${id}`);
    if (success === true && this.force?.includes(this.names.get(id) ?? "") === true) this.force = undefined;
  }
}

const listOf = (list: Json | undefined): readonly JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : []);
const textsOf = (list: Json | undefined): readonly string[] => (Array.isArray(list) ? list.map(String) : []);

/** The service with its clients, and the integrations that are held. */
class Play {
  readonly scenario = new Scenario(OPTIONS);
  readonly operator = new Operator(this.scenario);
  readonly minds: readonly Mind[];
  readonly games: (FakeGame | undefined)[] = [];
  readonly held: readonly Held[] = GAMES.map(() => ({ paused: false, solo: false, approval: false }));
  readonly calls: string[] = [];
  /** Neuro's ids that need a person's approval, each with its integration; and those of the relay that got one. */
  readonly unapproved = new Set<string>();
  readonly approved = new Set<string>();
  isStopped = false;
  #count = 0;

  constructor() {
    this.minds = [new Mind(this.scenario.neuro("neuro").open()), new Mind(this.scenario.neuro("evil").open())];
    GAMES.forEach((_, at) => this.enter(at));
    this.look();
  }

  enter(at: number): void {
    if (this.games[at] === undefined) this.games[at] = this.scenario.game(GAMES[at] ?? "").startup().register(...NAMES);
  }

  isHeld(at: number): boolean {
    const held = this.held[at];
    return this.isStopped || held?.paused === true || (this.held.some(({ solo }) => solo) && held?.solo === false);
  }

  /** Each client reads its messages. */
  look(): void {
    for (const mind of this.minds) mind.listen();
    this.games.forEach((game, at) => {
      for (const { command, data } of game?.heardFrames() ?? []) {
        if (command !== "action" || !isObject(data)) continue;
        const [ours = "", theirs] = String(data["id"]).split("~");
        if (theirs === undefined) continue; // Why: nothing holds a manual action back.
        check.equal(this.isHeld(at), false, `${theirs} reached ${GAMES[at]}, which is held`);
        const isFree = !this.unapproved.has(`${theirs} ${at}`) || this.approved.has(ours);
        check.that(isFree, `${theirs} reached ${GAMES[at]} without approval`);
      }
    });
  }

  act(which: number, number: number): void {
    const mind = this.minds[which % 2];
    const names = [...mind?.force ?? mind?.actions ?? []];
    const name = names[number % Math.max(1, names.length)] ?? "a";
    if (mind === undefined) return;
    const id = `u${++this.#count}`;
    mind.names.set(id, name);
    this.held.forEach(({ approval }, at) => approval && this.unapproved.add(`${id} ${at}`));
    mind.neuro.action(id, name);
  }

  control(at: number, field: keyof Held, value: boolean): void {
    const held = this.held[at];
    if (held === undefined) return;
    held[field] = value;
    this.operator.control((GAMES[at] ?? "").toLowerCase(), { [field]: value });
  }

  stop(isStopped: boolean): void {
    this.isStopped = isStopped;
    this.operator.stop(isStopped);
  }

  decide(number: number, approve: boolean): void {
    const waiting = this.operator.pendings().filter(({ is }) => is === "approval");
    const pending = waiting[number % Math.max(1, waiting.length)];
    if (pending === undefined) return;
    if (approve) this.approved.add(pending.id);
    this.calls.push(
      this.operator.call({ do: "decideAction", pending: pending.id, approve, ...(number % 3 === 0 && { data: "{}" }) }),
    );
  }
}

type Step = (play: Play) => void;

const at = fc.nat(GAMES.length - 1);
const number = fc.nat(20);
const names = fc.subarray([...NAMES], { minLength: 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(number, number).map(([which, name]): Step => (play) => play.act(which, name)) },
  fc.tuple(at, fc.boolean(), number).map(([of, success, back]): Step => (play) => {
    const game = play.games[of];
    const ids = game?.ids() ?? [];
    const id = ids.at(-1 - (back % 3));
    if (game !== undefined && id !== undefined) game.result(success, { id });
  }),
  fc.tuple(at, names).map(([of, wanted]): Step => (play) => void play.games[of]?.force(wanted)),
  fc.tuple(at, names).map(([of, given]): Step => (play) => void play.games[of]?.unregister(...given)),
  at.map((of): Step => (play) => void play.games[of]?.register(...NAMES)),
  at.map((of): Step => (play) => {
    play.games[of]?.close();
    play.games[of] = undefined;
  }),
  at.map((of): Step => (play) => play.enter(of)),
  fc.constantFrom(1, 499, 500, 2_000, 9_999, 18_000).map((ms): Step => (play) => play.scenario.pass(ms)),
  {
    weight: 3,
    arbitrary: fc.tuple(at, fc.constantFrom("paused", "solo", "approval", "approval"), fc.boolean()).map(
      ([of, field, value]): Step => (play) => play.control(of, field === "solo" && !value ? "paused" : field, value),
    ),
  },
  at.map((of): Step => (play) => play.control(of, "solo", false)),
  fc.boolean().map((value): Step => (play) => play.stop(value)),
  fc.tuple(number, fc.boolean()).map(([of, approve]): Step => (play) => play.decide(of, approve)),
  fc.tuple(at, fc.constantFrom(...NAMES)).map(([of, name]): Step => (play) => {
    play.calls.push(play.operator.call({ do: "sendAction", id: (GAMES[of] ?? "").toLowerCase(), name }));
  }),
  fc.tuple(number, number).map(([of, name]): Step => (play) => {
    const forces = play.operator.forces();
    const force = forces[of % Math.max(1, forces.length)];
    const chosen = force?.actions[name % Math.max(1, force.actions.length)];
    if (force === undefined || chosen === undefined) return;
    play.calls.push(play.operator.call({ do: "answerForce", force: force.id, name: chosen }));
  }),
  number.map((of): Step => (play) => {
    const forces = play.operator.forces();
    const force = forces[of % Math.max(1, forces.length)];
    if (force !== undefined) play.calls.push(play.operator.call({ do: "cancelForce", force: force.id }));
  }),
);

test("NB214 NB203 NB222 in any order of commands and events, each action has one result and each request one reply", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 100, size: "max" }), (steps) => {
      const play = new Play();
      for (const each of steps) {
        each(play);
        play.look();
      }
      play.stop(false);
      GAMES.forEach((_, of) => {
        for (const field of ["paused", "solo", "approval"] as const) play.control(of, field, false);
        play.enter(of);
        play.games[of]?.register(...NAMES);
      });
      play.look();
      play.scenario.pass(40_000);
      play.look();
      for (const { results, names } of play.minds) {
        check.equal([...names.keys()].filter((id) => results.get(id) !== 1), [], "without a result");
      }
      check.equal(play.calls.filter((call) => play.operator.answer(call) === undefined), [], "without an answer");
      check.equal(play.operator.pendings(), []);
      check.equal([...play.minds[0]?.actions ?? []].sort().join(), "a,b,wave", "what Neuro has");
    }),
    { numRuns: 300 },
  );
});
