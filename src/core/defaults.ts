/**
 * Every setting's default, in one object: what the schema fills in, and what tests of machines start from.
 */
import type { Settings } from "./settings.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const KIB = 1_024;
const MIB = 1_024 * KIB;

/** The token that the original configuration was published with. Good for loopback only. */
export const PUBLISHED_TOKEN = "super-secret-token";

/** The settings of a relay that was told nothing. */
export const DEFAULTS: Settings = {
  intermediary: {
    enabled: true,
    host: "127.0.0.1",
    port: 8765,
    auth_token: PUBLISHED_TOKEN,
    tokens: [],
    events_to_neuro: true,
    relay_queue: undefined,
  },
  "nakurity-backend": {
    enabled: true,
    host: "127.0.0.1",
    port: 8000,
    token: "",
    open: false,
    decider: "random",
    seed: 1,
    character: "neuro",
    choice_timeout: 8 * SECOND,
    retries: 3,
    openai: { url: "", model: "", timeout: 10 * SECOND, attempts: 3 },
  },
  "nakurity-clients": [],
  "dependency-authentication": { "neuro-os": { auth_token: undefined } },
  "intercept-proxy": {
    enabled: false,
    host: "127.0.0.1",
    port: 8767,
    upstream_url: "ws://127.0.0.1:8000",
    match_commands: ["startup"],
    integration_name: "intercept-proxy",
  },
  integrations: [],
  actions: {
    naming: "shared",
    broadcast: "all",
    grace: 10 * SECOND,
    attribution: true,
    force_timeout: 2 * MINUTE,
    settle: 500,
    await_names: 2 * SECOND,
    restart_window: 300,
    parked: DAY,
    ageing: 15 * SECOND,
    broadcast_backend: false,
  },
  queue: {
    backend: "fs",
    path: "relay_message_queue",
    url: "redis://127.0.0.1:6379",
    retry: 5 * SECOND,
    retry_cap: MINUTE,
    max_attempts: 8,
    ttl: { command: DAY, context: 10 * MINUTE, direct: 10 * MINUTE },
    per_recipient: 1_000,
    per_recipient_bytes: 8 * MIB,
    total: 100_000,
    total_bytes: 256 * MIB,
    when_full: "reject",
    dead_letters: 1_000,
    dead_letter_ttl: 7 * DAY,
    settle: 200,
    ack_timeout: 30 * SECOND,
    ack_window: 64,
    write_timeout: 2 * SECOND,
  },
  uploads: {
    enabled: true,
    path: "uploads",
    file_bytes: 8 * MIB,
    total_bytes: 64 * MIB,
    files: 1_000,
    ttl: DAY,
  },
  brain: {
    enabled: true,
    host: "127.0.0.1",
    port: 9000,
    token: "",
    open: false,
    covenant: "advise",
    sessions: 10_000,
    state_bytes: 64 * KIB,
    ttl: DAY,
    persist: true,
    artifact: "latest",
    artifacts_root: "artifacts/runs",
    test_mode: false,
    log_json: false,
  },
  nallely: {
    enabled: false,
    url: "ws://127.0.0.1:6789",
    trevor_url: "ws://127.0.0.1:6788",
    name: "neuro-relay",
    rate: 200,
    repair: false,
    inputs: [],
    actions: [],
  },
  web: {
    enabled: true,
    host: "127.0.0.1",
    port: 8766,
    token: "",
    metrics: "token",
    trusted_proxies: [],
    hosts: [],
    neuro_os_page: false,
  },
  security: { allowed_origins: [] },
  limits: {
    peers: 1_000,
    peers_per_address: 1_000,
    actions: 2_000,
    unauthenticated: 64,
    greeting: 5 * SECOND,
    greeting_bytes: 4 * KIB,
    message_bytes: MIB,
    json_depth: 64,
    messages_per_second: 500,
    burst: 1_000,
    bytes_per_second: 4 * MIB,
    backlog_soft_bytes: 4 * MIB,
    backlog_hard_bytes: 8 * MIB,
    metric_integrations: 100,
  },
  cluster: { enabled: false, url: "", node: "" },
  log: { level: "info", levels: {}, format: "text", file: "" },
  record: { file: "", bytes: 256 * MIB },
  shutdown: { grace: 5 * SECOND },
};

/** The default of each field of one upstream; `url` has none. */
export const UPSTREAM_DEFAULTS: Omit<Settings["nakurity-clients"][number], "url"> = {
  id: "neuro",
  name: "Relay Integration",
  profile: "neuro",
  action_deadline: undefined,
  character: undefined,
  context_rate: 10,
  context_burst: 50,
  backoff: { base: 500, cap: 15 * SECOND },
  dial_timeout: 10 * SECOND,
};
