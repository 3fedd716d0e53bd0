/**
 * A store on virtual time that is as bad as it is told to be: slow, failing, hanging, and cut off in the middle by a crash.
 *
 * Invariants: S1 a put whose promise was fulfilled is there after any crash; S2 one that was rejected, or never settled, is there or
 * not, as chance will have it; S3 a key that is written twice is an error of the relay and reported as such.
 */
import type { Entry } from "../core/event.ts";
import type { Key, Millis } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import type { Store } from "../engine/ports.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./clock.ts";

/** How bad the store is; all probabilities are from 0 to 1. */
export interface DiskHealth {
  readonly delayMinMs: Millis;
  readonly delayMaxMs: Millis;
  /** An operation is rejected. */
  readonly fails: number;
  /** An operation is not settled for `hangMs`. */
  readonly hangs: number;
  readonly hangMs: Millis;
}

/** A put: when it was asked for, and whether its promise was fulfilled. */
export interface PendingPut {
  readonly at: Millis;
  readonly value: Json;
  readonly isConfirmed: boolean;
}

/** A store that does what it is asked for, a little later. */
export const HEALTHY: DiskHealth = { delayMinMs: 0, delayMaxMs: 0, fails: 0, hangs: 0, hangMs: 0 };

/** What is on the disk. It outlives the processes that open it. */
export class VirtualDisk {
  readonly stored: Map<Key, Json> = new Map();
  /** Every put that was asked for, and whether it was promised to have landed. */
  readonly pending: Map<Key, PendingPut> = new Map();
  /** Keys that were written although they were there: must stay empty. */
  readonly overwritten: Key[] = [];
  health: DiskHealth = HEALTHY;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #inFlight = new Set<() => void>();

  constructor(clock: VirtualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Opens the store for a new process. */
  open(): Store {
    return {
      put: (key, value) => {
        const put = { at: this.#clock.now, value, isConfirmed: false };
        this.pending.set(key, put);
        const written = this.#later(() => this.#write(key, value));
        written.then(() => void (put.isConfirmed = true), () => {});
        return written;
      },
      delete: (key) => this.#later(() => void this.stored.delete(key)),
      keys: (prefix) => this.#later(() => [...this.stored.keys()].filter((key) => key.startsWith(`${prefix}/`)).sort()),
      read: (keys) => this.#later(() => keys.flatMap((key) => this.#entry(key))),
      close: () => Promise.resolve(),
    };
  }

  /** The process that has it open is no more: what it had in flight lands now or never, and nobody is told. */
  crash(): void {
    for (const abandon of this.#inFlight) abandon();
    this.#inFlight.clear();
  }

  #later<T>(act: () => T): Promise<T> {
    const { health } = this;
    const hangMs = this.#random.chance(health.hangs) ? health.hangMs : 0;
    const ms = this.#random.between(health.delayMinMs, health.delayMaxMs) + hangMs;
    const isFailing = this.#random.chance(health.fails);
    const isDone = this.#random.chance(0.5);
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ms, () => {
        this.#inFlight.delete(abandon);
        if (!isFailing) return resolve(act());
        if (isDone) act(); // Why: an operation that reports a failure may have been carried out.
        reject(new Error("the disk says no"));
      });
      const abandon = (): void => {
        cancel();
        if (isDone) act();
      };
      this.#inFlight.add(abandon);
    });
  }

  #write(key: Key, value: Json): void {
    if (this.stored.has(key)) this.overwritten.push(key);
    this.stored.set(key, JSON.parse(JSON.stringify(value)));
  }

  #entry(key: Key): readonly Entry[] {
    const value = this.stored.get(key);
    return value === undefined ? [] : [{ key, value }];
  }
}
