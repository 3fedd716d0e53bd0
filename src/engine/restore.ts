/**
 * Reads the stored entries of a service: at the start, and again whenever it panicked.
 *
 * Invariants: T1 a service is read only when none of its writes can still change the result; T2 a read that fails or hangs is retried
 * until one succeeds, because a service restored from some of its entries would act on a wrong state.
 */
import { Deadlines } from "../core/deadlines.ts";
import type { Entry } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { key } from "../core/key.ts";
import { REBUILD_MS } from "../core/limits.ts";
import type { ServiceName } from "../core/service.ts";
import type { Store } from "./ports.ts";

/** The input of a service's read. */
export interface ReadableService {
  readonly name: ServiceName;
  readonly resident: readonly string[];
}

/** All keys of a service, with the values of those that it declares resident. */
export async function readService(store: Store, service: ReadableService): Promise<readonly Entry[]> {
  const keys = await store.keys(key(service.name));
  const isResident = (name: string) => service.resident.some((prefix) => name.startsWith(prefix));
  const resident = await store.read(keys.filter(isResident));
  const cold = keys.filter((name) => !isResident(name)).map((name): Entry => ({ key: name }));
  return [...resident, ...cold];
}

/** The functions of the engine that the restorer calls. */
export interface RestorerHooks {
  now(): Millis;
  /** Resolves once none of the service's writes can still change the store. */
  settled(service: ReadableService): Promise<void>;
  read(service: ReadableService, entries: readonly Entry[]): void;
  failed(service: ReadableService, reason: string): void;
}

export class Restorer {
  readonly #store: Store;
  readonly #hooks: RestorerHooks;
  /** The latest read of each service that is being read. */
  readonly #reads = new Map<string, { readonly service: ReadableService; readonly count: number }>();
  readonly #deadlines = new Deadlines();
  #count = 0;

  constructor(store: Store, hooks: RestorerHooks) {
    this.#store = store;
    this.#hooks = hooks;
  }

  /** Reads a service, and retries until it succeeds. */
  start(service: ReadableService): void {
    const count = ++this.#count;
    this.#reads.set(service.name, { service, count });
    this.#deadlines.set(service.name, this.#hooks.now() + REBUILD_MS);
    const isLatest = (): boolean => this.#reads.get(service.name)?.count === count;
    this.#hooks.settled(service).then(() => readService(this.#store, service)).then(
      (entries) => {
        if (!isLatest()) return;
        this.#reads.delete(service.name);
        this.#deadlines.clear(service.name);
        this.#hooks.read(service, entries);
      },
      // Why nothing else: the deadline starts the next attempt.
      (error: unknown) => isLatest() && this.#hooks.failed(service, String(error)),
    );
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.earliest();
  }

  tick(now: Millis): void {
    for (const name of this.#deadlines.due(now)) {
      const read = this.#reads.get(name);
      if (read !== undefined) this.start(read.service);
    }
  }
}
