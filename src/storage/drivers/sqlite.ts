/**
 * One database file: a driver for unstorage over `node:sqlite`, which Bun and Deno both have.
 *
 * Invariants: Q1 a write is over once the transaction that holds it is synced to the disk (WAL, `synchronous=FULL`); Q2 what is
 * asked for within one turn of the event loop shares one transaction, so a burst costs one sync; Q3 writes take effect in the
 * order in which they were asked for.
 */
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { createStorage, type Driver } from "unstorage";
import { OpenFailure } from "../failure.ts";
import { lock } from "../lock.ts";
import type { Backend } from "../store.ts";

/** The layout of the database, in its `user_version`. */
const LAYOUT = 1;

/** Opens the database in this folder, and makes it where there is none. Throws an `OpenFailure` when it cannot. */
export function openSqlite(path: string): Backend {
  const folder = resolve(path);
  const { release } = lock(folder);
  try {
    return { storage: createStorage({ driver: sqliteDriver(join(folder, "entries.sqlite")) }), release, isHonest: true };
  } catch (error) {
    release();
    throw error;
  }
}

/** Entries as text in one table. */
function sqliteDriver(file: string): Driver {
  const database = openDatabase(file);
  const has = database.prepare("select 1 from entries where key = ?");
  const get = database.prepare("select value from entries where key = ?");
  const put = database.prepare("insert into entries values (?, ?) on conflict (key) do update set value = excluded.value");
  const remove = database.prepare("delete from entries where key = ?");
  const list = database.prepare("select key from entries where key >= ? and key < ? order by key");
  const group = new Group(database);
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
    if (layout > LAYOUT) throw new OpenFailure(`${file} was written by a newer program`);
    database.exec(
      `create table if not exists entries (key text primary key, value text not null) strict; pragma user_version = ${LAYOUT}`,
    );
    return database;
  } catch (error) {
    database.close();
    if (error instanceof OpenFailure) throw error;
    throw new OpenFailure(`cannot use ${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

interface Write {
  run(): void;
  resolve(): void;
  reject(error: unknown): void;
}

/** Gathers writes and commits them together. */
class Group {
  readonly #database: DatabaseSync;
  #writes: Write[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
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
      this.#database.exec("begin immediate");
      const done = writes.filter(succeeds);
      this.#database.exec("commit");
      for (const { resolve } of done) resolve();
    } catch (error) {
      this.#rollBack();
      for (const { reject } of writes) reject(error);
    }
  }

  /** SQLite may have rolled back already: after a full disk, for one. */
  #rollBack(): void {
    try {
      this.#database.exec("rollback");
    } catch {
      // Why: there is nothing left to roll back.
    }
  }
}

/** Runs one write within the transaction; one that fails does not take the others with it. */
function succeeds({ run, reject }: Write): boolean {
  try {
    run();
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}
