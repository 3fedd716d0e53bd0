/**
 * One play: a minute of everything going wrong, then peace, then what must be true.
 *
 * The seed decides all of it. Invariants that can be seen at once are written down by the fakes as they happen; here are those that
 * need the whole: nothing queued is lost, order holds, lists agree, nobody is left waiting.
 */
import type { Hosted } from "../../src/relay/mod.ts";
import { rooms } from "../../src/relay/rooms.ts";
import { HEALTHY } from "../../src/testing/store.ts";
import { SABOTAGE } from "../../src/testing/sabotage.ts";
import { World } from "../../src/testing/world.ts";
import { type Cast, castFor, NEURO_URL, SETTINGS } from "./cast.ts";
import { excuse, judge, watch } from "./judge.ts";
import { Meddler } from "./meddler.ts";

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
  readonly around?: (room: Hosted) => Hosted;
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
  const world = new World({ settings: SETTINGS, rooms: (settings) => rooms(settings).map(around), seed });
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

async function act(world: World, { without = [], onTrace }: PlayOptions, breaches: string[]): Promise<void> {
  const cast = castFor(world);
  const trouble = new Set(TROUBLES.filter((kind) => !without.includes(kind)));
  // Why one of them: what both rooms forget within the same second, nobody remembers.
  const fragile = world.chance.pick("neuro", "intermediary");
  let isNeuroUp = true;
  world.network.answering = (url) => (url === NEURO_URL && isNeuroUp ? (wire) => cast.neuro.accept(wire) : undefined);
  world.network.health = { delayMinMs: 1, delayMaxMs: world.chance.pick(2, 40, 300) };
  const { excused, panic, excuseOne } = excuse(world, cast);
  const meddler = new Meddler(world, cast, excuseOne);
  const { onNote } = world;
  world.onNote = (note) => {
    onNote(note);
    if (note.is === "panicked" && note.room === "neuro") panic();
  };
  if (onTrace !== undefined) trace(world, onTrace);
  if (trouble.has("store")) misbehave(world);
  world.start();
  for (const player of cast.players) world.clock.after(world.chance.between(0, 5_000), () => player.come());
  if (trouble.has("slow")) { for (const game of cast.games.slice(0, 2)) game.bytesPerMs = world.chance.between(1, 50); }
  const end = world.clock.now + WILD_MS;
  while (world.clock.now < end) {
    await world.pass(world.chance.between(200, 4_000));
    const kind = world.chance.oneOf([...trouble]);
    if (trouble.has("meddling")) await meddler.meddle();
    if (kind === "neuro") isNeuroUp = upset(world, cast);
    else if (kind === "panic") world.sabotage.plan(fragile, world.chance.between(0, 3));
    else if (kind !== undefined) make(kind, world, cast);
  }
  isNeuroUp = true;
  await calm(world, cast, meddler);
  breaches.push(...await judge(world, cast, excused), ...meddler.breaches());
}

function misbehave(world: World): void {
  const { chance } = world;
  world.disk.health = {
    delayMinMs: 0,
    delayMaxMs: chance.pick(1, 50, 500),
    fails: chance.pick(0, 0.02, 0.1),
    hangs: chance.pick(0, 0.02),
    hangMs: chance.pick(1_000, 10_000),
  };
}

/** Neuro loses her connection, and may be away for a while. */
function upset(world: World, { neuro }: Cast): boolean {
  neuro.drop(world.chance.between(0, 500));
  return world.chance.happens(0.6);
}

function make(kind: Exclude<Trouble, "neuro" | "panic">, world: World, cast: Cast): void {
  const { chance } = world;
  const player = chance.oneOf(cast.players);
  switch (kind) {
    case "drops":
      return player?.drop(chance.pick(0, 100, 5_000));
    case "doubles":
      return chance.oneOf(cast.games)?.double();
    case "crash":
      world.crash();
      world.clock.after(
        chance.between(0, 3_000),
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
async function calm(world: World, { neuro, games, integrations, watcher, players }: Cast, meddler: Meddler): Promise<void> {
  world.disk.health = HEALTHY;
  world.network.health = { delayMinMs: 1, delayMaxMs: 10 };
  world.sabotage.stop();
  if (world.relay === undefined) world.start();
  watcher.everyMs = 0;
  for (const game of games) {
    game.habits = { ...game.habits, everyMs: 0, fails: 0, answers: "all", answerMaxMs: 100 };
    game.bytesPerMs = undefined;
  }
  for (const integration of integrations) integration.habits = { ...integration.habits, forgets: 0 };
  neuro.habits = { ...neuro.habits, actsEveryMs: 0, thinkMaxMs: 500 };
  for (const player of players) {
    player.returnMs = 1_000;
    player.come();
  }
  // Why first some time: a relay that was just started has to be there to hear of it.
  await world.pass(10_000);
  await meddler.lift();
  await world.pass(PEACE_MS);
}

/** Writes down all that is said. */
function trace(world: World, onTrace: (line: string) => void): void {
  const { onTraffic } = world.network;
  const time = (): string => String(world.clock.now % 10_000_000).padStart(7);
  world.network.onTraffic = (what) => {
    onTraffic(what);
    onTrace(`${time()} ${what}`);
  };
  const { onNote } = world;
  world.onNote = (note) => {
    onNote(note);
    // Why: where a panic on purpose came from is known.
    const { stack: _, ...said } = note.is === "panicked" && note.reason === SABOTAGE ? note : { ...note, stack: undefined };
    onTrace(`${time()} * ${JSON.stringify(said)}`);
  };
}
