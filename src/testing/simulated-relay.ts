/**
 * A whole relay in virtual time: the real state machine and engine with a simulated network, store and clock.
 *
 * The seed decides everything that happens, so a failure can be repeated. The process can be killed between any two tasks: the next
 * one finds only what is on the disk.
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

/** The relay to simulate, and the seed of its random choices. */
export interface SimulationOptions {
  readonly settings: Settings;
  /** Creates the services of one process; called at each start. */
  readonly services: (settings: Settings) => readonly SupervisedService[];
  readonly seed?: number;
  /** The output of a simulated job; without this, every job fails. */
  readonly job?: (name: string, input: Json) => Json;
  /** Takes what is due at the end of a turn of the event loop; without this, it runs at once. */
  readonly afterTurn?: (run: () => void) => void;
}

/** Wait of the supervisor after a failed start. */
const RESTART_MS: Millis = 1_000;

/** One relay and its environment. `start` or `started` starts the process, `advance` lets time pass, `crash` kills the process; the disk survives. */
export class SimulatedRelay {
  readonly random: Random;
  readonly clock: VirtualClock = new VirtualClock();
  readonly disk: VirtualDisk;
  readonly network: Network;
  readonly panics: PanicInjection = new PanicInjection();
  /** The observations of the running process, newest last. A crash clears them. */
  readonly observations: Observation[] = [];
  /** Saved uploads, by name. */
  readonly files: Map<string, Uint8Array> = new Map();
  engine: Engine | undefined;
  relay: Relay | undefined;
  /** Called with each observation. */
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

  /** Starts the process; it is ready when `engine` is set. A failed start is repeated after 1 s. */
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

  /** Starts the process and waits until it is ready; throws after an hour of virtual time. */
  async started(): Promise<Engine> {
    this.start();
    await yieldToTasks();
    const until = this.clock.now + 3_600_000;
    while (this.engine === undefined && await this.clock.step(until));
    if (this.engine === undefined) throw new Error(`the relay does not start: ${this.#failure}`);
    return this.engine;
  }

  /** Kills the process: no peer is notified, pending writes are carried out or lost at random. */
  crash(): void {
    this.#process++;
    this.engine = undefined;
    this.relay = undefined;
    this.observations.length = 0;
    this.network.attachRelay(undefined);
    this.disk.crash();
  }

  /** Changes the settings of the running process and of later ones. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.engine?.configure(settings);
  }

  /** Lets time pass and runs every task that becomes due. */
  advance(ms: Millis): Promise<void> {
    return this.clock.advance(ms);
  }

  /** A hash of everything that any peer received, with the times. */
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
      afterTurn: this.#options.afterTurn ?? ((run) => run()),
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
