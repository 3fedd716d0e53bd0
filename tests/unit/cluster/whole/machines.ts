/**
 * Machines in one virtual time, each with two clocks of its own. While a task of a machine runs, the global clocks and timers are its own, so the
 * code of a node runs unchanged.
 *
 * A process that is paused, or whose machine is suspended, runs its tasks when it continues; one that was killed never does.
 */
import { Heap } from "../../../../src/core/deadlines.ts";
import type { Millis } from "../../../../src/core/ids.ts";

interface MachineTask {
  readonly at: Millis;
  readonly order: number;
  readonly machine: Machine | undefined;
  /** The process of the machine that it belongs to. */
  readonly process: number;
  readonly run: () => void;
  isCancelled: boolean;
}

const REAL = { setTimeout, clearTimeout, setInterval, clearInterval, now: Date.now, performanceNow: performance.now };
const realImmediate = setImmediate;
/** Ids of virtual timers; the real ones are objects or smaller numbers. */
const FIRST_TIMER = 1_000_000_000;

export class Machine {
  readonly name: string;
  /** Both clocks run at this rate of the virtual time. */
  readonly rate: number;
  /** Counts the processes that ran here. */
  process = 1;
  /** Its process does not run until then. */
  pausedUntil: Millis = 0;
  /** How far its wall clock was set. */
  wallOffset: Millis;
  /** How long its monotonic clock has stood still. */
  suspendedMs: Millis = 0;
  readonly #world: Machines;

  constructor(name: string, rate: number, wallOffset: Millis, world: Machines) {
    this.name = name;
    this.rate = rate;
    this.wallOffset = wallOffset;
    this.#world = world;
  }

  get monotonic(): Millis {
    return (this.#world.now - START) * this.rate - this.suspendedMs;
  }

  get wall(): Millis {
    return Math.floor(START + (this.#world.now - START) * this.rate + this.wallOffset);
  }

  get isRunning(): boolean {
    return this.#world.now >= this.pausedUntil;
  }

  /** Runs something in its process, when that runs. */
  after(ms: Millis, run: () => void): () => void {
    return this.#world.schedule(ms, run, this);
  }
}

const START: Millis = 1_700_000_000_000;

export class Machines {
  now: Millis = START;
  readonly #tasks = new Heap<MachineTask>(
    (left, right) => left.at < right.at || (left.at === right.at && left.order < right.order),
  );
  #count = 0;
  #current: Machine | undefined;
  #timers = 0;
  readonly #cancels = new Map<number, () => void>();

  /** The machine whose task runs now. */
  get current(): Machine | undefined {
    return this.#current;
  }

  /** Runs something at a time, outside of all machines. Named as in `VirtualClock`, which the fakes use. */
  after(ms: Millis, run: () => void): () => void {
    return this.schedule(ms, run, undefined);
  }

  schedule(ms: Millis, run: () => void, machine: Machine | undefined): () => void {
    const at = this.now + Math.max(0, ms);
    const task = { at, order: this.#count++, machine, process: machine?.process ?? 0, run, isCancelled: false };
    this.#tasks.add(task);
    return () => {
      task.isCancelled = true;
    };
  }

  /** Lets time pass. After each task all promises that it settled have run. */
  async advance(ms: Millis): Promise<void> {
    const until = this.now + ms;
    for (let task = this.#tasks.first; task !== undefined && task.at <= until; task = this.#tasks.first) {
      this.#tasks.dropFirst();
      this.now = Math.max(this.now, task.at);
      if (task.isCancelled || (task.machine !== undefined && task.process !== task.machine.process)) continue;
      if (task.machine?.isRunning === false) {
        // Why the order stays: the tasks of a machine that continue at one time are added in their order.
        this.#tasks.add({ ...task, at: task.machine.pausedUntil });
        continue;
      }
      await this.run(task.machine, task.run);
    }
    this.now = Math.max(this.now, until);
  }

  /** Runs something as a machine. */
  async run(machine: Machine | undefined, act: () => void): Promise<void> {
    this.#current = machine;
    act();
    await new Promise((resolve) => realImmediate(resolve));
    this.#current = undefined;
  }

  /** Replaces the global clocks and timers until `restore`. */
  install(random: () => number): () => void {
    const former = { random: Math.random };
    const timer = (run: () => void, ms: Millis, isRepeated: boolean): number => {
      const machine = this.#current;
      const id = FIRST_TIMER + ++this.#timers;
      const arm = (): void => {
        this.#cancels.set(id, this.schedule(Math.max(isRepeated ? 1 : 0, ms) / (machine?.rate ?? 1), fire, machine));
      };
      const fire = (): void => {
        if (isRepeated) arm();
        else this.#cancels.delete(id);
        run();
      };
      arm();
      return id;
    };
    const clear = (id: unknown): void => {
      if (typeof id !== "number" || id < FIRST_TIMER) return REAL.clearTimeout(id as never);
      this.#cancels.get(id)?.();
      this.#cancels.delete(id);
    };
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms = 0) =>
        this.#current === undefined ? REAL.setTimeout(run, ms) : timer(run, ms, false),
      setInterval: (run: () => void, ms = 0) =>
        this.#current === undefined ? REAL.setInterval(run, ms) : timer(run, ms, true),
      clearTimeout: clear,
      clearInterval: clear,
    });
    Date.now = () => this.#current?.wall ?? REAL.now();
    performance.now = () => this.#current?.monotonic ?? REAL.performanceNow.call(performance);
    Math.random = random;
    return () => {
      const { setTimeout, clearTimeout, setInterval, clearInterval } = REAL;
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
      Date.now = REAL.now;
      performance.now = REAL.performanceNow;
      Math.random = former.random;
    };
  }
}
