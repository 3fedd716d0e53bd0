/** A store in memory whose writes a test can delay. */
import type { Entry } from "../../../src/core/event.ts";
import type { Key } from "../../../src/core/ids.ts";
import type { Json } from "../../../src/core/json.ts";
import type { Store } from "../../../src/engine/mod.ts";

export class MemoryStore implements Store {
  readonly entries = new Map<Key, Json>();
  isClosed = false;
  /** Every write waits for this promise. */
  gate: Promise<void> = Promise.resolve();

  async put(key: Key, value: Json): Promise<void> {
    await this.gate;
    this.entries.set(key, value);
  }

  delete(key: Key): Promise<void> {
    this.entries.delete(key);
    return Promise.resolve();
  }

  keys(prefix: Key): Promise<readonly Key[]> {
    return Promise.resolve([...this.entries.keys()].filter((key) => key.startsWith(prefix)).sort());
  }

  read(keys: readonly Key[]): Promise<readonly Entry[]> {
    return Promise.resolve(keys.flatMap((key) => {
      const value = this.entries.get(key);
      return value === undefined ? [] : [{ key, value }];
    }));
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
