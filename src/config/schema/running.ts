/** How the relay runs: bounds, safety, log, end. */
import type { z } from "zod";
import { DEFAULTS } from "../../core/defaults.ts";
import type { LimitSettings, LogSettings, RecordSettings, SecuritySettings, Settings } from "../../core/settings.ts";
import { block, choice, count, duration, flag, list, optionalChoice, size, text, word } from "../setting.ts";

const MIB = 1_024 ** 2;
const LEVELS = ["debug", "info", "warning", "error"] as const;

export const security: z.ZodType<SecuritySettings> = block("Who may open sockets from a browser.", {
  allowed_origins: list(
    "Browser origins beside loopback ones, such as `https://overlay.example`; `null` and those of stores must be listed, too.",
    { of: word, type: "origins" },
  ),
});

const l = DEFAULTS.limits;
export const limits: z.ZodType<LimitSettings> = block("Bounds for what peers may do.", {
  peers: count("Connections at a time.", { fallback: l.peers, least: 1, most: 100_000 }),
  peers_per_address: count("Connections of one address.", { fallback: l.peers_per_address, least: 1, most: 100_000 }),
  actions: count("Actions of all integrations together.", { fallback: l.actions, least: 1, most: 100_000 }),
  unauthenticated: count("Connections to the Intermediary that have not greeted yet.", {
    fallback: l.unauthenticated,
    least: 1,
    most: 10_000,
  }),
  greeting: duration("How long a peer may take to greet.", { fallback: l.greeting, least: 100, most: 60_000 }),
  greeting_bytes: size("The largest greeting.", { fallback: l.greeting_bytes, least: 256, most: 65_536 }),
  message_bytes: size(
    "The largest message. On Bun one that is raised above what it was at the start counts after a restart.",
    { fallback: l.message_bytes, least: 1_024, most: 16 * MIB },
  ),
  json_depth: count("How deeply a message may be nested.", { fallback: l.json_depth, least: 8, most: 512 }),
  messages_per_second: count("Messages of one peer a second; 0 switches the bound off.", {
    fallback: l.messages_per_second,
    most: 1_000_000,
  }),
  burst: count("Messages of one peer at once after a pause.", { fallback: l.burst, least: 1, most: 1_000_000 }),
  bytes_per_second: size("Bytes of one peer a second; 0 switches the bound off.", {
    fallback: l.bytes_per_second,
    most: 1_024 * MIB,
  }),
  backlog_soft_bytes: size("When so much waits for a slow peer, it gets nothing new from the queue.", {
    fallback: l.backlog_soft_bytes,
    least: 65_536,
    most: 256 * MIB,
  }),
  backlog_hard_bytes: size("When so much waits for a slow peer, it is closed.", {
    fallback: l.backlog_hard_bytes,
    least: 65_536,
    most: 256 * MIB,
  }),
  metric_integrations: count("Integrations that the metrics tell apart; further ones are one, called `other`.", {
    fallback: l.metric_integrations,
    most: 500,
  }),
});

const c = DEFAULTS.cluster;
export const cluster: z.ZodType<Settings["cluster"]> = block("Several relay processes that act as one.", {
  enabled: flag("Take part.", { fallback: c.enabled, restart: true }),
  url: text("The Redis they share; `queue.url` if empty.", { fallback: c.url, restart: true }),
  node: text("The name of this process; one is made if empty.", { fallback: c.node, restart: true }),
});

const level = (room: string): z.ZodType<LogSettings["level"] | undefined> =>
  optionalChoice(`The level of ${room}, where it differs.`, LEVELS);

const g = DEFAULTS.log;
export const log: z.ZodType<LogSettings> = block("The log, on stderr.", {
  level: choice("What is logged: this and what is more severe.", LEVELS, { fallback: g.level }),
  levels: block("Levels of single rooms.", {
    intermediary: level("the Intermediary"),
    neuro: level("Neuro"),
    nallely: level("Nallely"),
    brain: level("Brain"),
    relay: level("the relay itself"),
  }),
  format: choice("For people, or one JSON object a line.", ["text", "json"], { fallback: g.format, restart: true }),
  file: text("A file to log to instead; a new one is begun every 10 MiB, and five are kept.", {
    fallback: g.file,
    restart: true,
  }),
});

const r = DEFAULTS.record;
export const record: z.ZodType<RecordSettings> = block("A recording of everything that is said, for developers.", {
  file: text("A file to record to, such as `session.jsonl`; `serve --record` names it, too. None if empty.", {
    fallback: r.file,
    restart: true,
  }),
  bytes: size("The file grows no larger; then the recording ends.", {
    fallback: r.bytes,
    least: 4_096,
    most: 16_384 * MIB,
    restart: true,
  }),
});

export const shutdown: z.ZodType<Settings["shutdown"]> = block("The end.", {
  grace: duration("How long what is in flight may take to finish.", { fallback: DEFAULTS.shutdown.grace, most: 600_000 }),
});
