/**
 * The settings as the machines see them: every block, with the names of the configuration file.
 *
 * `config/schema.ts` produces this from YAML, environment and flags, with every default filled in. Durations are milliseconds,
 * sizes are bytes. A setting has one name everywhere: in the file, in the environment, here and in the reference.
 */
import type { Millis } from "./ids.ts";

/** What a token allows. */
export type Scope = "integration" | "watch" | "command" | "direct" | "admin";

/** All settings of a relay, complete. */
export interface Settings {
  readonly intermediary: IntermediarySettings;
  readonly "nakurity-backend": BackendSettings;
  /** Empty: the relay plays Neuro itself. `nakurity-client` of the file is the list with one. */
  readonly "nakurity-clients": readonly UpstreamSettings[];
  readonly "dependency-authentication": { readonly "neuro-os": { readonly auth_token: string | undefined } };
  readonly "intercept-proxy": ProxySettings;
  readonly integrations: readonly IntegrationPolicy[];
  readonly actions: ActionSettings;
  readonly queue: QueueSettings;
  readonly uploads: UploadSettings;
  readonly brain: BrainSettings;
  readonly nallely: NallelySettings;
  readonly web: WebSettings;
  readonly security: SecuritySettings;
  readonly limits: LimitSettings;
  readonly cluster: { readonly enabled: boolean; readonly url: string; readonly node: string };
  readonly log: LogSettings;
  readonly record: RecordSettings;
  readonly shutdown: { readonly grace: Millis };
}

export interface ListenSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface IntermediarySettings extends ListenSettings {
  readonly enabled: boolean;
  readonly auth_token: string;
  readonly tokens: readonly TokenSettings[];
  /** Free JSON and text of integrations go to Neuro as silent context. */
  readonly events_to_neuro: boolean;
  /** The queue's place, as the original configuration names it; undefined when it does not. */
  readonly relay_queue: string | undefined;
}

export interface TokenSettings {
  readonly name: string;
  readonly token: string;
  readonly scopes: readonly Scope[];
  /** Patterns with `*` of the names that may greet with it; empty: any. */
  readonly names: readonly string[];
}

export interface BackendSettings extends ListenSettings {
  readonly enabled: boolean;
  /** A game gives it as `?token=` or as `/t/<token>` before its path. Empty: none is asked. */
  readonly token: string;
  /** Serve other hosts without a token. */
  readonly open: boolean;
  /** Who decides when nobody chooses and there is no upstream. */
  readonly decider: "first" | "random" | "none" | "openai";
  readonly seed: number;
  /** Who the relay is when it plays Neuro: `neuro` or `evil`. */
  readonly character: string;
  readonly choice_timeout: Millis;
  readonly retries: number;
  readonly openai: { readonly url: string; readonly model: string; readonly timeout: Millis; readonly attempts: number };
}

export type ProfileName = "neuro" | "randy" | "tony" | "jippity" | "gary" | "neuro_api";

export interface UpstreamSettings {
  /** Which upstream, where there are several: `neuro`, `evil`. */
  readonly id: string;
  readonly url: string;
  /** What Neuro sees as the game's name. */
  readonly name: string;
  readonly profile: ProfileName;
  /** Overrides the profile's. */
  readonly action_deadline: Millis | undefined;
  readonly character: string | undefined;
  /** Contexts per second; 0: no bound. */
  readonly context_rate: number;
  readonly context_burst: number;
  readonly backoff: { readonly base: Millis; readonly cap: Millis };
  readonly dial_timeout: Millis;
}

export interface ProxySettings extends ListenSettings {
  readonly enabled: boolean;
  readonly upstream_url: string;
  readonly match_commands: readonly string[];
  readonly integration_name: string;
}

/** How one integration, or all whose name matches, is treated. The first match counts. */
export interface IntegrationPolicy {
  /** A name, with `*` for any run of characters. */
  readonly match: string;
  readonly upstream: string | undefined;
  readonly on_duplicate: "replace" | "suffix" | "reject";
  readonly priority_max: "low" | "medium" | "high" | "critical";
  readonly shutdown: boolean;
  readonly speech_finished: boolean;
  readonly results: "required" | "failures-only";
}

export interface ActionSettings {
  readonly naming: "shared" | "prefixed";
  readonly broadcast: "all" | "first-owner";
  /** How long an integration may be away before Neuro notices. */
  readonly grace: Millis;
  /** `[Game] ...` before contexts and queries. */
  readonly attribution: boolean;
  /** After this an unanswered force makes room for those that wait. */
  readonly force_timeout: Millis;
  /** After a force's success, before the next one. */
  readonly settle: Millis;
  /** How long a force may wait for names not yet registered. */
  readonly await_names: Millis;
  /** After a game's `startup`: what is registered again within this time was never away. */
  readonly restart_window: Millis;
  /** How long the registry of an absent game is kept. */
  readonly parked: Millis;
  /** A waiting force rises one priority after each of these. */
  readonly ageing: Millis;
  /** Foreign actions are left to others who share the backend, instead of being answered. */
  readonly broadcast_backend: boolean;
}

export type QueueBackend = "fs" | "sqlite" | "redis" | "deno-kv" | "durable-object" | "memory";
export type MessageKind = "command" | "context" | "direct";

export interface QueueSettings {
  readonly backend: QueueBackend;
  /** Folder of `fs`, `sqlite` and `deno-kv`. */
  readonly path: string;
  readonly url: string;
  readonly retry: Millis;
  readonly retry_cap: Millis;
  readonly max_attempts: number;
  readonly ttl: Readonly<Record<MessageKind, Millis>>;
  readonly per_recipient: number;
  readonly per_recipient_bytes: number;
  readonly total: number;
  readonly total_bytes: number;
  readonly when_full: "reject" | "drop-oldest";
  readonly dead_letters: number;
  readonly dead_letter_ttl: Millis;
  /** For peers without acks: how long a socket must stay open after it took a message. */
  readonly settle: Millis;
  readonly ack_timeout: Millis;
  readonly ack_window: number;
  readonly write_timeout: Millis;
}

export interface UploadSettings {
  readonly enabled: boolean;
  readonly path: string;
  readonly file_bytes: number;
  readonly total_bytes: number;
  readonly files: number;
  readonly ttl: Millis;
}

export interface BrainSettings extends ListenSettings {
  readonly enabled: boolean;
  readonly token: string;
  readonly open: boolean;
  readonly covenant: "off" | "advise" | "enforce";
  readonly sessions: number;
  readonly state_bytes: number;
  readonly ttl: Millis;
  readonly persist: boolean;
  readonly artifact: string;
  readonly artifacts_root: string;
  readonly test_mode: boolean;
  readonly log_json: boolean;
}

export interface NallelySettings {
  readonly enabled: boolean;
  readonly url: string;
  readonly trevor_url: string;
  readonly name: string;
  /** Values per second and parameter at most. */
  readonly rate: number;
  /** Parameters that the session does not know, because it knew the name before, are added. */
  readonly repair: boolean;
  readonly inputs: readonly NallelyInput[];
  readonly actions: readonly NallelyAction[];
}

export interface NallelyInput {
  readonly parameter: string;
  readonly range: readonly [number, number];
  /** Said to Neuro when the value rises over the threshold; `{value}` is replaced, here and below. */
  readonly context: string | undefined;
  /** Asked of Neuro then, as a force of all `actions`. */
  readonly force: string | undefined;
  /** The action that is then chosen for the open force, when the relay decides it itself. */
  readonly choose: string | undefined;
  /** The data of what is chosen, as JSON. */
  readonly data: string;
  readonly threshold: number;
  readonly hysteresis: number;
  /** At most once in this time. */
  readonly every: Millis;
  readonly silent: boolean;
}

/** An action by which Neuro sets a parameter that others can listen to. */
export interface NallelyAction {
  readonly name: string;
  readonly description: string;
  readonly parameter: string;
  readonly range: readonly [number, number];
}

export interface WebSettings extends ListenSettings {
  readonly enabled: boolean;
  /** Empty: one is made once and kept. */
  readonly token: string;
  readonly metrics: "token" | "open";
  readonly trusted_proxies: readonly string[];
  /** Host names, beside loopback, by which the page may be reached. */
  readonly hosts: readonly string[];
  /** The routes of neuro-os's traffic page, which on this machine ask for no token. */
  readonly neuro_os_page: boolean;
}

export interface SecuritySettings {
  /** Browser origins that may open sockets, beside loopback ones; `null` must be listed to be allowed. */
  readonly allowed_origins: readonly string[];
}

export interface LimitSettings {
  readonly peers: number;
  readonly peers_per_address: number;
  readonly actions: number;
  readonly unauthenticated: number;
  readonly greeting: Millis;
  readonly greeting_bytes: number;
  readonly message_bytes: number;
  readonly json_depth: number;
  /** 0: no bound. */
  readonly messages_per_second: number;
  readonly burst: number;
  readonly bytes_per_second: number;
  readonly backlog_soft_bytes: number;
  readonly backlog_hard_bytes: number;
  /** Integrations that metrics tell apart. */
  readonly metric_integrations: number;
}

export type LogLevel = "debug" | "info" | "warning" | "error";

export interface LogSettings {
  readonly level: LogLevel;
  readonly levels: Readonly<
    Partial<Record<"intermediary" | "neuro" | "nallely" | "brain" | "relay", LogLevel | undefined>>
  >;
  readonly format: "text" | "json";
  readonly file: string;
}

/** What peers say, written to a file for developers. */
export interface RecordSettings {
  /** Empty: nothing is recorded. */
  readonly file: string;
  /** The file grows no larger. */
  readonly bytes: number;
}
