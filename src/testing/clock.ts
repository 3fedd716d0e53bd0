/**
 * Virtual time: nothing waits, everything happens at its instant, in the order in which it was asked for.
 *
 * Promises that were settled by what happened are run to their end before the next thing happens, by giving way to them a few
 * times: no real timer is involved, so a test takes as long as its work and not a millisecond more.
 */
import { assert } from "../core/assert.ts";
import { Heap } from "../core/deadlines.ts";
import type { Millis } from "../core/ids.ts";

interface ScheduledTask {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Takes back what was planned. */
export type Cancel = () => void;

/** Turns of the microtask queue after each happening: more than the longest chain of promises between two of them. */
const MICROTASK_TURNS = 24;

/** Lets every promise that can be settled run to its end. */
export async function yieldToTasks(): Promise<void> {
  for (let turn = 0; turn < MICROTASK_TURNS; turn++) await undefined;
}

/** Time that passes only when it is told to. Starts in 2023, so that time stamps look like ones. */
export class VirtualClock {
  now: Millis;
  /** So much may still happen. Why a bound: a deadline that stays due would happen for ever, and time would stand still. */
  tasksLeft = 10_000_000;
  /** Told after each happening, once everything that it led to at this instant was done. */
  afterTask: () => void = () => {};
  readonly #tasks = new Heap<ScheduledTask>(
    (left, right) => left.at < right.at || (left.at === right.at && left.order < right.order),
  );
  #count = 0;

  constructor(start: Millis = 1_700_000_000_000) {
    this.now = start;
  }

  /** Plans something for later. */
  after(ms: Millis, run: () => void): Cancel {
    const task: ScheduledTask = { at: this.now + Math.max(0, ms), order: this.#count++, run, isCancelled: false };
    this.#tasks.add(task);
    return () => {
      task.isCancelled = true;
    };
  }

  /** Lets the next thing happen, if it is due by then. False when there was none. */
  async step(until: Millis): Promise<boolean> {
    const next = this.#tasks.first;
    if (next === undefined || next.at > until) return false;
    this.#tasks.dropFirst();
    if (next.isCancelled) return true;
    this.now = Math.max(this.now, next.at);
    assert(this.tasksLeft-- > 0, `more happens than may: at ${this.now} time stands still, or passes for too long`);
    next.run();
    await yieldToTasks();
    this.afterTask();
    return true;
  }

  /** Lets time pass, with everything that happens in it. */
  async advance(ms: Millis): Promise<void> {
    const until = this.now + ms;
    await yieldToTasks();
    while (await this.step(until));
    this.now = Math.max(this.now, until);
  }
}
