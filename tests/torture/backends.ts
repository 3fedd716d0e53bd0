/** Settings for a relay on each backend that survives a kill. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWithThisProcess } from "../harness/children.ts";
import { denoPath } from "../harness/machine.ts";
import { freePort, said } from "../unit/storage/backends.ts";

export interface Backend {
  readonly name: string;
  /** Values for `--set`. */
  readonly sets: readonly string[];
  /** The command that runs the relay, where it is not this runtime. */
  readonly runner?: readonly string[];
}

export const FS: Backend = { name: "fs", sets: ["queue.backend=fs"] };
export const DENO_KV: Backend = {
  name: "deno-kv",
  sets: ["queue.backend=deno-kv"],
  runner: [denoPath(), "run", "--allow-all", "--unstable-kv", "--no-check", "--node-modules-dir=manual"],
};
export const SQLITE: Backend = { name: "sqlite", sets: ["queue.backend=sqlite"] };

/** A Redis server that syncs every write, and keeps its port when it is killed and started again. */
export class RedisServer {
  readonly backend: Backend;
  readonly url: string;
  readonly #program: string;
  readonly #port: number;
  readonly #folder: string;
  #server: ChildProcess | undefined;

  private constructor(program: string, port: number, folder: string) {
    this.#program = program;
    this.#port = port;
    this.#folder = folder;
    this.url = `redis://127.0.0.1:${port}`;
    this.backend = { name: "redis", sets: ["queue.backend=redis", `queue.url=${this.url}`] };
  }

  static async run<T>(program: string, act: (redis: RedisServer) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "neuro-relay-redis-"));
    const redis = new RedisServer(program, await freePort(), folder);
    try {
      await redis.start();
      return await act(redis);
    } finally {
      await redis.kill();
      await rm(folder, { recursive: true, force: true });
    }
  }

  async start(): Promise<void> {
    const sets = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir", this.#folder];
    const server = spawn(this.#program, ["--port", String(this.#port), "--bind", "127.0.0.1", ...sets], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    endWithThisProcess(server);
    this.#server = server;
    await said(server, /Ready to accept connections/);
  }

  /** Stops replying on its connections until `resume`. */
  hang(): void {
    this.#server?.kill("SIGSTOP");
  }

  resume(): void {
    this.#server?.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    await new Promise((resolve) => {
      server.on("exit", resolve);
      server.kill("SIGKILL");
    });
  }
}
