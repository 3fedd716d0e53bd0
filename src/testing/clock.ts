/**
 * Virtual time: tasks run at their time, in the order in which they were scheduled, and nothing really waits.
 *
 * After each task, `yieldToTasks` lets the promises run that the task settled, by awaiting a fixed number of microtasks. No real timer is
 * involved, so a test takes only the time of its work.
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

/** Cancels a scheduled task. */
export type Cancel = () => void;

/** Microtasks awaited after each task: more than the longest chain of promises between two tasks. */
const MICROTASK_TURNS = 24;

/** Runs the continuations of all promises that are settled now. */
export async function yieldToTasks(): Promise<void> {
  for (let turn = 0; turn < MICROTASK_TURNS; turn++) await undefined;
}

/** Time that passes only by `advance` and `step`. It starts in 2023, so that timestamps are realistic. */
export class VirtualClock {
  now: Millis;
  /** Tasks that may still run. Why a bound: a deadline that stays due would run again and again, and time would stand still. */
  tasksLeft = 10_000_000;
  /** Called after each task, when the promises that it settled have run. */
  afterTask: () => void = () => {};
  readonly #tasks = new Heap<ScheduledTask>(
    (left, right) => left.at < right.at || (left.at === right.at && left.order < right.order),
  );
  #count = 0;

  constructor(start: Millis = 1_700_000_000_000) {
    this.now = start;
  }

  /** Schedules a task. */
  after(ms: Millis, run: () => void): Cancel {
    const task: ScheduledTask = { at: this.now + Math.max(0, ms), order: this.#count++, run, isCancelled: false };
    this.#tasks.add(task);
    return () => {
      task.isCancelled = true;
    };
  }

  /** Runs the next task if it is due by `until`. Returns false if none is. */
  async step(until: Millis): Promise<boolean> {
    const next = this.#tasks.first;
    if (next === undefined || next.at > until) return false;
    this.#tasks.dropFirst();
    if (next.isCancelled) return true;
    this.now = Math.max(this.now, next.at);
    assert(this.tasksLeft-- > 0, `too many tasks: at ${this.now} time stands still, or the run is too long`);
    next.run();
    await yieldToTasks();
    this.afterTask();
    return true;
  }

  /** Lets time pass and runs every task that becomes due. */
  async advance(ms: Millis): Promise<void> {
    const until = this.now + ms;
    await yieldToTasks();
    while (await this.step(until));
    this.now = Math.max(this.now, until);
  }
}
