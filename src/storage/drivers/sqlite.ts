/**
 * One database file: an unstorage driver over `node:sqlite`, which Bun and Deno have.
 *
 * Invariants: Q1 a write resolves when its transaction is synced to the disk (WAL, `synchronous=FULL`); Q2 the writes of one turn of
 * the event loop share a transaction, so a burst costs one sync; Q3 writes take effect in order.
 */
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { createStorage, type Driver } from "unstorage";
import { errorText } from "../../core/text.ts";
import { lockFolder } from "../folder-lock.ts";
import { StoreOpenError } from "../open-error.ts";
import type { StoreBackend } from "../store.ts";

/** The version of the layout, stored in `user_version`. */
const LAYOUT = 1;

/** Opens the database in this folder, which is created if necessary. Throws a `StoreOpenError` when it is unavailable. */
export function openSqlite(path: string): StoreBackend {
  const folder = resolve(path);
  const { release, verify } = lockFolder(folder);
  try {
    return {
      storage: createStorage({ driver: sqliteDriver(join(folder, "entries.sqlite"), verify) }),
      release,
      reportsFailures: true,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Stores entries as text in one table. */
function sqliteDriver(file: string, verify: () => void): Driver {
  const database = openDatabase(file);
  const has = database.prepare("select 1 from entries where key = ?");
  const get = database.prepare("select value from entries where key = ?");
  const put = database.prepare("insert into entries values (?, ?) on conflict (key) do update set value = excluded.value");
  const remove = database.prepare("delete from entries where key = ?");
  const list = database.prepare("select key from entries where key >= ? and key < ? order by key");
  const group = new GroupCommit(database, verify);
  const setItem = (key: string, value: string) => group.add(() => put.run(key, value));
  const getItem = (key: string) => textOf(get.get(key)?.value);
  return {
    name: "sqlite",
    hasItem: (key) => has.get(key) !== undefined,
    getItem,
    getItemRaw: getItem,
    setItem,
    setItemRaw: setItem,
    removeItem: (key) => group.add(() => remove.run(key)),
    getKeys: (base = "") => list.all(base, `${base}\u{10ffff}`).map(({ key }) => String(key)),
    dispose() {
      group.commit();
      database.close();
    },
  };
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 0");
    const layout = Number(database.prepare("pragma user_version").get()?.user_version);
    if (layout > LAYOUT) throw new StoreOpenError(`${file} was written by a newer program`);
    database.exec(
      `create table if not exists entries (key text primary key, value text not null) strict; pragma user_version = ${LAYOUT}`,
    );
    return database;
  } catch (error) {
    database.close();
    if (error instanceof StoreOpenError) throw error;
    throw new StoreOpenError(`cannot use ${file}: ${errorText(error)}`, { cause: error });
  }
}

interface SqlWrite {
  run(): void;
  resolve(): void;
  reject(error: unknown): void;
}

/** Collects writes and commits them together. */
class GroupCommit {
  readonly #database: DatabaseSync;
  /** Throws if another process writes there. */
  readonly #verify: () => void;
  #writes: SqlWrite[] = [];

  constructor(database: DatabaseSync, verify: () => void) {
    this.#database = database;
    this.#verify = verify;
  }

  add(run: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#writes.push({ run, resolve, reject }) === 1) setImmediate(() => this.commit());
    });
  }

  commit(): void {
    const writes = this.#writes;
    if (writes.length === 0) return;
    this.#writes = [];
    try {
      this.#verify();
      this.#database.exec("begin immediate");
      const done = writes.filter(succeeds);
      this.#database.exec("commit");
      for (const { resolve } of done) resolve();
    } catch (error) {
      this.#rollBack();
      for (const { reject } of writes) reject(error);
    }
  }

  /** SQLite may have rolled back already, for example when the disk was full. */
  #rollBack(): void {
    try {
      this.#database.exec("rollback");
    } catch {
      // Why: SQLite has rolled back already.
    }
  }
}

/** Runs one write within the transaction. A failure does not affect the other writes. */
function succeeds({ run, reject }: SqlWrite): boolean {
  try {
    run();
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}
