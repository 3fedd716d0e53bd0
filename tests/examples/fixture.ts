/** The examples as processes, and a relay that is started by its usual command. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";

/** The published token. */
export const TOKEN = "super-secret-token";

/** An example as a process; a test can wait for its output. */
export class Example {
  readonly #child: ChildProcess;
  #printed = "";
  #wake: () => void = () => {};
  readonly ended: Promise<number | null>;

  /** `file`: its name in `examples`. `runner`: the runtime with its flags. */
  constructor(file: string, words: readonly string[], runner: readonly string[] = [process.execPath], env: object = {}) {
    const [command = "", ...flags] = runner;
    this.#child = spawn(command, [...flags, join(ROOT, "examples", file), ...words], { env: { ...process.env, ...env } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#printed += text;
        this.#wake();
      });
    }
    this.ended = new Promise((resolve) => this.#child.on("close", resolve));
  }

  async printed(words: RegExp): Promise<string> {
    const timer = setTimeout(() => this.stop(), 15_000);
    for (let isOver = false; !words.test(this.#printed);) {
      if (isOver) throw new Error(`never printed ${words}: ${this.#printed}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      isOver = await Promise.race([promise.then(() => false), this.ended.then(() => true)]);
    }
    clearTimeout(timer);
    return this.#printed;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}

/** Runs with a relay in a folder of its own. `sets`: settings. */
export const withRelay = (run: (relay: RelayProcess) => Promise<void>, sets: readonly string[] = []): Promise<void> =>
  inFolder(async (folder) => {
    const relay = await RelayProcess.start(folder, ["queue.backend=memory", ...sets]);
    try {
      await run(relay);
    } finally {
      await relay.stop();
    }
  });
