/**
 * The entries of one recipient that wait, in the order of their ids: those that have come back from flight, then all others.
 *
 * Why two maps: entries that come back go before the others, and a map cannot be extended at its front. At most as many come back as can be in
 * flight, so an event never costs more because more entries wait.
 */
import type { QueueEntry } from "./entry.ts";

export class WaitingEntries {
  #returned = new Map<string, QueueEntry>();
  readonly #others = new Map<string, QueueEntry>();

  get size(): number {
    return this.#returned.size + this.#others.size;
  }

  get first(): QueueEntry | undefined {
    return this.#returned.values().next().value ?? this.#others.values().next().value;
  }

  get(id: string): QueueEntry | undefined {
    return this.#returned.get(id) ?? this.#others.get(id);
  }

  /** Adds an entry behind all others. */
  add(entry: QueueEntry): void {
    this.#others.set(entry.id, entry);
  }

  /** Adds entries that have come back from flight, in order, before all others. */
  addReturned(entries: readonly QueueEntry[]): void {
    if (entries.length === 0) return;
    this.#returned = new Map([...entries.map((entry) => [entry.id, entry] as const), ...this.#returned]);
  }

  delete(id: string): boolean {
    return this.#returned.delete(id) || this.#others.delete(id);
  }

  *values(): IterableIterator<QueueEntry> {
    yield* this.#returned.values();
    yield* this.#others.values();
  }
}
