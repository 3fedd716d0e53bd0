/**
 * Deadlines of many things, of which only the earliest is ever asked for: a binary heap with lazy removal.
 *
 * Invariants: D1 an id has at most one deadline, the last one set; D2 `earliest` never lies beyond a live deadline (it may lie
 * before one: the machine is then stepped once for nothing).
 */
import type { Millis } from "./ids.ts";

interface Due {
  readonly at: Millis;
  readonly id: string;
}

export class Deadlines {
  readonly #heap: Due[] = [];
  readonly #live = new Map<string, Millis>();

  /** Sets or moves the deadline of `id`. */
  set(id: string, at: Millis): void {
    this.#live.set(id, at);
    this.#heap.push({ at, id });
    this.#rise(this.#heap.length - 1);
    if (this.#heap.length > 64 && this.#heap.length > this.#live.size * 4) this.#compact();
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

  /** The earliest live deadline. */
  earliest(): Millis | undefined {
    this.#dropStale();
    return this.#heap[0]?.at;
  }

  /** Removes and returns the ids whose deadline has come, the earliest first. */
  due(now: Millis): string[] {
    const ids: string[] = [];
    for (let at = this.earliest(); at !== undefined && at <= now; at = this.earliest()) {
      const first = this.#pop();
      this.#live.delete(first.id);
      ids.push(first.id);
    }
    return ids;
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first !== undefined && this.#live.get(first.id) !== first.at; first = this.#heap[0]) {
      this.#pop();
    }
  }

  #compact(): void {
    const live = this.#heap.filter((due) => this.#live.get(due.id) === due.at);
    this.#heap.length = 0;
    this.#heap.push(...live.sort((left, right) => left.at - right.at));
  }

  #pop(): Due {
    const heap = this.#heap;
    const first = heap[0] as Due;
    const last = heap.pop() as Due;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    return first;
  }

  #rise(start: number): void {
    const heap = this.#heap;
    for (let at = start; at > 0;) {
      const parent = (at - 1) >> 1;
      const [above, here] = [heap[parent] as Due, heap[at] as Due];
      if (above.at <= here.at) return;
      heap[parent] = here;
      heap[at] = above;
      at = parent;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    for (let at = 0;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && (heap[child] as Due).at < (heap[least] as Due).at) least = child;
      }
      if (least === at) return;
      const [here, below] = [heap[at] as Due, heap[least] as Due];
      heap[at] = below;
      heap[least] = here;
      at = least;
    }
  }
}
