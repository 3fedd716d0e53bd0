/**
 * Puts and deletes, bounded in number and in time, so that a store that hangs blocks no service.
 *
 * Invariants: W1 every put is settled exactly once, as stored or failed, at most `queue.write_timeout` after it was requested; W2 a
 * put that succeeds after its timeout is deleted again; W3 the delete of a key follows its put; W4 failed deletes are retried with
 * backoff until they succeed, so refused or acknowledged entries never reappear; W5 at most `WRITES_IN_FLIGHT_MAX` writes of each
 * service are with the store at a time, so one that writes much does not delay the others; W6 a put that the store refuses because
 * the key exists leaves the first value in place.
 * Knows nothing of: services, peers.
 */
import { assert, Panic } from "../core/assert.ts";
import { Deadlines } from "../core/deadlines.ts";
import { type Key, type Millis, rawKey } from "../core/ids.ts";
import { segmentAt } from "../core/key.ts";
import type { Json } from "../core/json.ts";
import { DELETE_BACKOFF_MAX, FAILED_DELETES_MAX, WRITES_IN_FLIGHT_MAX } from "../core/limits.ts";
import type { Store } from "./ports.ts";

/** The functions of the engine that the writer calls. */
export interface WriterHooks {
  /** Deadline of a write started now, optionally after a multiple of the timeout. */
  deadline(times?: number): Millis;
  stored(key: Key): void;
  failed(key: Key, reason: string): void;
  /** Called once for each delete. */
  deleteFailed(key: Key, reason: string): void;
  /** The next deadline may have changed. */
  deadlineChanged(): void;
}

/** A put, or a delete if it has no value. */
interface Write {
  readonly key: Key;
  readonly lane: Lane;
  readonly value?: Json;
  /** The key of this put was deleted before the put was settled. */
  deleteAfter: boolean;
  attempt: number;
}

/** The writes of one service. */
interface Lane {
  /** Those that have not begun, in order. */
  readonly waiting: Set<Write>;
  inFlight: number;
}

export class Writer {
  readonly #store: Store;
  readonly #hooks: WriterHooks;
  /** By service. */
  readonly #lanes = new Map<string, Lane>();
  readonly #unsettled = new Map<Key, Write>();
  readonly #deadlines = new Deadlines();
  /** Failed deletes that wait for their next attempt. */
  readonly #failedDeletes = new Map<Key, Write>();
  readonly #retries = new Deadlines();
  #idle: { readonly prefix: string; readonly resolve: () => void }[] = [];

  constructor(store: Store, hooks: WriterHooks) {
    this.#store = store;
    this.#hooks = hooks;
  }

  /** True while a put of this key is neither stored nor failed. */
  isPending(key: Key): boolean {
    return this.#unsettled.get(key)?.value !== undefined;
  }

  /** Writes as soon as fewer than `WRITES_IN_FLIGHT_MAX` writes of its service are in flight. */
  put(key: Key, value: Json): void {
    assert(!this.#unsettled.has(key), `key written twice: ${key}`);
    this.#enqueue({ key, lane: this.#laneOf(key), value, deleteAfter: false, attempt: 0 });
  }

  delete(key: Key): void {
    const earlier = this.#unsettled.get(key);
    if (earlier === undefined) this.#enqueue({ key, lane: this.#laneOf(key), deleteAfter: false, attempt: 0 });
    else if (earlier.value !== undefined) earlier.deleteAfter = true;
  }

  nextDeadline(): Millis | undefined {
    const [settle, retry] = [this.#deadlines.earliest(), this.#retries.earliest()];
    return settle === undefined || (retry !== undefined && retry < settle) ? retry : settle;
  }

  /** Fails the writes whose deadline has passed, and retries failed deletes. */
  tick(now: Millis): void {
    for (const id of this.#deadlines.due(now)) {
      const write = this.#unsettled.get(rawKey(id));
      if (write === undefined) continue;
      this.#unsettled.delete(write.key);
      if (write.value === undefined) continue;
      write.lane.waiting.delete(write); // Why: a put that has not begun is not stored, and its value is not kept.
      this.#hooks.failed(write.key, "the store took too long");
    }
    for (const id of this.#retries.due(now)) {
      const write = this.#failedDeletes.get(rawKey(id));
      this.#failedDeletes.delete(rawKey(id));
      if (write !== undefined && !this.#unsettled.has(write.key)) this.#enqueue(write);
    }
    this.#resolveIdle();
  }

  /** Resolves once no write below this prefix can still change the store, except writes that timed out. */
  idle(prefix = ""): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push({ prefix, resolve });
      this.#resolveIdle();
    });
  }

  #enqueue(write: Write): void {
    this.#unsettled.set(write.key, write);
    this.#deadlines.set(write.key, this.#hooks.deadline());
    write.lane.waiting.add(write);
    this.#startWrites(write.lane);
  }

  #laneOf(key: Key): Lane {
    const service = segmentAt(key, 0);
    const known = this.#lanes.get(service);
    if (known !== undefined) return known;
    const lane: Lane = { waiting: new Set(), inFlight: 0 };
    this.#lanes.set(service, lane);
    return lane;
  }

  #startWrites(lane: Lane): void {
    while (lane.inFlight < WRITES_IN_FLIGHT_MAX) {
      const [write] = lane.waiting;
      if (write === undefined) return;
      lane.waiting.delete(write);
      lane.inFlight++;
      const { key, value } = write;
      const done = value === undefined ? this.#store.delete(key) : this.#store.put(key, value);
      done.then(() => this.#succeeded(write), (error: unknown) => this.#failed(write, error));
    }
  }

  #succeeded(write: Write): void {
    const isWanted = this.#settle(write);
    if (write.value !== undefined) {
      if (!isWanted || write.deleteAfter) this.delete(write.key);
      if (isWanted) this.#hooks.stored(write.key);
    }
    this.#continue(write);
  }

  #failed(write: Write, error: unknown): void {
    const isWanted = this.#settle(write);
    const reason = reasonOf(error);
    if (write.value === undefined) this.#retryDelete(write, reason);
    else {
      // Why: a failed write may have left a partial value. After a `Panic` the key may hold the value of an earlier put, so keep it.
      if (!(error instanceof Panic)) this.delete(write.key);
      if (isWanted) this.#hooks.failed(write.key, reason);
    }
    this.#continue(write);
  }

  #retryDelete(write: Write, reason: string): void {
    if (write.attempt === 0) this.#hooks.deleteFailed(write.key, reason);
    const times = Math.min(2 ** write.attempt++, DELETE_BACKOFF_MAX);
    this.#failedDeletes.set(write.key, write);
    this.#retries.set(write.key, this.#hooks.deadline(times));
    const [oldest] = this.#failedDeletes.keys();
    if (this.#failedDeletes.size <= FAILED_DELETES_MAX || oldest === undefined) return;
    this.#failedDeletes.delete(oldest);
    this.#retries.clear(oldest);
  }

  /** True unless the write had timed out. */
  #settle(write: Write): boolean {
    write.lane.inFlight--;
    if (this.#unsettled.get(write.key) !== write) return false;
    this.#unsettled.delete(write.key);
    this.#deadlines.clear(write.key);
    return true;
  }

  #continue({ lane }: Write): void {
    this.#startWrites(lane);
    this.#resolveIdle();
    this.#hooks.deadlineChanged();
  }

  #resolveIdle(): void {
    if (this.#idle.length === 0) return;
    const isBusy = (prefix: string): boolean => this.#unsettled.keys().some((key) => key.startsWith(prefix));
    const idle = this.#idle.filter(({ prefix }) => !isBusy(prefix));
    if (idle.length === 0) return;
    this.#idle = this.#idle.filter((waiting) => !idle.includes(waiting));
    for (const { resolve } of idle) resolve();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
