/**
 * A whole relay on virtual time: the real machine and the real engine, between a simulated network, store and clock.
 *
 * Everything that happens follows from the seed, so what went wrong once can be watched again. The process can be killed at any
 * instant: what had landed on the disk is all that the next one finds.
 */
import type { Millis } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Note } from "../core/note.ts";
import type { Settings } from "../core/settings.ts";
import { Engine } from "../engine/mod.ts";
import type { Clock, Jobs, Ports, Uploads } from "../engine/mod.ts";
import { type Hosted, Relay } from "../relay/mod.ts";
import { Chance } from "./chance.ts";
import { type Cancel, giveWay, VirtualClock } from "./clock.ts";
import { Network } from "./network.ts";
import { Sabotage } from "./sabotage.ts";
import { VirtualDisk } from "./store.ts";

/** Which relay, and which of all its lives. */
export interface WorldOptions {
  readonly settings: Settings;
  /** The rooms of one process; called anew for each. */
  readonly rooms: (settings: Settings) => readonly Hosted[];
  readonly seed?: number;
  /** What the simulated jobs give back; without it every job fails. */
  readonly job?: (name: string, input: Json) => Json;
}

/** After a start that failed, a supervisor waits this long. */
const RESTART_MS: Millis = 1_000;

/** One relay and its surroundings. `start` or `started` begins it, `pass` lets time pass, `crash` kills it; the disk survives. */
export class World {
  readonly chance: Chance;
  readonly clock: VirtualClock = new VirtualClock();
  readonly disk: VirtualDisk;
  readonly network: Network;
  readonly sabotage: Sabotage = new Sabotage();
  /** What the running process observed, newest last. Emptied by a crash. */
  readonly notes: Note[] = [];
  /** Uploads that landed, by name. */
  readonly files: Map<string, Uint8Array> = new Map();
  engine: Engine | undefined;
  relay: Relay | undefined;
  /** Told of every note as it is made. */
  onNote: (note: Note) => void = () => {};
  readonly #options: WorldOptions;
  #settings: Settings;
  #process = 0;
  #failure = "";
  #trace = 0x811c9dc5;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.chance = new Chance(options.seed ?? 1);
    this.disk = new VirtualDisk(this.clock, this.chance.branch());
    this.network = new Network(this.clock, this.chance.branch());
    this.network.onTraffic = (what) => this.#remember(what);
  }

  /** Starts the relay's process; it is ready when `engine` is there. One that cannot start is started again. */
  start(): void {
    const process = ++this.#process;
    const relay = new Relay(this.#options.rooms(this.#settings).map((room) => this.sabotage.around(room)), this.#settings);
    this.relay = relay;
    Engine.start(relay, { settings: this.#settings, ports: this.#ports(process) }).then(
      (engine) => {
        if (this.#process !== process) return;
        this.engine = engine;
        this.network.attachRelay((event) => engine.push(event));
      },
      (error: unknown) => {
        this.#failure = String(error);
        this.clock.after(RESTART_MS, () => this.#process === process && this.start());
      },
    );
  }

  /** Starts the relay and waits until it is ready; throws when it is not within an hour. */
  async started(): Promise<Engine> {
    this.start();
    await giveWay();
    const until = this.clock.now + 3_600_000;
    while (this.engine === undefined && await this.clock.step(until));
    if (this.engine === undefined) throw new Error(`the relay does not start: ${this.#failure}`);
    return this.engine;
  }

  /** Kills the process between two instants: nothing is said to anybody. */
  crash(): void {
    this.#process++;
    this.engine = undefined;
    this.relay = undefined;
    this.notes.length = 0;
    this.network.attachRelay(undefined);
    this.disk.crash();
  }

  /** Gives the running relay, and all that come after it, other settings. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.engine?.configure(settings);
  }

  /** Lets time pass, with everything that happens in it. */
  pass(ms: Millis): Promise<void> {
    return this.clock.pass(ms);
  }

  /** A number that follows from everything that any far end received, and when. */
  get traceHash(): string {
    return (this.#trace >>> 0).toString(16).padStart(8, "0");
  }

  #remember(what: string): void {
    const line = `${this.clock.now} ${what}`;
    for (let at = 0; at < line.length; at++) this.#trace = Math.imul(this.#trace ^ line.charCodeAt(at), 0x01000193);
  }

  #ports(process: number): Ports {
    return {
      sockets: this.network,
      store: this.disk.open(),
      uploads: this.#uploads(),
      clock: this.#clock(process),
      jobs: this.#jobs(),
      observe: (note) => {
        if (this.#process !== process) return;
        this.notes.push(note);
        this.onNote(note);
      },
    };
  }

  #clock(process: number): Clock {
    const chance = this.chance.branch();
    let cancel: Cancel = () => {};
    return {
      now: () => this.clock.now,
      random: () => chance.fraction(),
      secret: () => `secret-${chance.between(0, 0xffff_ffff)}`,
      wake: (at) => {
        cancel();
        if (at === undefined) return;
        cancel = this.clock.after(at - this.clock.now, () => this.#process === process && this.engine?.tick());
      },
    };
  }

  #uploads(): Uploads {
    return {
      save: (file, bytes) => {
        this.files.set(file, bytes);
        return Promise.resolve({ sha256: `${bytes.length}`, bytes: bytes.length });
      },
      discard: (file) => {
        this.files.delete(file);
        return Promise.resolve();
      },
    };
  }

  #jobs(): Jobs {
    const { job } = this.#options;
    return {
      run: (name, input) =>
        job === undefined ? Promise.reject(new Error("no such job")) : Promise.resolve(job(name, input)),
    };
  }
}
