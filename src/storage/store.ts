/**
 * The `Store` port over any unstorage driver.
 *
 * Invariants: S1 a promise settles only when the driver has done its work, or rejects, even where the driver hides a failure; S2 a key
 * is written once; S3 a value that is not an entry of this program (torn, empty, foreign, or written by a newer version) is moved to
 * `quarantine/`, reported and never returned; it is never deleted and never stops the relay; S4 keys are listed from memory: the
 * backend is listed once, when it is opened; S5 a key that cannot be read while the backend works does not affect other keys: after
 * `READ_ATTEMPTS` it is quarantined.
 *
 * Entries pass through the driver as text (`getItemRaw`, `setItemRaw`), because unstorage's own reading guesses types, and drops names such
 * as `constructor` from a peer's JSON.
 * Knows nothing of the kind of backend and the meaning of entries.
 */
import type { Driver, Storage } from "unstorage";
import { assert } from "../core/assert.ts";
import type { Entry } from "../core/event.ts";
import type { Key } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { errorText, lenientText } from "../core/text.ts";
import type { Store } from "../engine/ports.ts";
import { decodeEntry, encodeEntry, isKey } from "./entry.ts";

export interface StoreHooks {
  /** The content of `key` is not an entry, and was moved away. */
  onQuarantine(key: string, why: string): void;
}

/** An open backend. */
export interface StoreBackend {
  readonly storage: Storage;
  /** Larger entries are refused; undefined if only memory limits them. */
  readonly entryBytesMax?: number;
  /** The driver rejects on every failure, so a delete needs no check. */
  readonly reportsFailures?: boolean;
  /** Moves an item without reading it, where the backend can. */
  move?(from: string, to: string): Promise<void>;
  /** Releases the resources that were opened besides the storage. */
  release?(): void;
}

const CONCURRENT_READS = 64;
const READ_ATTEMPTS = 3;
const READ_RETRY_MS = 100;
/** Written and read to find out whether the backend works. */
const PROBE_ITEM = "probe:read";
/** For each key, so that a program that fails in the same way each time does not fill the disk. */
const QUARANTINED_PER_KEY_MAX = 16;

/** Lists the backend, and makes a store of it. */
export async function makeStore(backend: StoreBackend, hooks: StoreHooks): Promise<Store> {
  const store = new EntryStore(backend, hooks);
  await store.index();
  return store;
}

class EntryStore implements Store {
  readonly #backend: StoreBackend;
  readonly #storage: Storage;
  readonly #hooks: StoreHooks;
  readonly #keys = new Set<Key>();
  /** Why past the storage: our keys are normalised already, and doing it again costs as much as the rest of a write. */
  readonly #driver: Driver;
  /** The probe that is under way. */
  #probe: Promise<boolean> | undefined;

  constructor(backend: StoreBackend, hooks: StoreHooks) {
    this.#backend = backend;
    this.#storage = backend.storage;
    this.#driver = backend.storage.getMount().driver;
    this.#hooks = hooks;
  }

  /** Reads the existing keys. Some drivers list a key twice, some in no order. */
  async index(): Promise<void> {
    for (const item of new Set(await this.#storage.getKeys())) {
      const key = item.replaceAll(":", "/");
      if (item === PROBE_ITEM) continue;
      if (isKey(key)) this.#keys.add(key);
      else await this.#quarantine(item, `foreign/${item.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, 100)}`, "not a key");
    }
  }

  async put(key: Key, value: Json): Promise<void> {
    if (!isKey(key)) throw new Error(`not a key: ${key}`);
    assert(!this.#keys.has(key), `key written twice: ${key}`);
    const content = encodeEntry(value, this.#backend.entryBytesMax);
    this.#keys.add(key);
    const item = itemOf(key);
    const driver = this.#driver;
    if (driver.setItemRaw !== undefined) await driver.setItemRaw(item, content, {});
    else if (driver.setItem !== undefined && typeof content === "string") await driver.setItem(item, content, {});
    else await this.#storage.setItemRaw(item, content);
  }

  async delete(key: Key): Promise<void> {
    const item = itemOf(key);
    await this.#driver.removeItem?.(item, {});
    if (this.#backend.reportsFailures !== true && await this.#storage.hasItem(item)) {
      throw new Error(`could not be deleted: ${key}`);
    }
    this.#keys.delete(key);
  }

  keys(prefix: Key): Promise<readonly Key[]> {
    const below = `${prefix}/`;
    return Promise.resolve([...this.#keys].filter((key) => key.startsWith(below)).sort());
  }

  async read(keys: readonly Key[]): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (let at = 0; at < keys.length; at += CONCURRENT_READS) {
      for (const entry of await this.#readBatch(keys.slice(at, at + CONCURRENT_READS))) {
        if (entry !== undefined) entries.push(entry);
      }
    }
    return entries;
  }

  async #readBatch(keys: readonly Key[]): Promise<readonly (Entry | undefined)[]> {
    const results = await Promise.allSettled(keys.map((key) => this.#readOne(key)));
    const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    if (errors.length > 0 && errors.length === keys.length && !(await this.#isWorking())) throw errors[0];
    return await Promise.all(
      results.map((result, at) =>
        result.status === "fulfilled" ? result.value : this.#readAgain(keys[at] ?? keys[0], result.reason)
      ),
    );
  }

  /** Reads a key that failed once, while the backend works. After `READ_ATTEMPTS` the key is quarantined. */
  async #readAgain(key: Key | undefined, error: unknown): Promise<Entry | undefined> {
    if (key === undefined) return undefined;
    for (let attempt = 2; attempt <= READ_ATTEMPTS; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, READ_RETRY_MS));
      try {
        return await this.#readOne(key);
      } catch (latest) {
        error = latest;
      }
    }
    await this.#quarantine(itemOf(key), key, `unreadable: ${errorText(error)}`, "move");
    this.#keys.delete(key);
    return undefined;
  }

  /**
   * Whether the backend stores and returns a probe. If it does, the keys are faulty, not the backend. Why one probe at a time: another read
   * would overwrite it.
   */
  #isWorking(): Promise<boolean> {
    return this.#probe ??= this.#tryProbe().catch(() => false).finally(() => (this.#probe = undefined));
  }

  async #tryProbe(): Promise<boolean> {
    const probe = String(performance.now());
    await this.#storage.setItemRaw(PROBE_ITEM, probe);
    const read = await this.#contentOf(PROBE_ITEM);
    await this.#storage.removeItem(PROBE_ITEM);
    return String(read instanceof Uint8Array ? lenientText(read) : read) === probe;
  }

  async close(): Promise<void> {
    try {
      await this.#storage.dispose();
    } finally {
      this.#backend.release?.();
    }
  }

  async #readOne(key: Key): Promise<Entry | undefined> {
    const content = await this.#contentOf(itemOf(key));
    if (content === undefined) return undefined;
    const entry = decodeEntry(content);
    if ("value" in entry) return { key, value: entry.value };
    await this.#quarantine(itemOf(key), key, entry.why);
    this.#keys.delete(key);
    return undefined;
  }

  /** Some drivers return an error instead of throwing it. */
  async #contentOf(item: string): Promise<unknown> {
    const content: unknown = await this.#storage.getItemRaw(item);
    if (content instanceof Error) throw content;
    return content ?? undefined;
  }

  /** Moves the content of a key to the quarantine. If that fails, the content stays and is ignored. */
  async #quarantine(item: string, name: string, why: string, how: "copy" | "move" = "copy"): Promise<void> {
    if (item.startsWith("quarantine:")) return;
    try {
      const place = await this.#freePlace(`quarantine:${itemOf(name)}`);
      if (place !== undefined && how === "move") {
        if (this.#backend.move === undefined) throw new Error("this backend cannot move it");
        await this.#backend.move(item, place);
      } else if (place !== undefined) {
        const content = await this.#contentOf(item);
        if (content !== undefined) {
          await this.#storage.setItemRaw(place, content);
          await this.#storage.removeItem(item);
        }
      }
    } catch (error) {
      why += `; it stays in place and is ignored: ${errorText(error)}`;
    }
    this.#hooks.onQuarantine(item.replaceAll(":", "/"), why);
  }

  async #freePlace(item: string): Promise<string | undefined> {
    for (let count = 1; count <= QUARANTINED_PER_KEY_MAX; count++) {
      const place = `${item}.${count}`;
      if (!(await this.#storage.hasItem(place))) return place;
    }
    return undefined;
  }
}

/** unstorage joins the segments of a key with colons. */
const itemOf = (key: string): string => key.replaceAll("/", ":");
