/** A relay under measurement: a separate process that is observed from outside. */
import { readdirSync, readFileSync } from "node:fs";
import { dialRaw, flushPending } from "./raw-websocket.ts";

/** `game` is the port that games connect to, `upstream` the port of the backend. */
export interface Ports {
  readonly game: number;
  readonly upstream: number;
}

/** A relay to measure, and its command. */
export interface Subject {
  readonly name: string;
  /** The directory of its sources, if they are not those of this checkout. */
  readonly checkout?: string;
  command(ports: Ports): readonly string[];
}

export class RunningRelay {
  readonly #process: Bun.Subprocess;
  readonly gamePort: number;
  /** From the start of the process to the first accepted WebSocket. */
  readonly startMs: number;
  /** CPU time until then. */
  readonly startCpuMs: number;

  private constructor(process: Bun.Subprocess, gamePort: number, startMs: number) {
    this.#process = process;
    this.gamePort = gamePort;
    this.startMs = startMs;
    this.startCpuMs = this.cpuMicros() / 1_000;
  }

  static async start(subject: Subject, upstream: number, cwd: string): Promise<RunningRelay> {
    const game = freePort();
    const startedAt = performance.now();
    const command = [...cpuAffinity(), ...subject.command({ game, upstream })];
    const process = Bun.spawn(command, { cwd, stdout: "ignore", stderr: "ignore" });
    while (process.exitCode === null) {
      try {
        const probe = await dialRaw(game, "/", () => {});
        probe.end();
        return new RunningRelay(process, game, performance.now() - startedAt);
      } catch {
        await Bun.sleep(1);
      }
    }
    throw new Error(`${subject.name} ended with ${process.exitCode} before it listened`);
  }

  /** CPU time of all its threads so far, in microseconds; 0 if the system does not provide it. */
  cpuMicros(): number {
    try {
      const tasks = `/proc/${this.#process.pid}/task`;
      const nanos = (task: string) => Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
      return readdirSync(tasks).reduce((sum, task) => sum + nanos(task), 0) / 1_000;
    } catch {
      return 0;
    }
  }

  residentMb(): number {
    try {
      const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
    } catch {
      return 0;
    }
  }

  /** The same, by what backs it. */
  pagesMb(): { readonly anonymous: number; readonly file: number } {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    const megabytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024;
    return { anonymous: megabytes("RssAnon"), file: megabytes("RssFile") };
  }

  async stop(): Promise<void> {
    flushPending();
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

/** Pins the relay to one processor where the system can, so that the load generator has another. */
function cpuAffinity(): readonly string[] {
  return navigator.hardwareConcurrency > 1 && Bun.which("taskset") !== null ? ["taskset", "-c", "0"] : [];
}

export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
