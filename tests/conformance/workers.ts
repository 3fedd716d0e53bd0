/** The relay in workerd: the bundled Worker of `wrangler.jsonc`, with its objects on disk. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Miniflare } from "miniflare";
import { ROOT } from "../harness/machine.ts";
import { type Platform, type Relay, type Setup, variablesOf } from "./platform.ts";

let bundled: Promise<string> | undefined;

/** A Worker as one module. An import of Node's modules is an error. */
export async function bundle(entry: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(ROOT, entry)],
    target: "browser",
    conditions: ["workerd"],
    minify: true,
    plugins: [{ name: "nothing of Node", setup: (build) => void build.onResolve({ filter: /^node:/ }, refuse) }],
  });
  return await outputs[0]?.text() ?? "";
}

function refuse({ path, importer }: { readonly path: string; readonly importer: string }): never {
  throw new Error(`${importer} imports ${path}, which a Worker does not have`);
}

const compatibilityDate = /"compatibility_date": "([\d-]+)"/.exec(readFileSync(join(ROOT, "wrangler.jsonc"), "utf8"))?.[1];

export interface Deployment {
  readonly script: string;
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  say(text: string): void;
}

/** One workerd with the Worker in it. */
export async function deploy({ script, folder, variables, say }: Deployment): Promise<Miniflare> {
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: script }],
    compatibilityDate: compatibilityDate ?? "",
    host: "127.0.0.1",
    port: 0,
    durableObjects: { RELAY: { className: "RelayObject", useSQLite: true } },
    durableObjectsPersist: folder,
    bindings: { ...variables },
    handleRuntimeStdio(out: Readable, errors: Readable) {
      for (const stream of [out, errors]) stream.on("data", (chunk: Uint8Array) => say(String(chunk)));
    },
  });
  await worker.ready;
  return worker;
}

/** A relay as an object; the folder of its storage survives a restart. */
class ObjectRelay implements Relay {
  readonly #folder = mkdtempSync(join(tmpdir(), "neuro-relay-objects-"));
  readonly #setup: Setup;
  #worker: Miniflare | undefined;
  #log = "";
  #host = "";
  urls: Relay["urls"] = { intermediary: "", neuro: "", brain: "" };
  web = "";

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  async start(): Promise<void> {
    this.#worker = await deploy({
      script: await (bundled ??= bundle("src/runtimes/workers/worker.ts")),
      folder: this.#folder,
      variables: { ...variablesOf(this.#setup), RELAY_NAMES: "default,test-*" },
      say: (text) => (this.#log += text),
    });
    this.#host = (await this.#worker.ready).host;
    const { urls, web } = this.named("test-1");
    this.urls = urls;
    this.web = web;
  }

  named(name: string): Pick<Relay, "urls" | "web"> {
    const at = (listener: string) => `ws://${this.#host}/r/${name}/${listener}`;
    return {
      urls: { intermediary: at("intermediary"), neuro: at("neuro"), brain: at("brain") },
      web: `http://${this.#host}/r/${name}`,
    };
  }

  log(): string {
    return this.#log;
  }

  async restart(): Promise<void> {
    await this.#worker?.dispose();
    await this.start();
  }

  drain(): Promise<number> {
    return Promise.reject(new Error("a Durable Object is never asked to stop"));
  }

  async stop(): Promise<void> {
    await this.#worker?.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const workerd: Platform = {
  name: "workerd",
  differences: {
    RT49: "a Durable Object is never asked to stop: the platform evicts it, and it restarts from its storage",
    RT50: "the platform hides the backlog of a socket, so every message is sent at once",
  },
  async start(setup) {
    const relay = new ObjectRelay(setup);
    await relay.start();
    return relay;
  },
};
