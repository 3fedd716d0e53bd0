/**
 * Loads the values of keys in batches, and distinguishes an unreadable key from an unavailable store.
 *
 * After a failed load the keys are loaded one at a time, each failed key behind the others. A key is unreadable when its load has failed
 * `LOAD_ATTEMPTS_MAX` times and another operation of the store has succeeded since its first failure. While everything fails, the store is
 * unavailable: the loads are repeated after `queue.retry` and no key is given up.
 */
import type { StepContext } from "../core/context.ts";
import type { StoreEvent } from "../core/event.ts";
import { type Key, type LoadToken, loadToken, type Millis } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { LOAD_BYTES_MAX, LOAD_ENTRIES_MAX } from "../core/limits.ts";

/** Failed loads of one key after which it is unreadable, if the store works otherwise. */
export const LOAD_ATTEMPTS_MAX = 3;

/** Counts the successful reads and writes of a store. Shared by all loaders of a queue. */
export interface LoadHealth {
  successes: number;
}

interface WantedKey {
  readonly bytes: number;
  failures: number;
  /** The successes of the store when the load of this key failed for the first time. */
  successesAtFailure: number;
}

/** The result of a load: a value for each key that was read (undefined: there is no such entry), and the unreadable keys. */
export interface LoadResult {
  readonly values: ReadonlyMap<Key, Json | undefined>;
  readonly unreadable: readonly Key[];
}

type LoadEvent = Extract<StoreEvent, { readonly token: LoadToken }>;

export class EntryLoader {
  /** Before the id of a load. Its first part names the service. */
  readonly #tokenPrefix: string;
  readonly #health: LoadHealth;
  readonly #wanted = new Map<Key, WantedKey>();
  #loading: { readonly token: LoadToken; readonly keys: readonly Key[] } | undefined;
  #isOneAtATime = false;
  #resumeAt: Millis = 0;

  constructor(tokenPrefix: string, health: LoadHealth) {
    this.#tokenPrefix = tokenPrefix;
    this.#health = health;
  }

  get isIdle(): boolean {
    return this.#loading === undefined && this.#wanted.size === 0;
  }

  /** Adds a key to load. `bytes`: the size of its value. */
  want(key: Key, bytes: number): void {
    if (!this.#wanted.has(key)) this.#wanted.set(key, { bytes, failures: 0, successesAtFailure: 0 });
  }

  /** Starts the next load, unless one is under way. Returns its token. */
  start(ctx: StepContext): LoadToken | undefined {
    if (this.#loading !== undefined || this.#wanted.size === 0 || this.#resumeAt > ctx.now) return undefined;
    this.#loading = { token: loadToken(`${this.#tokenPrefix}${ctx.id()}`), keys: this.#nextKeys() };
    ctx.emit({ do: "load", ...this.#loading });
    return this.#loading.token;
  }

  /** A load has ended. Undefined if this loader did not start it. */
  ended(event: LoadEvent, retryMs: Millis, ctx: StepContext): LoadResult | undefined {
    if (this.#loading?.token !== event.token) return undefined;
    const { keys } = this.#loading;
    this.#loading = undefined;
    return event.is === "loaded" ? this.#loaded(keys, event.entries) : this.#failed(keys, event.reason, retryMs, ctx);
  }

  nextWakeup(): Millis | undefined {
    return this.#loading === undefined && this.#wanted.size > 0 ? this.#resumeAt : undefined;
  }

  #nextKeys(): readonly Key[] {
    const keys: Key[] = [];
    let bytes = 0;
    for (const [key, wanted] of this.#wanted) {
      bytes += wanted.bytes;
      if (keys.length === (this.#isOneAtATime ? 1 : LOAD_ENTRIES_MAX)) break;
      if (keys.length > 0 && bytes > LOAD_BYTES_MAX) break;
      keys.push(key);
    }
    return keys;
  }

  #loaded(keys: readonly Key[], entries: Extract<LoadEvent, { readonly is: "loaded" }>["entries"]): LoadResult {
    this.#health.successes++;
    const loaded = new Map(entries.map(({ key, value }): [Key, Json | undefined] => [key, value]));
    const values = new Map(keys.filter((key) => this.#wanted.has(key)).map((key) => [key, loaded.get(key)]));
    for (const key of keys) this.#wanted.delete(key);
    if (this.#wanted.size === 0) this.#isOneAtATime = false;
    return { values, unreadable: [] };
  }

  #failed(keys: readonly Key[], reason: string, retryMs: Millis, ctx: StepContext): LoadResult {
    this.#resumeAt = ctx.now + retryMs;
    const [key] = keys;
    const wanted = key === undefined || keys.length > 1 ? undefined : this.#wanted.get(key);
    this.#isOneAtATime = true;
    if (key === undefined || wanted === undefined) return { values: new Map(), unreadable: [] };
    if (wanted.failures++ === 0) {
      wanted.successesAtFailure = this.#health.successes;
      ctx.observe({ is: "store_failed", key, reason });
    }
    this.#wanted.delete(key);
    if (wanted.failures >= LOAD_ATTEMPTS_MAX && this.#health.successes > wanted.successesAtFailure) {
      this.#resumeAt = ctx.now;
      if (this.#wanted.size === 0) this.#isOneAtATime = false;
      return { values: new Map(), unreadable: [key] };
    }
    this.#wanted.set(key, wanted); // Why again: it is now behind the other keys.
    return { values: new Map(), unreadable: [] };
  }
}
