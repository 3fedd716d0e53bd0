/**
 * The import law, as data: what each folder of `src/` may import, and by which files it is entered.
 *
 * Read it from the top down: whoever stands further down may import what stands above, never the other way round.
 */

export interface Law {
  /** Folders that it may import from, beside itself. */
  readonly may: readonly string[];
  /** Packages that it may use; one that ends in `*` stands for all that begin so. */
  readonly packages?: readonly string[];
  /** Packages that only one of its files may use. */
  readonly packagesOf?: Readonly<Record<string, readonly string[]>>;
}

/** The rooms. */
export const ROOMS: readonly string[] = ["intermediary", "neuro", "nallely", "brain", "proxy"];

/** What runs without looking at a clock, drawing lots or waiting. */
export const PURE: readonly string[] = ["core", "queue", "inference", ...ROOMS, "relay"];

const room: Law = { may: ["core", "queue"], packages: ["zod", "@cfworker/json-schema"] };

export const LAW: Readonly<Record<string, Law>> = {
  core: { may: [], packagesOf: { "src/core/hash.ts": ["#sha256"] } },
  queue: { may: ["core"] },
  inference: { may: ["core"] },
  intermediary: room,
  neuro: room,
  nallely: room,
  brain: { ...room, may: [...room.may, "inference"] },
  proxy: { may: ["core"] },
  relay: { may: ["core", ...ROOMS] },
  "websocket-client": { may: ["core"], packages: ["node:*", "bun", "bun:*"] },
  engine: { may: ["core", "relay"] },
  recording: { may: ["core", "relay", "engine"] },
  jobs: { may: ["core", "engine"], packages: ["node:*"] },
  storage: {
    may: ["core", "queue", "engine"],
    packages: ["unstorage", "unstorage/*", "ioredis", "node:*", "cloudflare:*"],
  },
  observability: { may: ["core", "engine"], packages: ["@logtape/*", "node:*"] },
  config: { may: ["core"], packages: ["zod", "yaml", "node:*"] },
  clients: { may: ["core", "websocket-client", ...ROOMS] },
  dashboard: { may: ["core", "neuro", "websocket-client", "clients"], packages: ["hono/jsx/dom", "uplot"] },
  http: { may: ["core", "engine", "dashboard"], packages: ["hono", "hono/*", "zod"] },
  testing: { may: ["core", "relay", "engine"] },
  runtimes: {
    may: [
      "core",
      ...ROOMS,
      "relay",
      "queue",
      "inference",
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
    ],
    packages: ["node:*", "bun", "bun:*", "cloudflare:*"],
    packagesOf: { "src/runtimes/hashing/portable.ts": ["@noble/hashes/*"] },
  },
  cli: {
    may: ["core", "queue", "inference", "engine", "recording", "config", "clients", "storage", "brain", "runtimes"],
    packages: ["commander", "yaml", "node:*"],
  },
};

/** By which of its files a folder is entered, where that is not `mod.ts` alone. */
export const DOORS: Readonly<Record<string, RegExp>> = {
  // The foundation has no listener: its files are the vocabulary.
  core: /./,
  queue: /./,
  "websocket-client": /./,
  // What a runtime lends is imported by those who lend it; it is all types.
  engine: /^(?:mod|ports)\.ts$/,
  // The list of rooms is for whoever starts a process; the machine is told which rooms there are.
  relay: /^(?:mod|services)\.ts$/,
  // The dashboard judges an action's data before it is sent, by the same rules.
  neuro: /^(?:mod|codec\/(?:validate-data|safe-pattern))\.ts$/,
  nallely: /^mod\.ts$/,
  // What needs files is loaded by those who have some.
  jobs: /^(?:mod|artifact)\.ts$/,
  // One file each, each with one thing to offer.
  config: /^[a-z-]+\.ts$/,
  clients: /^[a-z-]+\.ts$/,
  http: /^(?:app|mod)\.ts$/,
  // The page as it is served; what it is made of is nobody else's.
  dashboard: /^dashboard\.html$/,
  storage: /^[a-z-]+\.ts$/,
  observability: /^(?:mod|log-file)\.ts$/,
  // Each runtime has a folder, whose serve.ts starts a relay on it.
  runtimes: /^(?:[a-z-]+|(?:bun|deno)\/serve)\.ts$/,
};

/** Files that may name a runtime. */
export const RUNTIME_FILES = /^src\/(?:runtimes\/|websocket-client\/(?:bun|deno)-|storage\/durable-object\.ts$)/;

/** A file or folder over these sizes is a question; over the maxima it is a violation. */
export const FILE_LINES_MAX = 700;
export const FOLDER_FILES_MAX = 30;

/** Imports of types that close a cycle outside `core` and are still to be removed. Add none. */
export const TYPE_CYCLES_ACCEPTED: ReadonlySet<string> = new Set([
  "src/clients/neuron.ts -> src/clients/trevor.ts",
  "src/testing/fakes/nallely-bus.ts -> src/testing/fakes/nallely-session.ts",
  "src/testing/fakes/nallely-trevor.ts -> src/testing/fakes/nallely-session.ts",
]);
