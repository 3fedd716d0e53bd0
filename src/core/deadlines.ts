/**
 * Deadlines of many things, of which only the earliest is ever asked for: a binary heap with lazy removal.
 *
 * Invariants: D1 an id has at most one deadline, the last one set; D2 `earliest` is the earliest of them; D3 the heap holds at
 * most four times as many places as there are deadlines, however often they are moved.
 */
import type { Millis } from "./ids.ts";

interface Due {
  readonly at: Millis;
  readonly id: string;
}

/** Below this many places the heap is not worth tidying. */
const PLACES_MIN = 64;

export class Deadlines {
  #heap: Due[] = [];
  readonly #live = new Map<string, Millis>();

  /** Sets or moves the deadline of `id`. */
  set(id: string, at: Millis): void {
    if (this.#live.get(id) === at) return;
    this.#live.set(id, at);
    this.#rise({ at, id });
    if (this.#heap.length > PLACES_MIN && this.#heap.length > this.#live.size * 4) this.#compact();
  }

  clear(id: string): void {
    this.#live.delete(id);
  }

  get(id: string): Millis | undefined {
    return this.#live.get(id);
  }

  get size(): number {
    return this.#live.size;
  }

  /** The earliest deadline. */
  earliest(): Millis | undefined {
    return this.#first()?.at;
  }

  /** Removes and returns the ids whose deadline has come, the earliest first. */
  due(now: Millis): string[] {
    const ids: string[] = [];
    for (let first = this.#first(); first !== undefined && first.at <= now; first = this.#first()) {
      this.#live.delete(first.id);
      ids.push(first.id);
    }
    return ids;
  }

  /** The earliest place that is still live; those before it are dropped. */
  #first(): Due | undefined {
    let first = this.#heap[0];
    while (first !== undefined && this.#live.get(first.id) !== first.at) {
      this.#dropFirst();
      first = this.#heap[0];
    }
    return first;
  }

  #compact(): void {
    this.#heap = [];
    for (const [id, at] of this.#live) this.#rise({ at, id });
  }

  /** Puts a new place where it belongs. */
  #rise(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= due.at) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  /** Takes the first place away: the last one sinks from there to where it belongs. */
  #dropFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let least = heap[child];
      const right = heap[child + 1];
      if (least !== undefined && right !== undefined && right.at < least.at) {
        least = right;
        child++;
      }
      if (least === undefined || last.at <= least.at) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}
