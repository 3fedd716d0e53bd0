/** `neuro-relay link` as a process, on Bun or on Deno. */
import { join } from "node:path";
import { env } from "node:process";
import { denoPath, ROOT } from "../harness/machine.ts";
import { until } from "./json-socket.ts";

const MAIN = join(ROOT, "src/cli/main.ts");

export const LINK_RUNNERS: Readonly<Record<"bun" | "deno", () => readonly string[]>> = {
  bun: () => [process.execPath, MAIN],
  deno: () => [
    ...[denoPath(), "run", "-A", "--no-check", "--node-modules-dir=manual", "--config", join(ROOT, "deno.json"), MAIN],
  ],
};

export class LinkProcess {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #drunk: Promise<unknown>;
  output = "";

  constructor(words: readonly string[], runner: readonly string[] = LINK_RUNNERS.bun()) {
    this.#process = Bun.spawn([...runner, "link", ...words], {
      cwd: ROOT,
      env: { PATH: env.PATH, HOME: env.HOME, NO_COLOR: "1" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    process.on("exit", () => this.#process.kill("SIGKILL")); // Why: a test may fail before it stops it.
    this.#drunk = Promise.all([this.#process.stdout, this.#process.stderr].map((stream) => this.#drink(stream)));
  }

  /** Resolves when it has ended, and its output is complete. */
  get ended(): Promise<unknown> {
    return this.#drunk;
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  async prints(text: string): Promise<void> {
    await until(() => this.output.includes(text), `${text} in the output of the link`).catch((error: unknown) => {
      throw new Error(`${error}: ${this.output}`);
    });
  }

  signal(signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number> {
    this.signal(signal);
    return await this.exited;
  }

  async #drink(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.output += decoder.decode(chunk, { stream: true });
  }
}
