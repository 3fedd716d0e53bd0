/** The relay as a process on Bun, on Deno, and as the binary, each started as a user would, in an empty folder. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { buildBinary } from "../harness/binary.ts";
import { denoPath, ROOT } from "../harness/machine.ts";
import { type Platform, type Relay, type Setup, variablesOf } from "./platform.ts";

const READY = "Neuro Relay is ready";

/** The command to start in a folder. */
type Command = (folder: string) => readonly string[];

/** Free ports, and a queue in the folder of the process. */
const OWN_PORTS: Setup = {
  "intermediary.port": 0,
  "nakurity-backend.port": 0,
  "brain.port": 0,
  "web.port": 0,
  "queue.path": "relay_message_queue",
};

export class ProcessRelay implements Relay {
  readonly #folder: string;
  readonly #command: readonly string[];
  readonly #setup: Setup;
  #process: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;
  #output = "";
  #log = "";
  urls: Relay["urls"] = { intermediary: "", neuro: "", brain: "" };
  web = "";

  constructor(command: Command, setup: Setup) {
    this.#folder = mkdtempSync(join(tmpdir(), "neuro-relay-conformance-"));
    this.#command = command(this.#folder);
    this.#setup = setup;
  }

  async start(): Promise<void> {
    this.#output = "";
    const child = Bun.spawn([...this.#command], {
      cwd: this.#folder,
      env: { PATH: env.PATH, HOME: env.HOME, NO_COLOR: "1", ...variablesOf({ ...OWN_PORTS, ...this.#setup }) },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#process = child;
    void drink(child.stderr, (text) => (this.#log += text));
    const ready = Promise.withResolvers<void>();
    void drink(child.stdout, (text) => {
      this.#output += text;
      if (this.#output.includes(READY)) ready.resolve();
    });
    void child.exited.then((code) => ready.reject(new Error(`it ended with ${code}: ${this.#log}`)));
    await ready.promise;
    const urlOf = (label: string) => new RegExp(`\\[${label}\\] listening on (\\S+)`).exec(this.#output)?.[1] ?? "";
    this.urls = { intermediary: urlOf("Intermediary"), neuro: urlOf("Nakurity Backend"), brain: urlOf("Brain") };
    this.web = new URL(urlOf("Web")).origin;
  }

  named(name: string): Pick<Relay, "urls" | "web"> {
    const { intermediary, neuro, brain } = this.urls;
    const below = (url: string) => `${url}/r/${name}`;
    return {
      urls: { intermediary: below(intermediary), neuro: below(neuro), brain: below(brain) },
      web: below(this.web),
    };
  }

  log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#process?.exitCode === null;
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  drain(): Promise<number> {
    return this.#end("SIGTERM");
  }

  async stop(): Promise<void> {
    await this.#end("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<number> {
    this.#process?.kill(signal);
    return await this.#process?.exited ?? 0;
  }
}

async function drink(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

function platformOf(name: string, command: Command, differences: Platform["differences"] = {}): Platform {
  return {
    name,
    differences,
    async start(setup) {
      const relay = new ProcessRelay(command, setup);
      await relay.start();
      return relay;
    },
  };
}

export const onBun: Command = () => [process.execPath, join(ROOT, "src/cli/main.ts")];

export const bun: Platform = platformOf("bun", onBun);

/** The task of deno.json with its permissions; only paths are absolute, and packages come from `node_modules`. */
export const deno: Platform = platformOf("deno", () => {
  const { tasks } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const words: string[] = tasks.serve.command.split(" ").slice(2);
  const placed = words.map((word) =>
    word.replace("src/cli/main.ts", join(ROOT, "src/cli/main.ts")).replace(/,src,/, `,${join(ROOT, "src")},`)
  );
  return [denoPath(), "run", "--no-check", "--node-modules-dir=manual", "--config", join(ROOT, "deno.json"), ...placed];
});

let built: string | undefined;

/** The binary alone in its folder: no modules, no configuration. */
export const binary: Platform = platformOf("binary", (folder) => {
  if (built === undefined) {
    built = join(mkdtempSync(join(tmpdir(), "neuro-relay-binary-")), "neuro-relay");
    buildBinary(built);
    process.on("exit", () => rmSync(join(built ?? "", ".."), { recursive: true, force: true }));
  }
  const program = join(folder, "neuro-relay");
  copyFileSync(built, program);
  return [program];
});
