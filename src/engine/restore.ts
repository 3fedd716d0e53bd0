/**
 * Reading what a room stored: once at the start, and again whenever the room panicked.
 *
 * Invariants: T1 a room is read only when none of its writes may still change what is read; T2 a reading that fails or hangs is
 * tried again until one succeeds, for a room made of half its entries would act on what is not so.
 */
import { Deadlines } from "../core/deadlines.ts";
import type { Entry } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { key } from "../core/key.ts";
import { REBUILD_MS } from "../core/limits.ts";
import type { ServiceName } from "../core/service.ts";
import type { Store } from "./ports.ts";

/** A room as far as reading it goes. */
export interface Readable {
  readonly name: ServiceName;
  readonly resident: readonly string[];
}

/** What a room is made from: all its keys, with the values of those it declared resident. */
export async function readService(store: Store, room: Readable): Promise<readonly Entry[]> {
  const keys = await store.keys(key(room.name));
  const isResident = (name: string) => room.resident.some((prefix) => name.startsWith(prefix));
  const resident = await store.read(keys.filter(isResident));
  const cold = keys.filter((name) => !isResident(name)).map((name): Entry => ({ key: name }));
  return [...resident, ...cold];
}

/** What the restorer needs, and says. */
export interface RestorerHooks {
  now(): Millis;
  /** Resolves once none of the room's writes may still change what is stored. */
  settled(room: Readable): Promise<void>;
  read(room: Readable, entries: readonly Entry[]): void;
  failed(room: Readable, reason: string): void;
}

export class Restorer {
  readonly #store: Store;
  readonly #hooks: RestorerHooks;
  /** The latest reading of each room that is being read. */
  readonly #readings = new Map<string, { readonly room: Readable; readonly count: number }>();
  readonly #deadlines = new Deadlines();
  #count = 0;

  constructor(store: Store, hooks: RestorerHooks) {
    this.#store = store;
    this.#hooks = hooks;
  }

  /** Reads a room, and goes on trying until it was read. */
  begin(room: Readable): void {
    const count = ++this.#count;
    this.#readings.set(room.name, { room, count });
    this.#deadlines.set(room.name, this.#hooks.now() + REBUILD_MS);
    const isLatest = (): boolean => this.#readings.get(room.name)?.count === count;
    this.#hooks.settled(room).then(() => readService(this.#store, room)).then(
      (entries) => {
        if (!isLatest()) return;
        this.#readings.delete(room.name);
        this.#deadlines.clear(room.name);
        this.#hooks.read(room, entries);
      },
      // Why: nothing else is done; the deadline starts the next attempt.
      (error: unknown) => isLatest() && this.#hooks.failed(room, String(error)),
    );
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.earliest();
  }

  tick(now: Millis): void {
    for (const name of this.#deadlines.due(now)) {
      const reading = this.#readings.get(name);
      if (reading !== undefined) this.begin(reading.room);
    }
  }
}
