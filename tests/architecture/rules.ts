/**
 * The import rules: what each folder of `src/` may import, and through which of its files others may import it.
 *
 * A folder may import only folders above it in this table.
 */

export interface ImportRule {
  /** Folders that it may import, besides itself. */
  readonly may: readonly string[];
  /** Packages that it may use; `*` at the end stands for any continuation. */
  readonly packages?: readonly string[];
  /** Packages that only the named file may use. */
  readonly packagesOf?: Readonly<Record<string, readonly string[]>>;
}

/** The services. */
export const SERVICES: readonly string[] = ["intermediary", "neuro", "nallely", "brain", "proxy"];

/** The pure zone: no clock, no randomness, no waiting. */
export const PURE: readonly string[] = ["core", "queue", "inference", "neuro-api", ...SERVICES, "relay"];

const service: ImportRule = { may: ["core", "queue"], packages: ["zod", "@cfworker/json-schema"] };

export const IMPORT_RULES: Readonly<Record<string, ImportRule>> = {
  core: { may: [], packagesOf: { "src/core/hash.ts": ["#sha256"] } },
  queue: { may: ["core"] },
  inference: { may: ["core"] },
  "neuro-api": { may: ["core"] },
  intermediary: { ...service, may: [...service.may, "neuro-api"] },
  neuro: { ...service, may: [...service.may, "neuro-api"] },
  nallely: service,
  brain: { ...service, may: [...service.may, "inference"] },
  proxy: { may: ["core"] },
  relay: { may: ["core", ...SERVICES] },
  "websocket-client": { may: ["core"], packages: ["node:*", "bun", "bun:*"] },
  engine: { may: ["core", "relay"] },
  recording: { may: ["core", "relay", "engine"] },
  jobs: { may: ["core", "engine"], packages: ["node:*"] },
  storage: {
    may: ["core", "queue", "engine"],
    packages: ["unstorage", "unstorage/*", "ioredis", "node:*", "cloudflare:*"],
  },
  observability: { may: ["core", "engine"], packages: ["@logtape/*", "node:*"] },
  config: { may: ["core"], packages: ["zod/mini", "node:*"], packagesOf: { "src/config/yaml.ts": ["yaml"] } },
  clients: { may: ["core", "websocket-client", ...SERVICES] },
  dashboard: { may: ["core", "neuro-api", "neuro", "websocket-client", "clients"], packages: ["hono/jsx/dom", "uqr"] },
  http: { may: ["core", "neuro-api", "engine", "dashboard"], packages: ["hono", "hono/*", "zod"] },
  cluster: { may: ["core"], packagesOf: { "src/cluster/redis-directory.ts": ["ioredis"] } },
  testing: { may: ["core", "relay", "engine"] },
  runtimes: {
    may: [
      "core",
      ...SERVICES,
      "relay",
      "queue",
      "inference",
      "neuro-api",
      "websocket-client",
      "engine",
      "recording",
      "jobs",
      "storage",
      "observability",
      "config",
      "clients",
      "dashboard",
      "http",
      "cluster",
    ],
    packages: ["node:*", "bun", "bun:*", "cloudflare:*", "#serve"],
    packagesOf: {
      "src/runtimes/hashing/portable.ts": ["@noble/hashes/*"],
      "src/runtimes/cluster/cluster-storage.ts": ["ioredis"],
    },
  },
  cli: {
    may: ["core", "queue", "inference", "engine", "recording", "config", "clients", "storage", "brain", "runtimes"],
    packages: ["commander", "node:*", "#serve"],
  },
};

/** The files through which a folder may be imported, if that is not `mod.ts` alone. */
export const ENTRY_FILES: Readonly<Record<string, RegExp>> = {
  // Every file of core is public.
  core: /./,
  queue: /./,
  "neuro-api": /./,
  "websocket-client": /./,
  // The ports are imported by the runtimes that implement them.
  engine: /^(?:mod|ports)\.ts$/,
  // The list of services is imported by the start of a process; the relay itself gets its services as an argument.
  relay: /^(?:mod|services)\.ts$/,
  // The dashboard validates the data of an action, and generates samples, with the same code.
  neuro: /^(?:mod|codec\/validate-data|standalone\/sampler)\.ts$/,
  nallely: /^mod\.ts$/,
  // `artifact` needs files, so only runtimes with files load it.
  jobs: /^(?:mod|artifact)\.ts$/,
  // Every file of these folders is public.
  config: /^[a-z-]+\.ts$/,
  clients: /^[a-z-]+\.ts$/,
  http: /^(?:app|mod)\.ts$/,
  // The built page; its sources are private.
  dashboard: /^dashboard\.html$/,
  storage: /^[a-z-]+\.ts$/,
  cluster: /./,
  observability: /^(?:mod|log-file)\.ts$/,
  // Each runtime has a folder, whose serve.ts starts a relay on it.
  runtimes: /^(?:[a-z-]+|(?:bun|deno)\/serve|cluster\/checks|tokens\/new-token)\.ts$/,
};

/** Files that may name a runtime. */
export const RUNTIME_FILES = /^src\/(?:runtimes\/|websocket-client\/(?:bun|deno)-|storage\/durable-object\.ts$)/;

/** Sizes are questions: over `ask` the test warns, over `max` it fails. */
export const SIZES = {
  fileLines: { ask: 400, max: 700 },
  folderFiles: { ask: 20, max: 30 },
  functionLines: { ask: 70, max: 120 },
  parameters: { ask: 4, max: 6 },
} as const;
