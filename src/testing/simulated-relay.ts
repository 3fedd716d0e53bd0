/**
 * A whole relay on virtual time: the real machine and the real engine, between a simulated network, store and clock.
 *
 * Everything that happens follows from the seed, so what went wrong once can be watched again. The process can be killed at any
 * instant: what had landed on the disk is all that the next one finds.
 */
import type { Millis } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";
import type { Settings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import { Engine } from "../engine/mod.ts";
import type { Clock, Jobs, Ports, Uploads } from "../engine/mod.ts";
import { Relay, type SupervisedService } from "../relay/mod.ts";
import { Random } from "./random.ts";
import { type Cancel, VirtualClock, yieldToTasks } from "./clock.ts";
import { Network } from "./network.ts";
import { PanicInjection } from "./panic-injection.ts";
import { VirtualDisk } from "./disk.ts";

/** Which relay, and which of all its lives. */
export interface SimulationOptions {
  readonly settings: Settings;
  /** The rooms of one process; called anew for each. */
  readonly services: (settings: Settings) => readonly SupervisedService[];
  readonly seed?: number;
  /** What the simulated jobs give back; without it every job fails. */
  readonly job?: (name: string, input: Json) => Json;
}

/** After a start that failed, a supervisor waits this long. */
const RESTART_MS: Millis = 1_000;

/** One relay and its surroundings. `start` or `started` begins it, `pass` lets time pass, `crash` kills it; the disk survives. */
export class SimulatedRelay {
  readonly random: Random;
  readonly clock: VirtualClock = new VirtualClock();
  readonly disk: VirtualDisk;
  readonly network: Network;
  readonly panics: PanicInjection = new PanicInjection();
  /** What the running process observed, newest last. Emptied by a crash. */
  readonly observations: Observation[] = [];
  /** Uploads that landed, by name. */
  readonly files: Map<string, Uint8Array> = new Map();
  engine: Engine | undefined;
  relay: Relay | undefined;
  /** Told of every note as it is made. */
  onObservation: (observation: Observation) => void = () => {};
  readonly #options: SimulationOptions;
  #settings: Settings;
  #process = 0;
  #failure = "";
  #trace = 0x811c9dc5;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.random = new Random(options.seed ?? 1);
    this.disk = new VirtualDisk(this.clock, this.random.branch());
    this.network = new Network(this.clock, this.random.branch());
    this.network.onTraffic = (what) => this.#addToTrace(what);
  }

  /** Starts the relay's process; it is ready when `engine` is there. One that cannot start is started again. */
  start(): void {
    const process = ++this.#process;
    const relay = new Relay(
      this.#options.services(this.#settings).map((service) => this.panics.wrap(service)),
      this.#settings,
    );
    this.relay = relay;
    Engine.start(relay, { settings: this.#settings, ports: this.#ports(process) }).then(
      (engine) => {
        if (this.#process !== process) return;
        this.engine = engine;
        this.network.attachRelay((event) => engine.push(event));
      },
      (error: unknown) => {
        this.#failure = errorText(error);
        this.clock.after(RESTART_MS, () => this.#process === process && this.start());
      },
    );
  }

  /** Starts the relay and waits until it is ready; throws when it is not within an hour. */
  async started(): Promise<Engine> {
    this.start();
    await yieldToTasks();
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
    this.observations.length = 0;
    this.network.attachRelay(undefined);
    this.disk.crash();
  }

  /** Gives the running relay, and all that come after it, other settings. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.engine?.configure(settings);
  }

  /** Lets time pass, with everything that happens in it. */
  advance(ms: Millis): Promise<void> {
    return this.clock.advance(ms);
  }

  /** A number that follows from everything that any far end received, and when. */
  get traceHash(): string {
    return (this.#trace >>> 0).toString(16).padStart(8, "0");
  }

  #addToTrace(what: string): void {
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
      observe: (observation) => {
        if (this.#process !== process) return;
        this.observations.push(observation);
        this.onObservation(observation);
      },
    };
  }

  #clock(process: number): Clock {
    const random = this.random.branch();
    let cancel: Cancel = () => {};
    return {
      now: () => this.clock.now,
      random: () => random.fraction(),
      secret: () => `secret-${random.between(0, 0xffff_ffff)}`,
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
      delete: (file) => {
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
