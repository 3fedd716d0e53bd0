/**
 * The complete settings, with the names of the configuration file.
 *
 * `config/schema.ts` builds them from YAML, environment and flags, and fills in every default. Durations are in milliseconds, sizes in
 * bytes. A setting has the same name in the file, in the environment, here and in the reference; the reference describes each one.
 */
import type { DiagnosticId } from "./diagnostics/catalogue.ts";
import type { ServiceName } from "./service.ts";
import type { Millis } from "./ids.ts";

/** A permission of a token. */
export type Scope = "integration" | "watch" | "command" | "direct" | "stop" | "admin" | "link";

/** The settings of one relay. */
export interface Settings {
  readonly intermediary: IntermediarySettings;
  readonly "nakurity-backend": BackendSettings;
  /** Empty in standalone mode. `nakurity-client` in the file becomes a list of one. */
  readonly "nakurity-clients": readonly UpstreamSettings[];
  readonly "dependency-authentication": { readonly "neuro-os": { readonly auth_token: string | undefined } };
  readonly "intercept-proxy": ProxySettings;
  readonly relays: RelaysSettings;
  readonly cluster: ClusterSettings;
  readonly integrations: readonly PolicySettings[];
  readonly actions: ActionSettings;
  readonly queue: QueueSettings;
  readonly uploads: UploadSettings;
  readonly brain: BrainSettings;
  readonly nallely: NallelySettings;
  readonly web: WebSettings;
  readonly security: SecuritySettings;
  readonly diagnostics: DiagnosticSettings;
  readonly traces: TraceSettings;
  readonly limits: LimitSettings;
  readonly log: LogSettings;
  readonly record: RecordSettings;
  readonly shutdown: { readonly grace: Millis };
}

export interface ListenSettings {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
}

export interface ListenerSettings extends ListenSettings {
  readonly tls: TlsSettings;
}

/** The files of a certificate and of its key, as PEM. Both are empty without TLS. */
export interface TlsSettings {
  readonly cert: string;
  readonly key: string;
}

export interface IntermediarySettings extends ListenerSettings {
  readonly enabled: boolean;
  readonly auth_token: string;
  readonly tokens: readonly TokenSettings[];
  /** Free-form JSON and text of integrations go to Neuro as silent context. */
  readonly events_to_neuro: boolean;
  /** The queue's folder as the original relay's configuration names it. */
  readonly relay_queue: string | undefined;
}

/** A token with a name of its own. Every setting of a token contains the token, or its digest: `sha256:` and 64 hex digits. */
export interface PeerTokenSettings {
  readonly name: string;
  readonly token: string;
  /** Patterns, with `*`, of the names that it is valid for. Empty: any name. */
  readonly names: readonly string[];
  /** When it stops to be valid, in milliseconds since 1970. */
  readonly expires?: Millis | undefined;
}

export interface TokenSettings extends PeerTokenSettings {
  readonly scopes: readonly Scope[];
}

export interface BackendSettings extends ListenerSettings {
  readonly enabled: boolean;
  /** A game gives it as `?token=` or as `/t/<token>` in front of its path. Empty: no token is needed. */
  readonly token: string;
  /** More tokens, for some games each. */
  readonly tokens: readonly PeerTokenSettings[];
  /** Accept other machines without a token. */
  readonly open: boolean;
  /** The decider of a force in standalone mode when no integration or watcher chooses. */
  readonly decider: "first" | "random" | "none" | "openai";
  readonly seed: number;
  /** The character in standalone mode: `neuro` or `evil`. */
  readonly character: string;
  /** Empty: that of the character. */
  readonly display_name: string;
  /** Empty: a new one for each session. */
  readonly session_id: string;
  readonly behaviour: BehaviourSettings;
  readonly faults: FaultSettings;
  readonly choice_timeout: Millis;
  readonly retries: number;
  readonly openai: ModelSettings;
}

export interface ModelSettings {
  readonly url: string;
  readonly model: string;
  readonly timeout: Millis;
  readonly attempts: number;
  /** What the model is told of what happened before; estimated bytes in memory. */
  readonly memory_entries: number;
  readonly memory_bytes: number;
}

export type BehaviourPreset = "polite" | "lively" | "clumsy" | "hostile";

/** How the relay behaves in the place of Neuro. */
export interface Behaviour {
  /** Whether it acts without a force: never, on a context that is not silent, or also once within each `interval`. */
  readonly voluntary: "never" | "on_context" | "timer";
  readonly interval: Millis;
  /** It decides this long, and up to `answer_jitter` longer, after it could. */
  readonly answer_delay: Millis;
  readonly answer_jitter: Millis;
  /** In how many of a hundred decisions it does this instead of the right thing. */
  readonly percent: Readonly<Record<Misbehaviour, number>>;
}

/** `no_answer` is about forces, the others are about actions. */
export type Misbehaviour = "no_answer" | "unknown_action" | "missing_data" | "invalid_data" | "repeated_action";

/** A preset, and the values that are set one by one instead of its own. */
export type BehaviourSettings =
  & { readonly preset: BehaviourPreset; readonly percent: { readonly [Kind in Misbehaviour]: number | undefined } }
  & { readonly [Field in Exclude<keyof Behaviour, "percent">]: Behaviour[Field] | undefined };

/** Faults of the network between games and the relay. */
export type NetworkFault = "disconnect" | "half_open" | "drop" | "duplicate";

export interface FaultSettings {
  readonly enabled: boolean;
  /** Also with an upstream. */
  readonly with_upstream: boolean;
  readonly seed: number;
  /** Each message takes this long, and up to `jitter` longer, in either direction. */
  readonly delay: Millis;
  readonly jitter: Millis;
  /** Which of a hundred messages suffer from it. */
  readonly percent: Readonly<Record<NetworkFault, number>>;
}

export type ProfileName = "neuro" | "randy" | "tony" | "jippity" | "gary" | "neuro_api";

export interface UpstreamSettings {
  /** Unique: `neuro`, `evil`. */
  readonly id: string;
  readonly url: string;
  /** The game name under which Neuro sees the relay. */
  readonly name: string;
  readonly profile: ProfileName;
  /** Overrides the profile's deadline. */
  readonly action_deadline: Millis | undefined;
  readonly character: string | undefined;
  /** Contexts per second; 0: unlimited. */
  readonly context_rate: number;
  readonly context_burst: number;
  readonly backoff: { readonly base: Millis; readonly cap: Millis };
  readonly dial_timeout: Millis;
  /** No larger frame is sent to it. */
  readonly frame_bytes: number;
  /** Patterns, with `*`, of the relays that connect to it. */
  readonly relays: readonly string[];
}

/** Several relays in one process. */
export interface RelaysSettings {
  /** Patterns, with `*`, of the names at `/r/<name>/`. */
  readonly names: readonly string[];
  /** A relay other than the one at the root stops after this time without use. */
  readonly idle: Millis;
  /** The number of relays that run at the same time. */
  readonly running: number;
}

export interface ClusterSettings extends ListenSettings {
  readonly enabled: boolean;
  /** The Redis server of all nodes. */
  readonly url: string;
  /** Sentinels, each `host:port`, that know the present master; none: `url` is the server. */
  readonly sentinels: readonly string[];
  /** The name of the master among the sentinels. */
  readonly sentinel_master: string;
  /** The beginning of every key. */
  readonly prefix: string;
  /** The name of this node; empty: the name of the host. */
  readonly node: string;
  /** Where other nodes reach this one, `host:port`; empty: the local address of the connection to Redis. */
  readonly advertise: string;
  readonly secret: string;
  readonly lease: Millis;
  /** How long a client waits for an owner of its relay. */
  readonly patience: Millis;
  /** Relays move to the node that is first for them. */
  readonly rebalance: boolean;
}

export interface ProxySettings extends ListenerSettings {
  readonly enabled: boolean;
  readonly upstream_url: string;
  readonly match_commands: readonly string[];
  readonly integration_name: string;
}

/** How the integrations whose name matches are treated. For each setting the first matching policy that has it applies. */
export interface PolicySettings {
  /** A name, with `*` as a wildcard. */
  readonly match: string;
  readonly upstream?: string | undefined;
  /** `approval`: an unknown one needs an operator's approval before Neuro sees it. */
  readonly admission?: "open" | "approval" | undefined;
  readonly on_duplicate?: "replace" | "suffix" | "reject" | undefined;
  readonly priority_max?: "low" | "medium" | "high" | "critical" | undefined;
  /** Their `critical` forces take the place of the one that Neuro has. */
  readonly critical_preempts?: boolean | undefined;
  readonly shutdown?: boolean | undefined;
  /** Neuro has an action that asks it to shut down. */
  readonly shutdown_action?: boolean | undefined;
  readonly speech_finished?: boolean | undefined;
  /** Patterns, with `*`, of the actions that it can register. */
  readonly allow?: readonly string[] | undefined;
  /** Those of them that it cannot register. */
  readonly deny?: readonly string[] | undefined;
  /** Those that it can register, and that Neuro does not see. */
  readonly hide?: readonly string[] | undefined;
  readonly actions_max?: number | undefined;
  readonly contexts_per_minute?: number | undefined;
  /** UTF-16 units. */
  readonly context_length?: number | undefined;
  /** Has `{message}` once; `{game}` is the name of the integration. */
  readonly context_template?: string | undefined;
  /** Patterns, with `*` and at most one `{key}`, of contexts that replace each other. */
  readonly coalesce?: readonly string[] | undefined;
  readonly coalesce_interval?: Millis | undefined;
  readonly debounce?: Millis | undefined;
  readonly results?: "required" | "failures-only" | undefined;
  /** Overrides the deadline of its upstream where it is earlier. */
  readonly result_deadline?: Millis | undefined;
  readonly grace?: Millis | undefined;
  readonly parked?: Millis | undefined;
  /** Of the relay in the place of Neuro. */
  readonly behaviour?: BehaviourPreset | undefined;
}

export interface ActionSettings {
  readonly naming: "shared" | "prefixed";
  readonly broadcast: "all" | "first-owner";
  /** How long an integration can be disconnected before its actions are unregistered, unless its policy says otherwise. */
  readonly grace: Millis;
  /** Puts `[Game]` in front of contexts and queries. */
  readonly attribution: boolean;
  /** An unanswered force makes room for waiting ones after this time. */
  readonly force_timeout: Millis;
  readonly retry_timeout: Millis;
  /** The pause between a successful force and the next one. */
  readonly settle: Millis;
  /** How long a force waits for actions that are not registered yet. */
  readonly await_names: Millis;
  /** Actions registered again within this time after a game's `startup` stay registered. */
  readonly restart_window: Millis;
  /** How long the actions of a disconnected game are remembered, unless its policy says otherwise. */
  readonly parked: Millis;
  /** An integration that an operator asks to shut down is disconnected if it does not answer in this time; 0: it is not. */
  readonly shutdown_timeout: Millis;
  /** A waiting force rises by one priority each time this passes. */
  readonly ageing: Millis;
  /** Unknown actions are ignored instead of answered, because other games share the backend. */
  readonly broadcast_backend: boolean;
}

export type QueueBackend = "fs" | "sqlite" | "redis" | "deno-kv" | "durable-object" | "memory";
export type MessageKind = "command" | "context" | "direct";

export interface QueueSettings {
  readonly backend: QueueBackend;
  /** The folder of `fs`, `sqlite` and `deno-kv`. */
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
  /** For peers without acks: how long a socket must stay open after a message until it counts as delivered. */
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

export interface BrainSettings extends ListenerSettings {
  readonly enabled: boolean;
  readonly token: string;
  /** More tokens, for sessions of some owners each. */
  readonly tokens: readonly PeerTokenSettings[];
  readonly open: boolean;
  readonly covenant: "off" | "advise" | "enforce";
  readonly sessions: number;
  readonly state_bytes: number;
  readonly log_bytes: number;
  readonly store_bytes: number;
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
  /** Maximum number of values per second and parameter. */
  readonly rate: number;
  /** Adds the parameters that the session does not know, because it knew the name before. */
  readonly repair: boolean;
  readonly inputs: readonly NallelyInput[];
  readonly actions: readonly NallelyAction[];
}

export interface NallelyInput {
  readonly parameter: string;
  readonly range: readonly [number, number];
  /** A context for Neuro when the value rises above the threshold. `{value}` is replaced, here and below. */
  readonly context: string | undefined;
  /** The query of a force with all `actions`. */
  readonly force: string | undefined;
  /** The action that is chosen for the open force in standalone mode. */
  readonly choose: string | undefined;
  /** The data of the chosen action, as JSON. */
  readonly data: string;
  readonly threshold: number;
  readonly hysteresis: number;
  /** The minimum interval. */
  readonly every: Millis;
  readonly silent: boolean;
}

/** An action with which Neuro sets a parameter that others can listen to. */
export interface NallelyAction {
  readonly name: string;
  readonly description: string;
  readonly parameter: string;
  readonly range: readonly [number, number];
}

export interface WebSettings extends ListenerSettings {
  readonly enabled: boolean;
  /** Empty: one is generated once and kept. */
  readonly token: string;
  readonly metrics: "token" | "open";
  readonly trusted_proxies: readonly string[];
  /** Host names that are accepted in addition to addresses and loopback names. */
  readonly hosts: readonly string[];
  /** Serves the routes of neuro-os's traffic page, which need no token on this machine. */
  readonly neuro_os_page: boolean;
}

export interface SecuritySettings {
  /** Browser origins that can open sockets, in addition to loopback ones. `null` must be listed as well. */
  readonly allowed_origins: readonly string[];
}

/** When the behaviour of an integration is reported to its author. */
export interface DiagnosticSettings {
  /** Those that are not reported. */
  readonly disabled: readonly DiagnosticId[];
  readonly startup: Millis;
  readonly result: Millis;
  readonly latency: Millis;
  /** UTF-16 units. */
  readonly context_length: number;
  readonly contexts_per_minute: number;
  /** Messages that unregister actions, or change their definition. A sixth of it is allowed within 10 s. */
  readonly action_changes_per_minute: number;
}

/** What is remembered of what has happened. */
export interface TraceSettings {
  /** Ended traces of one integration; 0: there are no traces. */
  readonly per_integration: number;
  readonly bytes_per_integration: number;
  /** Of each upstream; 0: there is no transcript. */
  readonly transcript_bytes: number;
}

export interface LimitSettings {
  readonly peers: number;
  readonly peers_per_address: number;
  readonly actions: number;
  readonly actions_per_integration: number;
  /** Of one action. */
  readonly schema_bytes: number;
  readonly unauthenticated: number;
  readonly greeting: Millis;
  readonly greeting_bytes: number;
  /** What is kept of one peer, and of all peers, in estimated bytes of memory. */
  readonly peer_bytes: number;
  readonly total_bytes: number;
  readonly message_bytes: number;
  readonly json_depth: number;
  /** 0: unlimited. */
  readonly messages_per_second: number;
  readonly burst: number;
  readonly bytes_per_second: number;
  /** Of one address beyond this machine; 0: unlimited. */
  readonly requests_per_second: number;
  /** What the peers of this machine, or of an address with an accepted peer, may send together: as much as this many peers. 0: unlimited. */
  readonly rates_per_address: number;
  readonly backlog_soft_bytes: number;
  readonly backlog_hard_bytes: number;
  /** Streams of events, and requests that wait for events. */
  readonly event_streams: number;
  /** Responses to changes with an `Idempotency-Key` that are kept. */
  readonly idempotency_keys: number;
  /** Integrations with metrics of their own. */
  readonly metric_integrations: number;
  /** Actions that operators have saved. */
  readonly macros: number;
}

export type LogLevel = "debug" | "info" | "warning" | "error";

/** The part of the relay that a log line is about: a service, or the relay around them. */
export type LogSource = ServiceName | "relay";

export interface LogSettings {
  readonly level: LogLevel;
  readonly levels: Readonly<Partial<Record<LogSource, LogLevel | undefined>>>;
  readonly format: "text" | "json";
  readonly file: string;
}

/** A recording of all messages, for developers. */
export interface RecordSettings {
  /** Empty: nothing is recorded. */
  readonly file: string;
  /** Maximum size of the file. */
  readonly bytes: number;
}
