/** The participants: ten games of different kinds, three integrations, a watcher and a Neuro. The seed decides how they behave. */
import { DEFAULTS, PUBLISHED_TOKEN, UPSTREAM_DEFAULTS } from "../../src/core/defaults.ts";
import type { Settings } from "../../src/core/settings.ts";
import type { Random } from "../../src/testing/random.ts";
import { FakeGame, type FakeGameAction, type GameBehavior } from "../../src/testing/fakes/game.ts";
import { FakeIntegration } from "../../src/testing/fakes/integration.ts";
import { FakeNeuro } from "../../src/testing/fakes/neuro.ts";
import type { FakeEnvironment, FakePeer } from "../../src/testing/fakes/peer.ts";
import { FakeWatcher } from "../../src/testing/fakes/watcher.ts";
import type { SimulatedRelay } from "../../src/testing/simulated-relay.ts";

export const NEURO_URL = "ws://neuro.test";

export const SETTINGS: Settings = {
  ...DEFAULTS,
  "nakurity-clients": [{ ...UPSTREAM_DEFAULTS, url: NEURO_URL, profile: "neuro_api" }],
  brain: { ...DEFAULTS.brain, enabled: false },
  // Why: the injected faults cause many failed attempts, and an entry must not be dead-lettered for them; other tests cover that.
  queue: { ...DEFAULTS.queue, max_attempts: 1_000 },
};

/** The same with policies that change when Neuro hears of something, but not what she knows in the end. */
export const WITH_POLICIES: Settings = {
  ...SETTINGS,
  integrations: [
    { match: "Unity", critical_preempts: true, grace: 3_000 },
    { match: "*o*", critical_preempts: true, debounce: 3_000 },
    { match: "spotify", admission: "approval" },
    {
      match: "*",
      debounce: 400,
      coalesce: ["*{key}"],
      coalesce_interval: 2_000,
      contexts_per_minute: 20,
      context_template: "{game} says: {message}",
      result_deadline: 12_000,
    },
  ],
};

export interface Participants {
  readonly neuro: FakeNeuro;
  readonly games: readonly FakeGame[];
  readonly integrations: readonly FakeIntegration[];
  readonly watcher: FakeWatcher;
  readonly peers: readonly FakePeer[];
}

const GAMES = [
  "Chess",
  "Tic Tac Toe",
  "ゲーム",
  "game-a!",
  "Game A",
  "Inscryption",
  "Pong",
  "Slay",
  "Buckshot Roulette",
  "Unity",
];

/** One action that all games define alike, two that each game defines differently, and one that only this game has. */
function actionsOf(name: string, number: number): readonly FakeGameAction[] {
  const schema = { type: "object", properties: { x: { type: "integer" } } };
  return [
    { name: "wave", description: "Wave to the audience." },
    { name: "move", description: `Move in ${name}.`, schema },
    { name: `only_${number}`, description: `What only ${name} can do.` },
    { name: "Say It!", description: `Say something in ${name}.`, schema },
  ];
}

export function createParticipants(simulation: SimulatedRelay): Participants {
  const neuro = createNeuro(simulation);
  const games = GAMES.map((name, number) => createGame(name, number, environmentOf(simulation)));
  const names = ["spotify", "discord", "lights"];
  const integrations = names.map((name, number) => {
    const actions = [{ name: `toggle_${name}`, description: `Toggle ${name}.` }, {
      name: "wave",
      description: "Wave to the audience.",
    }];
    const environment = environmentOf(simulation);
    const behavior = { token: PUBLISHED_TOKEN, acks: number < 2, forgets: environment.random.pick(0, 0.1) };
    return new FakeIntegration(name, { actions, behavior }, environment);
  });
  const watcher = new FakeWatcher(
    "eye",
    { token: PUBLISHED_TOKEN, targets: names, everyMs: 1_500 },
    environmentOf(simulation),
  );
  return { neuro, games, integrations, watcher, peers: [...games, ...integrations, watcher] };
}

const environmentOf = ({ clock, random, network }: SimulatedRelay): FakeEnvironment => ({
  clock,
  random: random.branch(),
  network,
});

function createNeuro(simulation: SimulatedRelay): FakeNeuro {
  const random: Random = simulation.random.branch();
  const neuro = new FakeNeuro(simulation.clock, random.branch(), {
    actsEveryMs: random.pick(1_000, 3_000, 0),
    thinkMinMs: 50,
    thinkMaxMs: random.pick(500, 4_000),
    restartsIds: random.chance(0.5),
    introduces: random.chance(0.5),
  });
  return neuro;
}

function createGame(name: string, number: number, environment: FakeEnvironment): FakeGame {
  const { random } = environment;
  const behavior: GameBehavior = {
    startsEachTime: random.chance(0.5),
    answers: random.pick("all", "all", "all", "failures", "none"),
    fails: random.pick(0, 0.1, 0.4),
    answerMinMs: 1,
    answerMaxMs: random.pick(50, 2_000, 30_000),
    isSloppy: random.chance(0.3),
    everyMs: random.pick(2_000, 8_000),
    disposes: random.chance(0.3),
  };
  const game = new FakeGame(name, { actions: actionsOf(name, number), behavior }, environment);
  game.returnMs = random.pick(100, 3_000, 15_000);
  return game;
}
