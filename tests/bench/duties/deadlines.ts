/** The deadlines of pending actions: for each time to answer a list in the order of the deadlines, which is the order of the beginnings. */
import type { ActionRecord } from "./records.ts";

export class DeadlineQueue {
  readonly ms: number;
  first: ActionRecord | undefined;
  last: ActionRecord | undefined;

  constructor(ms: number) {
    this.ms = ms;
  }
}

export class ActionDeadlines {
  /** Few: the deadline of the backend, those of policies, and the time to wait after evidence. */
  readonly #queues: DeadlineQueue[] = [];
  /** Sets the timer. */
  readonly #wake: (ms: number) => void;
  /** When the timer fires; infinite without one. */
  #wakeAt = Infinity;

  constructor(wake: (ms: number) => void) {
    this.#wake = wake;
  }

  add(action: ActionRecord, ms: number, now: number): void {
    const queue = this.#queueOf(ms);
    action.deadline = now + ms;
    action.queue = queue;
    action.before = queue.last;
    if (queue.last === undefined) queue.first = action;
    else queue.last.after = action;
    queue.last = action;
    // Why not each time it changes: most actions end before, and a timer that comes too early is set again.
    if (action.deadline < this.#wakeAt) this.#wakeBy(action.deadline, now);
  }

  remove(action: ActionRecord): void {
    const { queue, before, after } = action;
    if (queue === undefined) return;
    if (before === undefined) queue.first = after;
    else before.after = after;
    if (after === undefined) queue.last = before;
    else after.before = before;
    action.queue = action.before = action.after = undefined;
  }

  /** Removes an action whose deadline has passed; undefined and sets the timer if there is none. */
  takeDue(now: number): ActionRecord | undefined {
    let earliest: ActionRecord | undefined;
    for (const { first } of this.#queues) {
      if (first !== undefined && (earliest === undefined || first.deadline < earliest.deadline)) earliest = first;
    }
    if (earliest !== undefined && earliest.deadline <= now) {
      this.remove(earliest);
      return earliest;
    }
    this.#wakeAt = Infinity;
    if (earliest !== undefined) this.#wakeBy(earliest.deadline, now);
    return undefined;
  }

  #wakeBy(at: number, now: number): void {
    this.#wakeAt = at;
    this.#wake(at - now);
  }

  #queueOf(ms: number): DeadlineQueue {
    for (const queue of this.#queues) if (queue.ms === ms) return queue;
    const queue = new DeadlineQueue(ms);
    this.#queues.push(queue);
    return queue;
  }
}
