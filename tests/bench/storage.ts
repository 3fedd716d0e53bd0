/**
 * `bun run bench storage [--reps N] [--messages N] [--folder DIR]`: compares the relay's writer and store on each backend with the same
 * backend used bare.
 *
 * An enqueue is a new entry, an ack its delete; both count when they are done, a hundred at a time. Bare means: the text is ready, the key
 * is known, and nothing is counted, bounded or checked. Only ratios can be compared between machines, and they depend on the disk.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createStorage, type Driver } from "unstorage";
import fsLite from "unstorage/drivers/fs-lite";
import redisDriver from "unstorage/drivers/redis";
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { Key } from "../../src/core/ids.ts";
import { entryKey } from "../../src/queue/entry.ts";
import { segment } from "../../src/core/key.ts";
import type { QueueSettings } from "../../src/core/settings.ts";
import { countFrom } from "../../src/engine/ids.ts";
import { Writer } from "../../src/engine/writer.ts";
import { openStore } from "../../src/storage/open-store.ts";
import { find } from "../harness/machine.ts";
import { freePort, said } from "../unit/storage/backends.ts";
import { median } from "./measuring.ts";

const { values: options } = parseArgs({
  options: {
    reps: { type: "string", default: "5" },
    messages: { type: "string", default: "5000" },
    folder: { type: "string", default: tmpdir() },
  },
});
const MESSAGES = Number(options.messages);
const BATCH = 100;
const SCHEMA = "create table entries (key text primary key, value text not null) strict";

/** One way to store messages. */
interface StorageSubject {
  /** Stores a message for each key, and resolves when all are stored. */
  put(keys: readonly Key[]): Promise<void>;
  remove(keys: readonly Key[]): Promise<void>;
  close(): Promise<void>;
}

const BODY = JSON.stringify({ from_watcher: "bench", cmd: { action: "skip", note: "x".repeat(60) } });

const value = (id: string): { readonly v: number; readonly [name: string]: string | number } => ({
  v: 1,
  id,
  at: 1_700_000_000_000,
  exp: 1_700_000_600_000,
  kind: "command",
  body: BODY,
});
const TEXT = JSON.stringify(value("1700000000000-1000000000"));

/** The relay's writer and store, from the effect of a service to the event that reports its end. */
async function relayStore(settings: QueueSettings): Promise<StorageSubject> {
  const store = await openStore(settings, { onQuarantine: () => {} });
  let waiting = 0;
  let done: () => void = () => {};
  const settled = (): void => void (--waiting === 0 && done());
  const writer = new Writer(store, {
    deadline: () => Date.now() + 60_000,
    stored: settled,
    failed: (key, reason) => {
      throw new Error(`${key}: ${reason}`);
    },
    deleteFailed: (key, reason) => {
      throw new Error(`${key}: ${reason}`);
    },
    deadlineChanged: () => {},
  });
  return {
    put(keys) {
      waiting = keys.length;
      const { promise, resolve } = Promise.withResolvers<void>();
      done = resolve;
      for (const key of keys) writer.put(key, value(key));
      return promise;
    },
    remove(keys) {
      for (const key of keys) writer.delete(key);
      return writer.idle();
    },
    close: () => store.close(),
  };
}

/** A driver of unstorage with ready texts. */
function bareStore(driver: Driver): StorageSubject {
  const storage = createStorage({ driver });
  const each = async (keys: readonly Key[], run: (item: string) => Promise<void>): Promise<void> => {
    await Promise.all(keys.map((key) => run(key.replaceAll("/", ":"))));
  };
  return {
    put: (keys) => each(keys, (item) => storage.setItemRaw(item, TEXT)),
    remove: (keys) => each(keys, (item) => storage.removeItem(item)),
    close: () => storage.dispose(),
  };
}

/** The fastest SQLite that survives a power failure: one transaction and one sync for each batch. */
function bareSqlite(file: string): StorageSubject {
  const database = new DatabaseSync(file);
  database.exec(`pragma journal_mode = wal; pragma synchronous = full; ${SCHEMA}`);
  const insert = database.prepare("insert into entries values (?, ?)");
  const remove = database.prepare("delete from entries where key = ?");
  const together = (keys: readonly Key[], run: (key: Key) => void): Promise<void> => {
    database.exec("begin immediate");
    for (const key of keys) run(key);
    database.exec("commit");
    return Promise.resolve();
  };
  return {
    put: (keys) => together(keys, (key) => insert.run(key, TEXT)),
    remove: (keys) => together(keys, (key) => remove.run(key)),
    close: () => Promise.resolve(database.close()),
  };
}

interface StorageComparison {
  readonly name: string;
  relay(folder: string): Promise<StorageSubject>;
  bare(folder: string): Promise<StorageSubject> | StorageSubject;
}

const COMPARISONS: StorageComparison[] = [
  {
    name: "fs",
    relay: (path) => relayStore({ ...DEFAULTS.queue, backend: "fs", path }),
    bare: (base) => bareStore(fsLite({ base })),
  },
  {
    name: "sqlite",
    relay: (path) => relayStore({ ...DEFAULTS.queue, backend: "sqlite", path }),
    bare: (folder) => bareSqlite(join(folder, "bare.sqlite")),
  },
];

const newId = countFrom(Date.now());

const newKeys = (): Key[] =>
  Array.from({ length: BATCH }, () => {
    const head = { id: newId(), exp: Date.now(), bytes: 100, kind: "command" } as const;
    return entryKey({ service: "intermediary", is: "queue", recipient: segment("jukebox") }, head);
  });

/** Messages stored and removed per second. */
async function rates(subject: StorageSubject): Promise<readonly [puts: number, removes: number]> {
  const all: Key[][] = [];
  const timed = async (run: () => Promise<void>): Promise<number> => {
    const from = performance.now();
    await run();
    return MESSAGES / ((performance.now() - from) / 1_000);
  };
  const puts = await timed(async () => {
    for (let count = 0; count < MESSAGES; count += BATCH) {
      const keys = newKeys();
      await subject.put(keys);
      all.push(keys);
    }
  });
  const removes = await timed(async () => {
    for (const keys of all) await subject.remove(keys);
  });
  await subject.close();
  return [puts, removes];
}

async function compare({ name, relay, bare }: StorageComparison): Promise<void> {
  const samples: Record<"enqueue" | "ack", [mine: number, theirs: number][]> = { enqueue: [], ack: [] };
  for (let rep = 0; rep < Number(options.reps); rep++) {
    const folder = await mkdtemp(join(options.folder, "neuro-relay-bench-"));
    const [theirs, mine] = [
      await rates(await bare(folder)),
      await rates(await relay(join(folder, "ours"))),
    ];
    samples.enqueue.push([mine[0], theirs[0]]);
    samples.ack.push([mine[1], theirs[1]]);
    await rm(folder, { recursive: true, force: true });
  }
  for (const [what, pairs] of Object.entries(samples)) {
    const ratio = median(pairs.map(([mine, theirs]) => mine / theirs));
    const [mine, theirs] = [median(pairs.map(([mine]) => mine)), median(pairs.map(([, theirs]) => theirs))];
    console.log(`| ${name} | ${what} | ${mine.toFixed(0)} | ${theirs.toFixed(0)} | ${ratio.toFixed(2)} |`);
  }
}

console.log("| backend | what | relay, a second | bare, a second | ratio |\n| --- | --- | --- | --- | --- |");
for (const each of COMPARISONS) await compare(each);
const program = find("redis-server");
if (program !== undefined) {
  for (const fsync of ["always", "everysec"]) {
    const [port, dir] = [await freePort(), await mkdtemp(join(options.folder, "neuro-relay-redis-"))];
    const sets = ["--save", "", "--appendonly", "yes", "--appendfsync", fsync, "--dir", dir];
    const server = spawn(program, ["--port", String(port), "--bind", "127.0.0.1", ...sets], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await said(server, /Ready to accept connections/);
    const url = `redis://127.0.0.1:${port}`;
    await compare({
      name: `redis, ${fsync}`,
      relay: () => relayStore({ ...DEFAULTS.queue, backend: "redis", url }),
      bare: () => bareStore(redisDriver({ url, base: "bare" })),
    });
    server.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  }
}
