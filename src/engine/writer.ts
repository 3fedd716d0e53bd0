/**
 * What is written: puts and deletes, bounded in number and in time, so that a store that hangs stalls nobody.
 *
 * Invariants: W1 every put is settled exactly once, stored or failed, at the latest `write_timeout` after it was asked for;
 * W2 a put that lands after it was given up is deleted again; W3 the delete of a key comes after its put; W4 a delete that fails
 * is tried again, less and less often, until it succeeds, so that nothing that was refused or acked comes to light later; W5 no more than `WRITES_IN_FLIGHT_MAX` are with the store at a time; W6 a put that the store refuses
 * because its key is there already harms nothing: what was stored first stays.
 * Knows nothing of: rooms, peers.
 */
import { assert, Panic } from "../core/assert.ts";
import { Deadlines } from "../core/deadlines.ts";
import { type Key, type Millis, rawKey } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { DELETE_BACKOFF_MAX, DELETES_KEPT_MAX, WRITES_IN_FLIGHT_MAX } from "../core/limits.ts";
import type { Store } from "./ports.ts";

/** What the writer needs to know, and says. */
export interface WriterHooks {
  /** When a write that is asked for now is given up; or so many times as long from now. */
  deadline(times?: number): Millis;
  stored(key: Key): void;
  failed(key: Key, reason: string): void;
  /** Said once of each delete. */
  deleteFailed(key: Key, reason: string): void;
  /** The next deadline may be another than before. */
  moved(): void;
}

/** A put, or the delete of a key: what has no value. */
interface Write {
  readonly key: Key;
  readonly value?: Json;
  /** A put whose key was deleted before it landed. */
  deleteAfter: boolean;
  isGivenUp: boolean;
  attempt: number;
}

export class Writer {
  readonly #store: Store;
  readonly #hooks: WriterHooks;
  readonly #queue: Write[] = [];
  readonly #unsettled = new Map<Key, Write>();
  readonly #deadlines = new Deadlines();
  /** Deletes that failed, by the time to try again. */
  readonly #again = new Map<Key, Write>();
  readonly #retries = new Deadlines();
  #idle: { readonly prefix: string; readonly resolve: () => void }[] = [];
  #inFlight = 0;

  constructor(store: Store, hooks: WriterHooks) {
    this.#store = store;
    this.#hooks = hooks;
  }

  /** True while a put of this key is neither stored nor failed. */
  isPending(key: Key): boolean {
    return this.#unsettled.get(key)?.value !== undefined;
  }

  /** Writes as soon as there is a place for it. */
  put(key: Key, value: Json): void {
    assert(!this.#unsettled.has(key), `key written twice: ${key}`);
    this.#ask({ key, value, deleteAfter: false, isGivenUp: false, attempt: 0 });
  }

  delete(key: Key): void {
    const earlier = this.#unsettled.get(key);
    if (earlier === undefined) this.#ask({ key, deleteAfter: false, isGivenUp: false, attempt: 0 });
    else if (earlier.value !== undefined) earlier.deleteAfter = true;
  }

  nextDeadline(): Millis | undefined {
    const [settle, retry] = [this.#deadlines.earliest(), this.#retries.earliest()];
    return settle === undefined || (retry !== undefined && retry < settle) ? retry : settle;
  }

  /** Gives up the writes whose time is over, and tries failed deletes again. */
  tick(now: Millis): void {
    for (const id of this.#deadlines.due(now)) {
      const write = this.#unsettled.get(rawKey(id));
      if (write === undefined) continue;
      this.#unsettled.delete(write.key);
      write.isGivenUp = true;
      if (write.value !== undefined) this.#hooks.failed(write.key, "the store took too long");
    }
    for (const id of this.#retries.due(now)) {
      const write = this.#again.get(rawKey(id));
      this.#again.delete(rawKey(id));
      if (write !== undefined && !this.#unsettled.has(write.key)) this.#ask(write);
    }
    this.#sayWhenIdle();
  }

  /** Resolves once no write below this prefix may still change what is stored, but for those that were given up. */
  idle(prefix = ""): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push({ prefix, resolve });
      this.#sayWhenIdle();
    });
  }

  #ask(write: Write): void {
    this.#unsettled.set(write.key, write);
    this.#deadlines.set(write.key, this.#hooks.deadline());
    this.#queue.push(write);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#inFlight < WRITES_IN_FLIGHT_MAX) {
      const write = this.#queue.shift();
      if (write === undefined) return;
      // Why: a put that was given up before it began is not stored; a delete is wanted however late it comes.
      if (write.isGivenUp && write.value !== undefined) continue;
      this.#inFlight++;
      const { key, value } = write;
      const done = value === undefined ? this.#store.delete(key) : this.#store.put(key, value);
      done.then(() => this.#landed(write), (error: unknown) => this.#missed(write, error));
    }
  }

  #landed(write: Write): void {
    const isWanted = this.#settle(write);
    if (write.value !== undefined) {
      if (!isWanted || write.deleteAfter) this.delete(write.key);
      if (isWanted) this.#hooks.stored(write.key);
    }
    this.#goOn();
  }

  #missed(write: Write, error: unknown): void {
    const isWanted = this.#settle(write);
    const reason = reasonOf(error);
    if (write.value === undefined) this.#tryAgain(write, reason);
    else {
      // Why: a failed write may have left something behind. Behind one that was a mistake of ours lies what another put stored.
      if (!(error instanceof Panic)) this.delete(write.key);
      if (isWanted) this.#hooks.failed(write.key, reason);
    }
    this.#goOn();
  }

  #tryAgain(write: Write, reason: string): void {
    if (write.attempt === 0) this.#hooks.deleteFailed(write.key, reason);
    const times = Math.min(2 ** write.attempt++, DELETE_BACKOFF_MAX);
    this.#again.set(write.key, write);
    this.#retries.set(write.key, this.#hooks.deadline(times));
    const [oldest] = this.#again.keys();
    if (this.#again.size <= DELETES_KEPT_MAX || oldest === undefined) return;
    this.#again.delete(oldest);
    this.#retries.clear(oldest);
  }

  /** True when the write had not been given up. */
  #settle(write: Write): boolean {
    this.#inFlight--;
    if (this.#unsettled.get(write.key) !== write) return false;
    this.#unsettled.delete(write.key);
    this.#deadlines.clear(write.key);
    return true;
  }

  #goOn(): void {
    this.#startNext();
    this.#sayWhenIdle();
    this.#hooks.moved();
  }

  #sayWhenIdle(): void {
    if (this.#idle.length === 0) return;
    const isBusy = (prefix: string): boolean => this.#unsettled.keys().some((key) => key.startsWith(prefix));
    const idle = this.#idle.filter(({ prefix }) => !isBusy(prefix));
    if (idle.length === 0) return;
    this.#idle = this.#idle.filter((waiting) => !idle.includes(waiting));
    for (const { resolve } of idle) resolve();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
