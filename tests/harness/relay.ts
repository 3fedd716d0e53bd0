/** The relay as a process, started by its command in its own folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { endWithThisProcess } from "./children.ts";
import { ROOT } from "./machine.ts";

const MAIN = join(ROOT, "src/cli/main.ts");
const READY = "Neuro Relay is ready";

export interface RelayUrls {
  readonly intermediary: string;
  readonly neuro: string;
  /** Empty unless it is enabled, as are the following. */
  readonly brain: string;
  readonly proxy: string;
  /** The dashboard with its token. */
  readonly web: string;
}

export class RelayProcess {
  readonly #child: ChildProcess;
  readonly urls: RelayUrls;
  readonly #output: () => string;

  private constructor(child: ChildProcess, urls: RelayUrls, output: () => string) {
    this.#child = child;
    this.urls = urls;
    this.#output = output;
  }

  /** Starts the relay on free ports and waits until it prints that it is ready. `runner` is the runtime with its flags. */
  static start(
    folder: string,
    sets: readonly string[] = [],
    runner: readonly string[] = [process.execPath],
  ): Promise<RelayProcess> {
    const ports = ["intermediary.port=0", "nakurity-backend.port=0", "web.enabled=false", "brain.enabled=false"];
    const all = ["queue.path=relay_message_queue", ...ports, ...sets];
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(runner[0] ?? "", [...runner.slice(1), MAIN, "serve", ...all.flatMap((set) => ["--set", set])], {
      cwd: folder,
      env: { PATH, HOME },
    });
    endWithThisProcess(child);
    return new Promise((resolve, reject) => {
      let output = "";
      const read = (text: string) => {
        const wasReady = output.includes(READY);
        output += text;
        if (wasReady || !output.includes(READY)) return;
        const url = (label: string) => output.match(new RegExp(`\\[${label}\\] listening on (\\S+)`))?.[1] ?? "";
        const urls = {
          intermediary: url("Intermediary"),
          neuro: url("Nakurity Backend"),
          brain: url("Brain"),
          proxy: url("Intercept Proxy"),
          web: url("Web"),
        };
        resolve(new RelayProcess(child, urls, () => output));
      };
      child.stdout?.setEncoding("utf8").on("data", read);
      child.stderr?.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.on("close", () => reject(new Error(`the relay exited before it was ready: ${output}`)));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it has printed and logged so far. */
  get output(): string {
    return this.#output();
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Its resident memory; 0 if the system does not say. */
  get residentMb(): number {
    try {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
    } catch {
      return 0;
    }
  }

  /** How long its main thread was ready and had no processor; 0 if the system does not say. */
  get waitedMs(): number {
    try {
      return Number(readFileSync(`/proc/${this.pid}/schedstat`, "utf8").split(" ")[1]) / 1_000_000;
    } catch {
      return 0;
    }
  }

  signal(signal: "SIGUSR1" | "SIGUSR2" | "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  /** Stops the relay and returns its exit status. */
  stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | null> {
    return new Promise((resolve) => {
      this.#child.on("close", resolve);
      this.#child.kill(signal);
    });
  }
}

/** Runs with a temporary folder that is deleted afterwards. */
export async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "neuro-relay-"));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
