/**
 * The storage of a Durable Object: entries in one table of its database, uploads in another.
 *
 * A write is synchronous, and its promise resolves at once. That is correct because the platform delays everything that leaves the
 * object until the earlier writes are durable.
 *
 * Invariants: D1 no value exceeds the platform's limit; D2 a file exists completely or not at all; D3 keys are listed without their
 * values, because an object has little memory.
 */
import { createStorage, type Driver } from "unstorage";
import type { Store } from "../engine/ports.ts";
import { makeStore, type StoreHooks } from "./store.ts";
import { checkedName, digest, isFileName, type UploadStore } from "./upload-store.ts";

/** The part of the object's storage that is used. */
export interface ObjectStorage {
  readonly sql: { exec(query: string, ...values: readonly unknown[]): Iterable<Record<string, unknown>> };
  transactionSync<T>(run: () => T): T;
}

/** The platform's limit for a row is 2 MB, including the key and some bytes of its own. */
export const ENTRY_BYTES_MAX = 1_900_000;
/** A file is stored in parts of this size, because it may exceed the limit of a row. */
const PART_BYTES = 1_048_576;

/** Opens the store. */
export function openObjectStore(storage: ObjectStorage, hooks: StoreHooks): Promise<Store> {
  storage.sql.exec("create table if not exists entries (key text primary key, value blob not null) without rowid");
  return makeStore({ storage: createStorage({ driver: driverOver(storage) }), entryBytesMax: ENTRY_BYTES_MAX }, hooks);
}

/** An unstorage driver over the object's database. */
function driverOver({ sql }: ObjectStorage): Driver {
  const one = (query: string, key: string): Record<string, unknown> | undefined => [...sql.exec(query, key)][0];
  const read = (key: string): unknown => {
    const value = one("select value from entries where key = ?", key)?.value;
    return value instanceof ArrayBuffer ? new Uint8Array(value) : value ?? null;
  };
  return {
    name: "durable-object",
    hasItem: (key) => one("select 1 from entries where key = ?", key) !== undefined,
    getItem: (key) => read(key) as null, // Why the cast: unstorage's type allows bytes for `getItemRaw` only.
    getItemRaw: read,
    setItemRaw(key, value) {
      sql.exec(
        "insert into entries (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
        key,
        value,
      );
    },
    removeItem(key) {
      sql.exec("delete from entries where key = ?", key);
    },
    getKeys: () => [...sql.exec("select key from entries order by key")].map(({ key }) => String(key)),
  };
}

/** Opens the uploads. */
export function openObjectUploads(storage: ObjectStorage): UploadStore {
  const { sql } = storage;
  sql.exec(
    "create table if not exists upload_parts (file text, part integer, bytes blob not null, primary key (file, part)) without rowid",
  );
  const remove = (file: string) => sql.exec("delete from upload_parts where file = ?", file);
  return {
    async save(file, bytes) {
      const name = checkedName(file);
      storage.transactionSync(() => {
        remove(name);
        for (let part = 0; part === 0 || part * PART_BYTES < bytes.length; part++) {
          const piece = bytes.slice(part * PART_BYTES, (part + 1) * PART_BYTES);
          sql.exec("insert into upload_parts (file, part, bytes) values (?, ?, ?)", name, part, piece);
        }
      });
      return { sha256: await digest(bytes), bytes: bytes.length };
    },
    delete(file) {
      remove(checkedName(file));
      return Promise.resolve();
    },
    list() {
      const files = [...sql.exec("select distinct file from upload_parts")];
      return Promise.resolve(files.map(({ file }) => ({ file: String(file), at: 0 })));
    },
    async read(file) {
      if (!isFileName(file)) return undefined;
      const parts = [...sql.exec("select bytes from upload_parts where file = ? order by part", file)];
      if (parts.length === 0) return undefined;
      const pieces = parts.flatMap(({ bytes }) => (bytes instanceof ArrayBuffer ? [bytes] : []));
      return new Uint8Array(await new Blob(pieces).arrayBuffer());
    },
  };
}
