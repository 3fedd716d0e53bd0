/**
 * Crooked frames at one door of a whole relay, on virtual time: nothing may throw, panic, disturb others, or pile up.
 */
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../src/core/defaults.ts";
import type { Settings } from "../../src/core/settings.ts";
import { rooms } from "../../src/relay/rooms.ts";
import { Chance } from "../../src/testing/chance.ts";
import type { Wire } from "../../src/testing/network.ts";
import { World } from "../../src/testing/world.ts";
import { Bystanders } from "./bystanders.ts";
import { CORPUS } from "./corpus.ts";
import { heldBytes } from "./memory.ts";
import { crooked } from "./crooked.ts";
import { type FuzzDoor, WATCHING } from "./doors.ts";
import type { Frame } from "../../src/core/json.ts";

export interface Fuzz {
  readonly inputs: number;
  readonly seed: number;
}

export interface Found {
  readonly inputs: number;
  /** What went wrong, in words; empty when all is well. */
  readonly breaches: readonly string[];
  /** Bytes that are held at the end, beyond those held after the first part. */
  readonly growthBytes: number;
}

const NEURO_URL = "ws://neuro.test";
const BATCH = 100;
/** Crooked peers at a time. */
const PEERS = 4;
const HEARD_MAX = 30;
const BREACHES_MAX = 10;
/** The part of the inputs after which everything that has a bound has come near it. */
const WARM = 0.4;

/** Tight bounds, so that what they do not hold shows; no limit of speed, which would keep the inputs out. */
const settingsFor = (hasNeuro: boolean): Settings => ({
  ...DEFAULTS,
  "dependency-authentication": { "neuro-os": { auth_token: WATCHING } },
  "nakurity-clients": hasNeuro ? [{ ...UPSTREAM_DEFAULTS, url: NEURO_URL, profile: "neuro_api" }] : [],
  brain: { ...DEFAULTS.brain, sessions: 50 },
  queue: { ...DEFAULTS.queue, total: 200, total_bytes: 1_048_576, dead_letters: 50 },
  uploads: { ...DEFAULTS.uploads, files: 10, total_bytes: 1_048_576 },
  limits: { ...DEFAULTS.limits, messages_per_second: 0 },
});

/** Fuzzes one door. */
export async function fuzzFrames(door: FuzzDoor, { inputs, seed }: Fuzz): Promise<Found> {
  const world = new World({ settings: settingsFor(door.hasNeuro === true), rooms, seed });
  const breaches: string[] = [];
  world.onNote = (note) => note.is === "panicked" && breaches.push(`${note.room} panicked: ${note.reason}\n${note.stack}`);
  const crowd = new Crowd(world, door);
  await world.started();
  const bystanders = new Bystanders(world);
  await bystanders.come();
  const chance = new Chance(seed);
  let warmBytes = 0;
  let done = 0;
  while (done < inputs && breaches.length < BREACHES_MAX) {
    const first = done === 0 ? CORPUS.map(({ frame }) => frame) : [];
    const rest = Array.from(
      { length: BATCH - first.length },
      () => crooked(chance, { phrases: door.phrases, heard: crowd.heard }),
    );
    await crowd.say([...first, ...rest], chance);
    breaches.push(...await bystanders.goRound());
    breaches.push(...world.disk.overwritten.splice(0).map((key) => `${key} was written twice`));
    done += BATCH;
    world.notes.length = 0;
    world.disk.asked.clear(); // Why: the fake disk remembers every put, which is not what is measured here.
    if (done >= inputs * WARM && warmBytes === 0) warmBytes = heldBytes();
  }
  return { inputs: done, breaches, growthBytes: heldBytes() - warmBytes };
}

/** The crooked ones: whoever is closed comes again. */
class Crowd {
  readonly #world: World;
  readonly #door: FuzzDoor;
  readonly #said: RegExp;
  readonly #wires: Wire[] = [];
  #neuro: Wire | undefined;
  /** Ids and names that the relay has said of late, as they stand in its JSON. */
  readonly heard: string[] = [];

  constructor(world: World, door: FuzzDoor) {
    this.#world = world;
    this.#door = door;
    const { hears = ["id", "name"] } = door;
    this.#said = new RegExp(`"(?:${hears.join("|")})":"([^"\\\\]+)"`, "g");
    world.network.answering = () => (wire) => {
      wire.onFrame = (frame) => this.#listen(frame);
      this.#neuro = wire;
    };
  }

  async say(frames: readonly Frame[], chance: Chance): Promise<void> {
    for (const frame of frames) {
      const wire = this.#door.door === undefined ? await this.#upstream() : await this.#peer(chance.between(0, PEERS - 1));
      wire?.send(frame);
      if (chance.happens(0.05)) wire?.close();
      if (chance.happens(0.1)) await this.#world.pass(chance.pick(0, 1, 20, 400));
    }
    await this.#world.pass(chance.pick(10, 1_000, 30_000));
  }

  async #peer(at: number): Promise<Wire | undefined> {
    const { door, greeting } = this.#door;
    const wire = this.#wires[at];
    if (wire?.isOpen === true || door === undefined) return wire;
    const next = this.#world.network.connect(door, { path: `/game/${at}` });
    next.onOpen = () => greeting !== undefined && next.send(JSON.stringify({ ...greeting, name: `fuzz-${at}` }));
    next.onFrame = (frame) => this.#listen(frame);
    this.#wires[at] = next;
    await this.#world.pass(1);
    return next;
  }

  #listen(frame: Frame): void {
    for (const [, word = ""] of String(frame).matchAll(this.#said)) this.heard.push(word);
    this.heard.splice(0, this.heard.length - HEARD_MAX);
  }

  async #upstream(): Promise<Wire | undefined> {
    for (let wait = 0; wait < 20 && this.#neuro?.isOpen !== true; wait++) await this.#world.pass(1_000);
    return this.#neuro;
  }
}
