/** A store and uploads in memory, for tests of what is above them. */
import type { Entry } from "../../../src/core/event.ts";
import type { Key } from "../../../src/core/ids.ts";
import type { Json } from "../../../src/core/json.ts";
import { hashBytes } from "../../../src/core/hash.ts";
import type { Store } from "../../../src/engine/mod.ts";
import type { ReadableUploads } from "../../../src/runtimes/served.ts";

export class MemoryStore implements Store {
  readonly entries = new Map<Key, Json>();
  isClosed = false;
  /** Writes wait for it. */
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

export function memoryUploads(): ReadableUploads {
  const files = new Map<string, Uint8Array>();
  return {
    save(file, bytes) {
      files.set(file, bytes);
      return Promise.resolve({ sha256: hashBytes(bytes), bytes: bytes.length });
    },
    delete(file) {
      files.delete(file);
      return Promise.resolve();
    },
    read: (file) => Promise.resolve(files.get(file)),
  };
}
