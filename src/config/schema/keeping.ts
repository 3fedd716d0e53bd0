/** What is kept: the queue and uploads. */
import type { z } from "zod";
import { DEFAULTS } from "../../core/defaults.ts";
import type { QueueBackend, QueueSettings, UploadSettings } from "../../core/settings.ts";
import { block, choice, count, duration, flag, size, text } from "../setting.ts";

const GIB = 1_024 ** 3;
const MIB = 1_024 ** 2;

/** What each backend of the queue is for and what it survives. In the order in which the reference lists them. */
export const BACKENDS: Readonly<Record<QueueBackend, { readonly says: string; readonly survives: string }>> = {
  fs: {
    says: "One file an entry, in `queue.path`.",
    survives: "A killed process. Not a power failure: nothing is synced to the disk.",
  },
  sqlite: {
    says: "One database file in `queue.path`, for many messages a second. While the disk stalls, so does the whole relay.",
    survives: "A killed process and a power failure: an entry counts as stored once its transaction is synced to the disk.",
  },
  redis: {
    says: "The Redis at `queue.url`; needs the package `ioredis`.",
    survives: "A killed relay. A killed or unplugged Redis only with `appendfsync always`; one relay to a database.",
  },
  "deno-kv": {
    says: "Deno's own key-value store, in `queue.path`; Deno with `--unstable-kv` only. Entries up to 64 KiB.",
    survives: "A killed process and a power failure: Deno syncs each write to the disk.",
  },
  "durable-object": {
    says: "The storage of the Durable Object; on Cloudflare Workers only, and the default there.",
    survives: "Eviction and redeployment: nothing leaves the object before what it promises is stored.",
  },
  memory: { says: "Nothing is written.", survives: "Nothing: what waits is lost with the process." },
};

const NO_KV =
  "Cloudflare KV takes one write a second for a key and lists up to a minute late, so it cannot hold a queue; " +
  "use durable-object there";

const q = DEFAULTS.queue;
export const queue: z.ZodType<QueueSettings> = block(
  "Messages for integrations that are away, and all else that has to be kept.",
  {
    backend: choice("Where entries are kept; see below what each survives.", Object.keys(BACKENDS) as QueueBackend[], {
      fallback: q.backend,
      restart: true,
      refused: { "cloudflare-kv": NO_KV, "cloudflare-kv-binding": NO_KV, "cloudflare-kv-http": NO_KV },
    }),
    path: text("The folder of `fs`, `sqlite` and `deno-kv`.", { fallback: q.path, restart: true }),
    url: text("The server of `redis`.", { fallback: q.url, restart: true }),
    retry: duration("How long until a message is tried again; doubles with each attempt.", {
      fallback: q.retry,
      least: 10,
    }),
    retry_cap: duration("The longest such wait.", { fallback: q.retry_cap, least: 10 }),
    max_attempts: count("After so many attempts a message becomes a dead letter.", {
      fallback: q.max_attempts,
      least: 1,
      most: 1_000,
    }),
    ttl: block("How long a message may wait, by its kind.", {
      command: duration("Commands of watchers.", { fallback: q.ttl.command, least: 1_000 }),
      context: duration("Contexts for Neuro.", { fallback: q.ttl.context, least: 1_000 }),
      direct: duration("What watchers say to Neuro directly.", { fallback: q.ttl.direct, least: 1_000 }),
    }),
    per_recipient: count("Messages that may wait for one recipient.", {
      fallback: q.per_recipient,
      least: 1,
      most: 1_000_000,
    }),
    per_recipient_bytes: size("Bytes that may wait for one recipient.", {
      fallback: q.per_recipient_bytes,
      least: 1_024,
      most: GIB,
    }),
    total: count("Messages that may wait in all.", { fallback: q.total, least: 1, most: 10_000_000 }),
    total_bytes: size("Bytes that may wait in all.", { fallback: q.total_bytes, least: 1_024, most: 64 * GIB }),
    when_full: choice("What happens to a message for which there is no room.", ["reject", "drop-oldest"], {
      fallback: q.when_full,
    }),
    dead_letters: count("Dead letters that are kept; the oldest go first.", { fallback: q.dead_letters, most: 1_000_000 }),
    dead_letter_ttl: duration("How long a dead letter is kept.", { fallback: q.dead_letter_ttl, least: 1_000 }),
    settle: duration("For clients without acks: how long a socket must stay open after it took a message.", {
      fallback: q.settle,
    }),
    ack_timeout: duration("How long a client with acks may take to confirm a message.", {
      fallback: q.ack_timeout,
      least: 100,
    }),
    ack_window: count("Messages that may be unconfirmed at a time.", { fallback: q.ack_window, least: 1, most: 10_000 }),
    write_timeout: duration("How long a write may take before its sender is told that the queue is unavailable.", {
      fallback: q.write_timeout,
      least: 10,
    }),
  },
);

const u = DEFAULTS.uploads;
export const uploads: z.ZodType<UploadSettings> = block("Binary frames that integrations send.", {
  enabled: flag("Keep them.", { fallback: u.enabled, restart: true }),
  path: text("Their folder.", { fallback: u.path, restart: true }),
  file_bytes: size("The largest file. On Bun one that is raised above what it was at the start counts after a restart.", {
    fallback: u.file_bytes,
    least: 1,
    most: 64 * MIB,
  }),
  total_bytes: size("All files together.", { fallback: u.total_bytes, least: 1, most: 64 * GIB }),
  files: count("How many files.", { fallback: u.files, least: 1, most: 100_000 }),
  ttl: duration("How long a file is kept.", { fallback: u.ttl, least: 1_000 }),
});
