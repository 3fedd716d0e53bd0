/** The current force: the next state for every state and every event of games, Neuro and the clock. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, Scenario, started } from "../fixture.ts";

interface Scene {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly chess: FakeGame;
}

type State = "none" | "open" | "answering" | "settling" | "closing" | "draining";

/** Each state, as it is reached. Poker's force waits in all of them except `none`. */
const STATES: Readonly<Record<State, (scene: Scene) => void>> = {
  none: () => {},
  open: ({ chess }) => chess.force(["a", "b"]),
  answering: (scene) => {
    STATES.open(scene);
    scene.neuro.action("u1", "a");
  },
  settling: (scene) => {
    STATES.answering(scene);
    scene.chess.result(true);
  },
  closing: (scene) => {
    STATES.open(scene);
    scene.chess.unregister("a", "b");
  },
  draining: (scene) => {
    STATES.answering(scene);
    scene.chess.unregister("a", "b");
  },
};

const EVENTS = {
  success: ({ chess }: Scene) => chess.result(true),
  failure: ({ chess }: Scene) => chess.result(false),
  unregister: ({ chess }: Scene) => chess.unregister("a", "b"),
  startup: ({ chess }: Scene) => chess.startup(),
  "grace over": ({ chess, scenario }: Scene) => {
    chess.close();
    scenario.pass(10_000);
  },
  settle: ({ scenario }: Scene) => scenario.pass(500),
  deadline: ({ scenario }: Scene) => scenario.pass(18_000),
  "Neuro lost": ({ neuro }: Scene) => neuro.drop(),
  "Neuro back": ({ neuro }: Scene) => {
    neuro.drop();
    neuro.reopen();
  },
} as const;

/** The current force then, and how Chess's force ended, if it did. An unrequested result changes nothing. */
const TABLE: Readonly<Record<State, Readonly<Record<keyof typeof EVENTS, string>>>> = {
  none: {
    success: "none",
    failure: "none",
    unregister: "none",
    startup: "none",
    "grace over": "none",
    settle: "none",
    deadline: "none",
    "Neuro lost": "none",
    "Neuro back": "none",
  },
  open: {
    success: "Chess open",
    failure: "Chess open",
    unregister: "Chess closing",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, game_gone",
    settle: "Chess open",
    deadline: "Chess open",
    "Neuro lost": "Chess open",
    "Neuro back": "Chess open",
  },
  answering: {
    success: "Chess settling",
    failure: "Chess retrying",
    unregister: "Chess draining",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, game_gone",
    settle: "Chess answering",
    deadline: "Chess settling",
    "Neuro lost": "Chess answering",
    "Neuro back": "Chess answering",
  },
  settling: {
    success: "Chess settling",
    failure: "Chess settling",
    unregister: "Poker open, completed",
    startup: "Poker open, completed",
    "grace over": "Poker open, completed",
    settle: "Poker open, completed",
    deadline: "Poker open, completed",
    "Neuro lost": "Chess settling",
    "Neuro back": "Chess settling",
  },
  closing: {
    success: "Chess closing",
    failure: "Chess closing",
    unregister: "Chess closing",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, names_gone",
    settle: "Poker open, names_gone",
    deadline: "Poker open, names_gone",
    "Neuro lost": "Chess closing",
    "Neuro back": "Chess closing",
  },
  draining: {
    success: "Poker open, completed",
    failure: "Chess closing",
    unregister: "Chess draining",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, game_gone",
    settle: "Chess draining",
    deadline: "Poker open, completed",
    "Neuro lost": "Chess draining",
    "Neuro back": "Chess draining",
  },
};

function reach(state: State): Scene {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "a", "b");
  const poker = started(scenario, "Poker", "bet");
  STATES[state]({ scenario, neuro, chess });
  if (state !== "none") poker.force(["bet"]);
  return { scenario, neuro, chess };
}

function describe({ scenario }: Scene): string {
  const current = scenario.harness.state.upstreams.get("neuro")?.forces.current;
  const ends = scenario.observed("force_ended").filter(({ integration }) => integration === "Chess").map(({ end }) => end);
  return [current === undefined ? "none" : `${current.game.name} ${current.state.is}`, ...ends].join(", ");
}

test("NB43 the current force, from every state that games and Neuro can bring about", () => {
  for (const state of Object.keys(STATES) as State[]) {
    for (const event of Object.keys(EVENTS) as (keyof typeof EVENTS)[]) {
      const scene = reach(state);
      EVENTS[event](scene);
      check.equal(describe(scene), TABLE[state][event], `${state} x ${event}`);
    }
  }
});
