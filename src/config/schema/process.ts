/** The process: security, limits, log, recording and shutdown. */
import type { z } from "zod/mini";
import { DEFAULTS } from "../../core/defaults.ts";
import { DIAGNOSTIC_IDS } from "../../core/diagnostics/catalogue.ts";
import { SERVICES } from "../../core/service.ts";
import type {
  DiagnosticSettings,
  LimitSettings,
  LogSettings,
  LogSource,
  RecordSettings,
  RelaysSettings,
  SecuritySettings,
  Settings,
  TraceSettings,
} from "../../core/settings.ts";
import {
  block,
  choice,
  count,
  duration,
  itemOfForm,
  list,
  listItem,
  optionalChoice,
  size,
  text,
  textItem,
} from "../setting.ts";

const KIB = 1_024;
const MIB = 1_024 * KIB;
const LEVELS = ["debug", "info", "warning", "error"] as const;

/** As a browser sends it: without a path. */
const originItem = itemOfForm({
  fits: (text) => /^(null|[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*)$/i.test(text),
  expected: "an origin such as https://overlay.example, or null",
});

export const security: z.ZodMiniType<SecuritySettings> = block<SecuritySettings>(
  "Which web pages can open sockets.",
  DEFAULTS.security,
  () => ({
    allowed_origins: list(
      "Browser origins that are accepted in addition to loopback ones, such as `https://overlay.example`. `null` and the origins of " +
        "browser extensions must be listed as well. Any web page can have the origin `null`, so it needs tokens of your own.",
      { item: originItem, type: "origins" },
    ),
  }),
);

const n = DEFAULTS.relays;
export const relays: z.ZodMiniType<RelaysSettings> = block<RelaysSettings>(
  "Several relays in one process. Each has a queue, a dashboard and an API of its own; tokens and limits are the same for all.",
  n,
  () => ({
    names: list(
      "Patterns, with `*`, of the names that are served at `/r/<name>/` of each listener, except the intercept proxy's. The relay `default` " +
        "is also at the root, and always runs. The others start when they are first used, and when something is due for them. On Workers, `RELAY_NAMES` has this list.",
      { item: textItem, type: "patterns", default: n.names },
    ),
    idle: duration(
      "A relay other than `default` stops when nobody has been connected, and nothing has been due, for this time.",
      { default: n.idle, min: 1_000 },
    ),
    running: count(
      "Maximum number of relays that run at the same time, with `default`. One more replaces the one that has been idle for the longest time; " +
        "if none is idle, it is refused with 503.",
      { default: n.running, min: 1, max: 10_000 },
    ),
  }),
);
const d = DEFAULTS.diagnostics;
export const diagnostics: z.ZodMiniType<DiagnosticSettings> = block<DiagnosticSettings>(
  "What is reported to the authors of integrations.",
  d,
  () => ({
    disabled: list("Diagnostics that are not reported, such as `schema_keywords`.", {
      item: listItem(DIAGNOSTIC_IDS),
      type: "ids of diagnostics",
    }),
    startup: duration("A `startup` that comes later than this after the connection is late.", {
      default: d.startup,
      min: 10,
      max: 600_000,
    }),
    result: duration("A result that comes later than this after its action is slow.", {
      default: d.result,
      min: 10,
      max: 600_000,
    }),
    latency: duration("A connection on which a ping is answered later than this is slow.", {
      default: d.latency,
      min: 10,
      max: 600_000,
    }),
    context_length: count("A context with more characters than this is long.", {
      default: d.context_length,
      min: 1,
      max: 10_000_000,
    }),
    contexts_per_minute: count("More contexts in one minute than this are many.", {
      default: d.contexts_per_minute,
      min: 1,
      max: 1_000_000,
    }),
    action_changes_per_minute: count(
      "More messages than this in one minute, or than a sixth of it within 10 s, that unregister actions or change their definition are " +
        "frequent changes.",
      { default: d.action_changes_per_minute, min: 1, max: 1_000_000 },
    ),
  }),
);

const t = DEFAULTS.traces;
export const traces: z.ZodMiniType<TraceSettings> = block<TraceSettings>(
  "What is remembered, in memory, of what has happened. A sixteenth of `limits.total_bytes` is for all traces of games and integrations, one " +
    "for those of commands, and one for all transcripts; each integration may occupy an equal part.",
  t,
  () => ({
    per_integration: count(
      "Traces of one integration: the paths of its last forces, actions, contexts and commands. 0 disables traces.",
      { default: t.per_integration, max: 100_000 },
    ),
    bytes_per_integration: size("Maximum memory for the traces of one integration. The oldest are dropped first.", {
      default: t.bytes_per_integration,
      min: 32 * KIB,
      max: 64 * MIB,
    }),
    transcript_bytes: size(
      "Maximum memory for the transcript of one upstream: what Neuro was sent last, and her actions. 0 disables transcripts.",
      { default: t.transcript_bytes, max: 1_024 * MIB },
    ),
  }),
);

const l = DEFAULTS.limits;
export const limits: z.ZodMiniType<LimitSettings> = block<LimitSettings>("Limits for what peers can do.", l, () => ({
  peers: count("Maximum number of connections.", { default: l.peers, min: 1, max: 100_000 }),
  peers_per_address: count("Maximum number of connections from one address.", {
    default: l.peers_per_address,
    min: 1,
    max: 100_000,
  }),
  actions: count(
    "Maximum number of registered actions, all integrations together, also those that are paused or have left.",
    {
      default: l.actions,
      min: 1,
      max: 100_000,
    },
  ),
  actions_per_integration: count("Maximum number of registered actions of one integration.", {
    default: l.actions_per_integration,
    min: 1,
    max: 10_000,
  }),
  schema_bytes: size("Maximum size of the JSON Schema of an action, as JSON.", {
    default: l.schema_bytes,
    min: 1_024,
    max: 256 * KIB,
  }),
  unauthenticated: count("Maximum number of connections to the Intermediary that have not greeted yet.", {
    default: l.unauthenticated,
    min: 1,
    max: 10_000,
  }),
  greeting: duration("A connection to the Intermediary that has not greeted after this time is closed with 4408.", {
    default: l.greeting,
    min: 100,
    max: 60_000,
  }),
  greeting_bytes: size("Maximum size of a greeting.", { default: l.greeting_bytes, min: 256, max: 65_536 }),
  peer_bytes: size(
    "Maximum memory for what is kept of one connection: actions, forces, contexts and messages that wait. A text counts two bytes a character.",
    { default: l.peer_bytes, min: 64 * KIB, max: 1_024 * MIB },
  ),
  total_bytes: size(
    "Maximum memory for what is kept of all connections together. A quarter of it is for games that have left.",
    { default: l.total_bytes, min: MIB, max: 16_384 * MIB },
  ),
  message_bytes: size(
    "Maximum size of a message. On Bun, raising it above its value at the start takes effect after a restart.",
    { default: l.message_bytes, min: 1_024, max: 16 * MIB },
  ),
  json_depth: count("Maximum nesting depth of a message.", { default: l.json_depth, min: 8, max: 512 }),
  messages_per_second: count("Sustained messages per second of one peer; 0 disables this limit.", {
    default: l.messages_per_second,
    max: 1_000_000,
  }),
  burst: count("Messages that one peer can send at once after a pause.", { default: l.burst, min: 1, max: 1_000_000 }),
  bytes_per_second: size("Sustained bytes per second of one peer; 0 disables this limit.", {
    default: l.bytes_per_second,
    max: 1_024 * MIB,
  }),
  requests_per_second: count(
    "HTTP requests and upgrades per second of one address whose clients have shown a valid token, whatever their result. Other addresses " +
      "may make a twentieth, this machine any number. 0 disables this limit.",
    { default: l.requests_per_second, max: 1_000_000 },
  ),
  rates_per_address: count(
    "The connections of this machine, or of an address with a client that was accepted, may send together as much as this many of them; those of " +
      "other addresses as much as one. Beyond that each may send an equal part. 0 disables this limit.",
    { default: l.rates_per_address, max: 100_000 },
  ),
  backlog_soft_bytes: size(
    "A peer with this much unsent data gets no new messages from the queue until it has read some.",
    {
      default: l.backlog_soft_bytes,
      min: 64 * KIB,
      max: 256 * MIB,
    },
  ),
  backlog_hard_bytes: size("A peer with this much unsent data is closed.", {
    default: l.backlog_hard_bytes,
    min: 64 * KIB,
    max: 256 * MIB,
  }),
  event_streams: count("Streams of events of the API, and its requests that wait for events, at the same time.", {
    default: l.event_streams,
    max: 10_000,
  }),
  idempotency_keys: count(
    "Responses of the API to changes with an `Idempotency-Key` that are kept for repetitions; 0: none.",
    {
      default: l.idempotency_keys,
      max: 100_000,
    },
  ),
  metric_integrations: count("Integrations with metrics of their own; all others share the label `other`.", {
    default: l.metric_integrations,
    max: 500,
  }),
  macros: count("Actions that operators can save as macros; saved ones stay when it is lowered.", {
    default: l.macros,
    max: 1_000,
  }),
}));

const level = (service: string): z.ZodMiniType<LogSettings["level"] | undefined> =>
  optionalChoice(`The level for ${service}, if it differs from \`log.level\`.`, LEVELS);

const levels = (): Readonly<Record<LogSource, z.ZodMiniType<LogSettings["level"] | undefined>>> => ({
  intermediary: level(SERVICES.intermediary.title),
  neuro: level("Neuro"),
  nallely: level(SERVICES.nallely.title),
  brain: level(SERVICES.brain.title),
  proxy: level(SERVICES.proxy.title),
  relay: level("the relay itself"),
});

const g = DEFAULTS.log;
export const log: z.ZodMiniType<LogSettings> = block<LogSettings>(
  "The log. It goes to standard error unless `log.file` is set.",
  g,
  () => ({
    level: choice("The minimum severity that is logged.", LEVELS, { default: g.level }),
    levels: block<LogSettings["levels"]>("Levels of single services.", g.levels, levels),
    format: choice("`text` for people, or `json` for one JSON object per line.", ["text", "json"], {
      default: g.format,
      restart: true,
    }),
    file: text("A file for the log. It is rotated at 10 MiB, and five files are kept.", { default: g.file, restart: true }),
  }),
);

const r = DEFAULTS.record;
export const record: z.ZodMiniType<RecordSettings> = block<RecordSettings>(
  "A recording of all messages, for developers.",
  r,
  () => ({
    file: text(
      "The file to record to, such as `session.jsonl`; the same as `serve --record`. Empty: nothing is recorded.",
      {
        default: r.file,
        restart: true,
      },
    ),
    bytes: size("Maximum size of the file. The recording ends there.", {
      default: r.bytes,
      min: 4 * KIB,
      max: 16_384 * MIB,
      restart: true,
    }),
  }),
);

export const shutdown: z.ZodMiniType<Settings["shutdown"]> = block<Settings["shutdown"]>(
  "Stopping the relay.",
  DEFAULTS.shutdown,
  () => ({
    grace: duration("How long the relay waits for actions that are still running.", {
      default: DEFAULTS.shutdown.grace,
      max: 600_000,
    }),
  }),
);
