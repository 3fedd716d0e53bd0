/**
 * A store in virtual time with injected faults: delays, failures, hanging operations, and crashes that interrupt operations.
 *
 * Invariants: S1 a put whose promise was fulfilled is stored after any crash; S2 a put that was rejected or never settled is stored or
 * not, at random; S3 a key that is written twice is an error of the relay, and is recorded in `overwritten`.
 */
import type { Entry } from "../core/event.ts";
import type { Key, Millis } from "../core/ids.ts";
import { type Json, parseJson } from "../core/json.ts";
import type { Store } from "../engine/ports.ts";
import type { Random } from "./random.ts";
import type { VirtualClock } from "./clock.ts";

/** Injected faults of the store; probabilities are from 0 to 1. */
export interface DiskHealth {
  readonly delayMinMs: Millis;
  readonly delayMaxMs: Millis;
  /** Probability that an operation is rejected. */
  readonly fails: number;
  /** Probability that an operation takes `hangMs` longer. */
  readonly hangs: number;
  readonly hangMs: Millis;
}

/** A put: when it was requested, and whether its promise was fulfilled. */
export interface PendingPut {
  readonly at: Millis;
  readonly value: Json;
  readonly isConfirmed: boolean;
}

/** No faults and no delay. */
export const HEALTHY: DiskHealth = { delayMinMs: 0, delayMaxMs: 0, fails: 0, hangs: 0, hangMs: 0 };

/** Stored entries. They outlive the processes that open the store. */
export class VirtualDisk {
  readonly stored: Map<Key, Json> = new Map();
  /** Every requested put, and whether it was confirmed. */
  readonly pending: Map<Key, PendingPut> = new Map();
  /** Keys that were written although they existed: must stay empty. */
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

  /** The process that has the store open was killed: each of its pending operations is carried out now or never, and no promise settles. */
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
        reject(new Error("injected store failure"));
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
    this.stored.set(key, parseJson(JSON.stringify(value), Infinity) ?? null);
  }

  #entry(key: Key): readonly Entry[] {
    const value = this.stored.get(key);
    return value === undefined ? [] : [{ key, value }];
  }
}
