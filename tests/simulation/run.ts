/**
 * One play: a minute of everything going wrong, then peace, then what must be true.
 *
 * The seed decides all of it. Invariants that can be seen at once are written down by the fakes as they happen; here are those that
 * need the whole: nothing queued is lost, order holds, lists agree, nobody is left waiting.
 */
import type { SupervisedService } from "../../src/relay/mod.ts";
import { services } from "../../src/relay/services.ts";
import { HEALTHY } from "../../src/testing/disk.ts";
import { INJECTED_PANIC } from "../../src/testing/panic-injection.ts";
import { SimulatedRelay } from "../../src/testing/simulated-relay.ts";
import { type Cast, castFor, NEURO_URL, SETTINGS } from "./participants.ts";
import { excuse, judge, watch } from "./invariants.ts";
import { Meddler } from "./operator.ts";

export interface Play {
  readonly seed: number;
  /** What went wrong, in words; empty when all is well. */
  readonly breaches: readonly string[];
  /** The same seed gives the same hash, on every runtime. */
  readonly hash: string;
  /** How often something happened, by the name of the note that tells of it: to see that the play was worth its while. */
  readonly tally: ReadonlyMap<string, number>;
}

export interface PlayOptions {
  readonly seed: number;
  /** Kinds of trouble that are left out: to find out which of them it takes. */
  readonly without?: readonly Trouble[];
  /** Told of everything that either end received, and of every note. */
  readonly onTrace?: (line: string) => void;
  /** Changes what a room does: to find out whether the play would notice. */
  readonly around?: (room: SupervisedService) => SupervisedService;
}

export const TROUBLES = ["drops", "doubles", "slow", "store", "crash", "panic", "neuro", "meddling"] as const;
export type Trouble = (typeof TROUBLES)[number];

const WILD_MS = 60_000;
/** Longer than everything that has a deadline while people are there. */
const PEACE_MS = 200_000;
/** Several times what the busiest seed takes: beyond it, something is due again and again. */
const HAPPENINGS_MAX = 50_000;

/** Plays one seed to its end. Never fails: what keeps it from its end is a breach. */
export async function play(options: PlayOptions): Promise<Play> {
  const { seed, around = (room) => room } = options;
  const world = new SimulatedRelay({ settings: SETTINGS, services: (settings) => services(settings).map(around), seed });
  world.clock.happeningsLeft = HAPPENINGS_MAX;
  const breaches: string[] = [];
  const tally = watch(world, breaches);
  try {
    await act(world, options, breaches);
  } catch (error) {
    breaches.push(error instanceof Error ? `${error.stack}` : String(error));
  }
  return { seed, breaches, hash: world.traceHash, tally };
}

async function act(world: SimulatedRelay, { without = [], onTrace }: PlayOptions, breaches: string[]): Promise<void> {
  const cast = castFor(world);
  const trouble = new Set(TROUBLES.filter((kind) => !without.includes(kind)));
  // Why one of them: what both rooms forget within the same second, nobody remembers.
  const fragile = world.random.pick("neuro", "intermediary");
  let isNeuroUp = true;
  world.network.accept = (url) => (url === NEURO_URL && isNeuroUp ? (wire) => cast.neuro.accept(wire) : undefined);
  world.network.health = { delayMinMs: 1, delayMaxMs: world.random.pick(2, 40, 300) };
  const { excused, panic, excuseOne } = excuse(world, cast);
  const meddler = new Meddler(world, cast, excuseOne);
  const { onObservation } = world;
  world.onObservation = (observation) => {
    onObservation(observation);
    if (observation.is === "panicked" && observation.service === "neuro") panic();
  };
  if (onTrace !== undefined) trace(world, onTrace);
  if (trouble.has("store")) misbehave(world);
  world.start();
  for (const player of cast.players) world.clock.after(world.random.between(0, 5_000), () => player.connect());
  if (trouble.has("slow")) { for (const game of cast.games.slice(0, 2)) game.bytesPerMs = world.random.between(1, 50); }
  const end = world.clock.now + WILD_MS;
  while (world.clock.now < end) {
    await world.advance(world.random.between(200, 4_000));
    const kind = world.random.oneOf([...trouble]);
    if (trouble.has("meddling")) await meddler.meddle();
    if (kind === "neuro") isNeuroUp = upset(world, cast);
    else if (kind === "panic") world.panics.plan(fragile, world.random.between(0, 3));
    else if (kind !== undefined) make(kind, world, cast);
  }
  isNeuroUp = true;
  await calm(world, cast, meddler);
  breaches.push(...await judge(world, cast, excused), ...meddler.breaches());
}

function misbehave(world: SimulatedRelay): void {
  const { random } = world;
  world.disk.health = {
    delayMinMs: 0,
    delayMaxMs: random.pick(1, 50, 500),
    fails: random.pick(0, 0.02, 0.1),
    hangs: random.pick(0, 0.02),
    hangMs: random.pick(1_000, 10_000),
  };
}

/** Neuro loses her connection, and may be away for a while. */
function upset(world: SimulatedRelay, { neuro }: Cast): boolean {
  neuro.drop(world.random.between(0, 500));
  return world.random.chance(0.6);
}

function make(kind: Exclude<Trouble, "neuro" | "panic">, world: SimulatedRelay, cast: Cast): void {
  const { random } = world;
  const player = random.oneOf(cast.players);
  switch (kind) {
    case "drops":
      return player?.drop(random.pick(0, 100, 5_000));
    case "doubles":
      return random.oneOf(cast.games)?.double();
    case "crash":
      world.crash();
      world.clock.after(
        random.between(0, 3_000),
        () => world.engine === undefined && world.relay === undefined && world.start(),
      );
      return;
    case "slow":
    case "store":
    case "meddling": // Why: that goes on all the time, with every other trouble.
      return;
  }
}

/** Everything is well again, everybody comes back, and nobody begins anything new. */
async function calm(
  world: SimulatedRelay,
  { neuro, games, integrations, watcher, players }: Cast,
  meddler: Meddler,
): Promise<void> {
  world.disk.health = HEALTHY;
  world.network.health = { delayMinMs: 1, delayMaxMs: 10 };
  world.panics.stop();
  if (world.relay === undefined) world.start();
  watcher.everyMs = 0;
  for (const game of games) {
    game.behavior = { ...game.behavior, everyMs: 0, fails: 0, answers: "all", answerMaxMs: 100 };
    game.bytesPerMs = undefined;
  }
  for (const integration of integrations) integration.behavior = { ...integration.behavior, forgets: 0 };
  neuro.behavior = { ...neuro.behavior, actsEveryMs: 0, thinkMaxMs: 500 };
  for (const player of players) {
    player.returnMs = 1_000;
    player.connect();
  }
  // Why first some time: a relay that was just started has to be there to hear of it.
  await world.advance(10_000);
  await meddler.lift();
  await world.advance(PEACE_MS);
}

/** Writes down all that is said. */
function trace(world: SimulatedRelay, onTrace: (line: string) => void): void {
  const { onTraffic } = world.network;
  const time = (): string => String(world.clock.now % 10_000_000).padStart(7);
  world.network.onTraffic = (what) => {
    onTraffic(what);
    onTrace(`${time()} ${what}`);
  };
  const { onObservation } = world;
  world.onObservation = (observation) => {
    onObservation(observation);
    // Why: where a panic on purpose came from is known.
    const { stack: _, ...said } = observation.is === "panicked" && observation.reason === INJECTED_PANIC
      ? observation
      : { ...observation, stack: undefined };
    onTrace(`${time()} * ${JSON.stringify(said)}`);
  };
}
