/**
 * What is written: puts and deletes, bounded in number and in time, so that a store that hangs stalls nobody.
 *
 * Invariants: W1 every put is settled exactly once, stored or failed, at the latest `write_timeout` after it was asked for;
 * W2 a put that lands after it was given up is deleted again; W3 the delete of a key comes after its put.
 * Knows nothing of: rooms, peers.
 */
import { assert } from "../core/assert.ts";
import { Deadlines } from "../core/deadlines.ts";
import { type Key, type Millis, rawKey } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { WRITES_IN_FLIGHT_MAX } from "../core/limits.ts";
import type { Store } from "./ports.ts";

/** What the writer says. */
export interface WriterHooks {
  stored(key: Key): void;
  failed(key: Key, reason: string): void;
  deleteFailed(key: Key, reason: string): void;
}

interface Put {
  readonly key: Key;
  readonly value: Json;
  deleteAfter: boolean;
}

export class Writer {
  readonly #store: Store;
  readonly #hooks: WriterHooks;
  readonly #queue: Put[] = [];
  readonly #unsettled = new Map<Key, Put>();
  readonly #deadlines = new Deadlines();
  readonly #idle: (() => void)[] = [];
  #inFlight = 0;

  constructor(store: Store, hooks: WriterHooks) {
    this.#store = store;
    this.#hooks = hooks;
  }

  isPending(key: Key): boolean {
    return this.#unsettled.has(key);
  }

  /** Writes as soon as there is a place for it; given up at `deadline`. */
  put(key: Key, value: Json, deadline: Millis): void {
    assert(!this.#unsettled.has(key), `key written twice: ${key}`);
    const put: Put = { key, value, deleteAfter: false };
    this.#unsettled.set(key, put);
    this.#deadlines.set(key, deadline);
    this.#queue.push(put);
    this.#startNext();
  }

  delete(key: Key): void {
    const put = this.#unsettled.get(key);
    if (put !== undefined) put.deleteAfter = true;
    else this.#remove(key);
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.earliest();
  }

  /** Gives up the puts whose time is over. */
  tick(now: Millis): void {
    for (const id of this.#deadlines.due(now)) {
      const put = this.#unsettled.get(rawKey(id));
      if (put === undefined) continue;
      this.#unsettled.delete(put.key);
      const waiting = this.#queue.indexOf(put);
      if (waiting >= 0) this.#queue.splice(waiting, 1);
      this.#hooks.failed(put.key, "the store took too long");
    }
    this.#sayWhenIdle();
  }

  /** Resolves once nothing is left that was asked for and may still be stored. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#sayWhenIdle();
    });
  }

  #startNext(): void {
    while (this.#inFlight < WRITES_IN_FLIGHT_MAX) {
      const put = this.#queue.shift();
      if (put === undefined) return;
      this.#inFlight++;
      this.#store.put(put.key, put.value).then(
        () => this.#landed(put),
        (error: unknown) => this.#missed(put, error),
      );
    }
  }

  #landed(put: Put): void {
    const isWanted = this.#settle(put);
    if (isWanted) this.#hooks.stored(put.key);
    if (!isWanted || put.deleteAfter) this.#remove(put.key);
    this.#startNext();
    this.#sayWhenIdle();
  }

  #missed(put: Put, error: unknown): void {
    if (this.#settle(put)) this.#hooks.failed(put.key, reasonOf(error));
    this.#remove(put.key); // Why: a failed write may have left something behind.
    this.#startNext();
    this.#sayWhenIdle();
  }

  /** True when the put had not been given up. */
  #settle(put: Put): boolean {
    this.#inFlight--;
    if (this.#unsettled.get(put.key) !== put) return false;
    this.#unsettled.delete(put.key);
    this.#deadlines.clear(put.key);
    return true;
  }

  #remove(key: Key): void {
    this.#inFlight++;
    this.#store.delete(key).then(
      () => this.#removed(),
      (error: unknown) => {
        this.#hooks.deleteFailed(key, reasonOf(error));
        this.#removed();
      },
    );
  }

  #removed(): void {
    this.#inFlight--;
    this.#startNext();
    this.#sayWhenIdle();
  }

  #sayWhenIdle(): void {
    if (this.#unsettled.size > 0 || this.#inFlight > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
