/** Fixtures for the contract: each backend, empty, and deleted afterwards. */
import { DatabaseSync } from "node:sqlite";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createStorage } from "unstorage";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { QueueSettings } from "../../../src/core/settings.ts";
import type { Store } from "../../../src/engine/ports.ts";
import { openStore } from "../../../src/storage/open-store.ts";
import { makeStore } from "../../../src/storage/store.ts";

/** Quarantined entries: key and reason. */
export type Quarantined = [key: string, why: string][];

/** An empty backend. */
export interface BackendFixture {
  readonly settings: QueueSettings;
  open(quarantined?: Quarantined): Promise<Store>;
  /** Writes content without the store, while it is closed. */
  writeRaw(key: string, content: string): Promise<void>;
  clear(): Promise<void>;
}

export interface BackendKind {
  readonly name: string;
  /** Entries exist after it is opened again. */
  readonly isDurable: boolean;
  /** Only one process can open it at a time. */
  readonly isExclusive: boolean;
  readonly entryBytesMax: number;
  make(): Promise<BackendFixture>;
}

const MIB = 1_024 * 1_024;

const opening = (settings: QueueSettings) => (quarantined: Quarantined = []): Promise<Store> =>
  openStore(settings, { onQuarantine: (key, why) => quarantined.push([key, why]) });

/** A backend in a temporary folder. */
async function inFolder(
  backend: QueueSettings["backend"],
  writeRaw: (folder: string, key: string, content: string) => Promise<void>,
): Promise<BackendFixture> {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-store-"));
  const settings = { ...DEFAULTS.queue, backend, path: folder };
  return {
    settings,
    open: opening(settings),
    writeRaw: (key, content) => writeRaw(folder, key, content),
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

export const memory: BackendKind = {
  name: "memory",
  isDurable: false,
  isExclusive: false,
  entryBytesMax: MIB,
  make() {
    const storage = createStorage();
    return Promise.resolve({
      settings: { ...DEFAULTS.queue, backend: "memory" },
      open: (quarantined: Quarantined = []) =>
        makeStore({ storage }, { onQuarantine: (key, why) => quarantined.push([key, why]) }),
      writeRaw: (key: string, content: string) => storage.setItemRaw(key.replaceAll("/", ":"), content),
      clear: () => Promise.resolve(),
    });
  },
};

export const fs: BackendKind = {
  name: "fs",
  isDurable: true,
  isExclusive: true,
  entryBytesMax: MIB,
  make: () =>
    inFolder("fs", async (folder, key, content) => {
      const file = join(folder, "entries", key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }),
};

export const sqlite: BackendKind = {
  name: "sqlite",
  isDurable: true,
  isExclusive: true,
  entryBytesMax: MIB,
  make: () =>
    inFolder("sqlite", (folder, key, content) => {
      const database = new DatabaseSync(join(folder, "entries.sqlite"));
      database.prepare("insert into entries values (?, ?)").run(key.replaceAll("/", ":"), content);
      database.close();
      return Promise.resolve();
    }),
};

export const denoKv: BackendKind = {
  name: "deno-kv",
  isDurable: true,
  isExclusive: true,
  entryBytesMax: 65_520,
  make: () =>
    inFolder("deno-kv", async (folder, key, content) => {
      const { default: driver } = await import("unstorage/drivers/deno-kv");
      const storage = createStorage({ driver: driver({ path: join(folder, "entries.kv") }) });
      await storage.setItemRaw(key.replaceAll("/", ":"), content);
      await storage.dispose();
    }),
};

/** Runs a program until its input ends, which happens when this process ends in any way. */
const WHILE_WE_LIVE = '"$@" & read nothing; kill -9 $!';

/** Starts a Redis server, which ends with this process. */
export async function redisOn(program: string): Promise<BackendKind> {
  const port = await freePort();
  const words = [program, "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
  const server = spawn("sh", ["-c", WHILE_WE_LIVE, "sh", ...words], { stdio: ["pipe", "pipe", "ignore"] });
  await said(server, /Ready to accept connections/);
  const url = `redis://127.0.0.1:${port}`;
  const client = async () => {
    const { Redis } = await import("ioredis");
    return new Redis(url);
  };
  const kind: BackendKind = {
    name: "redis",
    isDurable: true,
    isExclusive: true,
    entryBytesMax: MIB,
    async make() {
      const settings = { ...DEFAULTS.queue, backend: "redis" as const, url };
      const ask = async (command: "flushall" | "hset", ...words: string[]) => {
        const redis = await client();
        await redis.call(command, ...words);
        redis.disconnect();
      };
      await ask("flushall");
      return {
        settings,
        open: opening(settings),
        writeRaw: (key, content) => ask("hset", "neuro-relay:e:default", key.replaceAll("/", ":"), content),
        clear: () => ask("flushall"),
      };
    },
  };
  return kind;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))
      );
    });
  });
}

export function said(server: ChildProcess, words: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    server.stdout?.on("data", (chunk: Uint8Array) => words.test(new TextDecoder().decode(chunk)) && resolve());
  });
}
