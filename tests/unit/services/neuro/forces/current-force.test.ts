/** The slot for forces: every state by every event. Silence is a decision, too. */
import { test } from "#runner";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, type FakeNeuro, Scenario, started } from "../fixture.ts";

interface Scene {
  readonly scenario: Scenario;
  readonly neuro: FakeNeuro;
  readonly chess: FakeGame;
}

type State = "free" | "open" | "owed" | "settling" | "dying" | "dying owed";

/** Each state, as it is reached. Poker's force waits in all of them but `free`. */
const STATES: Readonly<Record<State, (scene: Scene) => void>> = {
  free: () => {},
  open: ({ chess }) => chess.force(["a", "b"]),
  owed: (scene) => {
    STATES.open(scene);
    scene.neuro.action("u1", "a");
  },
  settling: (scene) => {
    STATES.owed(scene);
    scene.chess.result(true);
  },
  dying: (scene) => {
    STATES.open(scene);
    scene.chess.unregister("a", "b");
  },
  "dying owed": (scene) => {
    STATES.owed(scene);
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

/** What the slot is then, and how Chess's force ended, if it did. A result that nobody asked for changes nothing. */
const TABLE: Readonly<Record<State, Readonly<Record<keyof typeof EVENTS, string>>>> = {
  free: {
    success: "free",
    failure: "free",
    unregister: "free",
    startup: "free",
    "grace over": "free",
    settle: "free",
    deadline: "free",
    "Neuro lost": "free",
    "Neuro back": "free",
  },
  open: {
    success: "Chess open",
    failure: "Chess open",
    unregister: "Chess dying",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, game gone",
    settle: "Chess open",
    deadline: "Chess open",
    "Neuro lost": "Chess open",
    "Neuro back": "Chess open",
  },
  owed: {
    success: "Chess settling",
    failure: "Chess open",
    unregister: "Chess dying",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, game gone",
    settle: "Chess open",
    deadline: "Chess settling",
    "Neuro lost": "Chess open",
    "Neuro back": "Chess open",
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
  dying: {
    success: "Chess dying",
    failure: "Chess dying",
    unregister: "Chess dying",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, names gone",
    settle: "Poker open, names gone",
    deadline: "Poker open, names gone",
    "Neuro lost": "Chess dying",
    "Neuro back": "Chess dying",
  },
  "dying owed": {
    success: "Poker open, completed",
    failure: "Chess dying",
    unregister: "Chess dying",
    startup: "Poker open, cancelled",
    "grace over": "Poker open, game gone",
    settle: "Chess dying",
    deadline: "Poker open, completed",
    "Neuro lost": "Chess dying",
    "Neuro back": "Chess dying",
  },
};

function reach(state: State): Scene {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "a", "b");
  const poker = started(scenario, "Poker", "bet");
  STATES[state]({ scenario, neuro, chess });
  if (state !== "free") poker.force(["bet"]);
  return { scenario, neuro, chess };
}

function describe({ scenario }: Scene): string {
  const slot = scenario.harness.state.upstreams.get("neuro")?.forces.current;
  const ends = scenario.observed("force_ended").filter(({ integration }) => integration === "Chess").map(({ end }) => end);
  return [slot === undefined ? "free" : `${slot.game.name} ${slot.is}`, ...ends].join(", ");
}

test("NB43 every state of the slot by every event", () => {
  for (const state of Object.keys(STATES) as State[]) {
    for (const event of Object.keys(EVENTS) as (keyof typeof EVENTS)[]) {
      const scene = reach(state);
      EVENTS[event](scene);
      check.equal(describe(scene), TABLE[state][event], `${state} x ${event}`);
    }
  }
});
