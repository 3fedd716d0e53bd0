/** Settings of the stored data: the queue and uploads. */
import type { z } from "zod/mini";
import { DEFAULTS } from "../../core/defaults.ts";
import type { QueueBackend, QueueSettings, UploadSettings } from "../../core/settings.ts";
import { block, choice, count, duration, flag, size, text, url } from "../setting.ts";

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;

/** The queue's backends in the order of the reference, with what each is and what it survives. */
export const QUEUE_BACKENDS: Readonly<
  Record<QueueBackend, { readonly description: string; readonly durability: string }>
> = {
  fs: {
    description: "One file per entry, in `queue.path`.",
    durability: "Survives a killed process, but not a power failure: nothing is synced to disk.",
  },
  sqlite: {
    description: "One database file in `queue.path`, for many messages per second. A stalled disk stalls the whole relay.",
    durability: "Survives a killed process and a power failure: an entry counts as stored once its transaction is synced.",
  },
  redis: {
    description:
      "The Redis server at `queue.url`, in one hash. Needs the package `ioredis`. One relay per database; a second one is refused.",
    durability: "Survives a killed relay; survives a crash of Redis only with `appendfsync always`.",
  },
  "deno-kv": {
    description: "Deno's key-value store, in `queue.path`. Deno with `--unstable-kv` only; entries up to 64 KiB.",
    durability: "Survives a killed process and a power failure: Deno syncs each write.",
  },
  "durable-object": {
    description: "The storage of the Durable Object. Cloudflare Workers only, and the default there.",
    durability: "Survives eviction and redeployment: a message leaves the object only after what it promises is stored.",
  },
  memory: { description: "Nothing is written.", durability: "Survives nothing: messages are lost with the process." },
};

const NO_CLOUDFLARE_KV =
  "Cloudflare KV accepts one write per second and key, and lists keys up to a minute late, so it cannot hold a queue; " +
  "use durable-object";

const q = DEFAULTS.queue;
export const queue: z.ZodMiniType<QueueSettings> = block<QueueSettings>(
  "Messages for integrations that are offline, and everything else that survives a restart.",
  q,
  () => ({
    backend: choice(
      "Where entries are stored. The table below lists the failures that each backend survives. `kv` means `deno-kv` on Deno and " +
        "`durable-object` on Workers. Cloudflare KV is refused, because it accepts one write per second and key.",
      backendNames(),
      {
        default: q.backend,
        restart: true,
        rejected: {
          kv: "kv is Deno's key-value store on Deno, and the object's storage on Workers; on Bun use fs, sqlite or redis",
          "cloudflare-kv": NO_CLOUDFLARE_KV,
          "cloudflare-kv-binding": NO_CLOUDFLARE_KV,
          "cloudflare-kv-http": NO_CLOUDFLARE_KV,
        },
      },
    ),
    path: text("The folder of `fs`, `sqlite` and `deno-kv`.", { default: q.path, restart: true }),
    url: url("The server of `redis`.", {
      default: q.url,
      restart: true,
      example: "redis://127.0.0.1:6379",
      mayBePath: true,
    }),
    retry: duration("The delay before the second delivery attempt. It doubles with each attempt.", {
      default: q.retry,
      min: 10,
    }),
    retry_cap: duration("The longest delay between two delivery attempts.", { default: q.retry_cap, min: 10 }),
    max_attempts: count("Delivery attempts before a message becomes a dead letter.", {
      default: q.max_attempts,
      min: 1,
      max: 1_000,
    }),
    ttl: block("How long a message can wait before it becomes a dead letter, by its kind.", q.ttl, () => ({
      command: duration("Commands of watchers.", { default: q.ttl.command, min: 1_000 }),
      context: duration("Contexts for Neuro.", { default: q.ttl.context, min: 1_000 }),
      direct: duration("Messages that watchers send to Neuro directly.", { default: q.ttl.direct, min: 1_000 }),
    })),
    per_recipient: count("Maximum number of queued messages for one recipient.", {
      default: q.per_recipient,
      min: 1,
      max: 1_000_000,
    }),
    per_recipient_bytes: size("Maximum size of all queued messages for one recipient.", {
      default: q.per_recipient_bytes,
      min: KIB,
      max: GIB,
    }),
    total: count("Maximum number of queued messages.", { default: q.total, min: 1, max: 10_000_000 }),
    total_bytes: size("Maximum size of all queued messages.", { default: q.total_bytes, min: KIB, max: 64 * GIB }),
    when_full: choice(
      "What happens to a message when the queue is full: it is rejected, or it replaces the oldest ones.",
      ["reject", "drop-oldest"],
      { default: q.when_full },
    ),
    dead_letters: count("Maximum number of dead letters; the oldest are deleted first.", {
      default: q.dead_letters,
      max: 1_000_000,
    }),
    dead_letter_ttl: duration("How long a dead letter is kept.", { default: q.dead_letter_ttl, min: 1_000 }),
    settle: duration(
      "For clients without acknowledgements: how long the connection must stay open after a message before it counts as delivered.",
      { default: q.settle },
    ),
    ack_timeout: duration("For clients with acknowledgements: how long one may take before the message is sent again.", {
      default: q.ack_timeout,
      min: 100,
    }),
    ack_window: count("Maximum number of unacknowledged messages per client.", {
      default: q.ack_window,
      min: 1,
      max: 10_000,
    }),
    write_timeout: duration("How long a write may take before its sender gets `queue unavailable`.", {
      default: q.write_timeout,
      min: 10,
    }),
  }),
);

function backendNames(): QueueBackend[] {
  return Object.keys(QUEUE_BACKENDS) as QueueBackend[]; // Why: the keys of a record are typed as plain text.
}

const u = DEFAULTS.uploads;
export const uploads: z.ZodMiniType<UploadSettings> = block<UploadSettings>(
  "Files: the binary frames that integrations send.",
  u,
  () => ({
    enabled: flag("Accept uploads.", { default: u.enabled, restart: true }),
    path: text("The folder for uploads.", { default: u.path, restart: true }),
    file_bytes: size(
      "Maximum size of one file. On Bun, raising it above its value at the start takes effect after a restart.",
      { default: u.file_bytes, min: 1, max: 64 * MIB },
    ),
    total_bytes: size("Maximum size of all files together.", { default: u.total_bytes, min: 1, max: 64 * GIB }),
    files: count("Maximum number of files.", { default: u.files, min: 1, max: 100_000 }),
    ttl: duration("How long a file is kept.", { default: u.ttl, min: 1_000 }),
  }),
);
