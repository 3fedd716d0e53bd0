/**
 * The closed union of observations.
 *
 * Services observe facts. The log line, the metric and the watcher's event are made from them by one table each. An observation holds
 * references to existing objects, so an unread one costs almost nothing. An observation that watchers receive has the name of its
 * event.
 */
import type { DiagnosticId, Severity } from "./diagnostics/catalogue.ts";
import type { Priority } from "./neuro-messages.ts";
import type { ListenerName } from "./event.ts";
import type { FaultName } from "./fault.ts";
import type { Millis } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { TraceView } from "./traces/trace.ts";
import type { MessageDirection } from "./message-counter.ts";
import type { ServiceName } from "./service.ts";
import type { NetworkFault } from "./settings.ts";

/** Why a force ended. */
export type ForceEnd =
  | "completed"
  | "replaced"
  | "names_gone"
  | "game_gone"
  /** Neuro did not answer. */
  | "expired"
  /** Neuro did not try again after a failure. */
  | "given_up"
  | "refused"
  | "cancelled"
  /** Its integration is held; the force waits again. */
  | "held"
  /** A `critical` force took its place; the force waits again. */
  | "preempted";

/** Where the result of an action came from. */
export type ResultOrigin = "game" | "deadline" | "gone" | "unknown" | "relay" | "operator";

/** Presence on the Intermediary and on the game port. */
export type PresenceObservation =
  | { readonly is: "integration_connected"; readonly name: string }
  | { readonly is: "integration_disconnected"; readonly name: string }
  /** `token`: the name of its token. */
  | {
    readonly is: "neuroos_connected";
    readonly name: string;
    readonly privileges: "enhanced" | "standard";
    readonly token: string;
  }
  | { readonly is: "neuroos_disconnected"; readonly name: string }
  /** `slug`: its id; absent for a game that is connected through the proxy. */
  | { readonly is: "integration_connected_via_backend"; readonly name: string; readonly slug?: string | undefined }
  | { readonly is: "integration_disconnected_via_backend"; readonly name: string; readonly slug?: string | undefined }
  /** A configured token was presented in a greeting. `names`: of the tokens with this digest. Never log the digest. */
  | { readonly is: "token_used"; readonly names: string; readonly digest: string; readonly address: string }
  | { readonly is: "taken_over"; readonly name: string; readonly winner: "newest" | "oldest" }
  | { readonly is: "greeting_refused"; readonly fault: FaultName; readonly address: string; readonly reason: string };

/** Messages between integrations, watchers and Neuro. */
export type TrafficObservation =
  | { readonly is: "integration_message"; readonly from: string; readonly payload: Json }
  | { readonly is: "integration_registered_actions"; readonly from: string; readonly actions: readonly string[] }
  | {
    readonly is: "binary_received";
    readonly from: string;
    readonly size: number;
    readonly file: string;
    readonly sha256: string;
    readonly content_type: string;
  }
  /** A command from Neuro other than an action, as its JSON text. */
  | { readonly is: "backend_message"; readonly payload: string }
  | {
    readonly is: "add_context";
    readonly id: string;
    readonly game_title: string;
    /** Id of the integration; absent for a watcher. */
    readonly slug?: string | undefined;
    readonly message: string;
    readonly reply_if_not_busy: boolean;
  }
  | { readonly is: "choose_action"; readonly payload: JsonObject };

/** An action and its recipients, by name and by id. */
export interface PassedAction {
  readonly id: string;
  readonly name: string;
  readonly to: readonly string[];
  readonly slugs: readonly string[];
  readonly forced: boolean;
  readonly data: string | undefined;
}

/** Actions and their results. `id` is the relay's own and unique over restarts; a `slug` is the id of an integration. */
export type ActionObservation =
  | ({ readonly is: "action_sent" } & PassedAction)
  /** It waits for approval. */
  | ({ readonly is: "approval_wanted" } & PassedAction)
  | {
    readonly is: "action_result";
    readonly id: string;
    readonly name: string;
    readonly from: string;
    /** Absent if the relay produced the result. */
    readonly slug?: string | undefined;
    readonly success: boolean;
    readonly message: string | undefined;
    readonly ms: Millis;
    readonly origin: ResultOrigin;
  }
  /** A result that was ignored: too late, a duplicate, or for another integration's action. */
  | { readonly is: "result_ignored"; readonly from: string; readonly why: "late" | "twice" | "foreign" | "unknown" }
  | { readonly is: "action_expired"; readonly id: string; readonly name: string; readonly to: readonly string[] }
  | { readonly is: "actions_registered"; readonly integration: string; readonly names: readonly string[] }
  | { readonly is: "actions_unregistered"; readonly integration: string; readonly names: readonly string[] }
  | {
    readonly is: "force_opened";
    readonly id: string;
    readonly integration: string;
    readonly slug: string;
    readonly query: string;
    readonly names: readonly string[];
    readonly priority: Priority;
    readonly waited: Millis;
  }
  | {
    readonly is: "force_ended";
    readonly id: string;
    readonly integration: string;
    readonly slug: string;
    readonly end: ForceEnd;
    readonly ms: Millis;
  }
  /** Its integration is muted. */
  | { readonly is: "context_dropped"; readonly id: string; readonly from: string; readonly slug: string }
  /** A trace is complete. */
  | { readonly is: "trace_ended"; readonly trace: TraceView };

/** The connection to Neuro. `retry_ms` is undefined if there is no other attempt. */
export type UpstreamObservation =
  | { readonly is: "upstream_dialing"; readonly upstream: string; readonly attempt: number }
  | { readonly is: "upstream_connected"; readonly upstream: string; readonly url: string }
  | {
    readonly is: "upstream_lost";
    readonly upstream: string;
    readonly reason: string;
    readonly retry_ms: Millis | undefined;
  }
  | { readonly is: "character_changed"; readonly upstream: string; readonly character: string }
  | { readonly is: "upstream_silent"; readonly upstream: string; readonly ms: Millis }
  /** A frame from Neuro that could not be decoded. */
  | { readonly is: "upstream_unreadable"; readonly upstream: string; readonly reason: string };

/** The queue. */
export type QueueObservation =
  | {
    readonly is: "message_queued";
    readonly to: string;
    readonly id: string;
    readonly kind: string;
    readonly depth: number;
  }
  | { readonly is: "message_delivered"; readonly to: string; readonly id: string; readonly confirmed: boolean }
  | { readonly is: "message_dead"; readonly to: string; readonly id: string; readonly why: string }
  | { readonly is: "queue_refused"; readonly to: string; readonly why: FaultName }
  | { readonly is: "entry_quarantined"; readonly key: string; readonly why: string };

/** The Brain. A session is named by the first eight digits of its id, because the whole id grants access to it. */
export type BrainObservation =
  | { readonly is: "session_created"; readonly session: string; readonly parent: string | undefined }
  /** `risk` in thousandths. */
  | { readonly is: "operator_applied"; readonly session: string; readonly operator: string; readonly risk: number }
  | {
    readonly is: "operator_refused";
    readonly session: string;
    readonly operator: string;
    readonly reasons: readonly string[];
  }
  | { readonly is: "session_sealed"; readonly session: string }
  | { readonly is: "session_ended"; readonly session: string; readonly why: "closed" | "expired" }
  /** The stored log of a session does not reproduce the state that it claims. */
  | { readonly is: "session_damaged"; readonly session: string; readonly seq: number; readonly why: string }
  /** One prediction, before its reply is sent. */
  | {
    readonly is: "inferred";
    readonly trace_id: Json;
    readonly routing: { readonly english: boolean; readonly math: boolean; readonly physics: boolean };
    readonly value: number | null;
  }
  | { readonly is: "artifact_loaded"; readonly run_id: string; readonly predicts: boolean }
  /** Predictions are null until another artifact is configured. */
  | { readonly is: "artifact_refused"; readonly run_id: string; readonly why: string };

/** The relay as a neuron of a Nallely session. */
export type NallelyObservation =
  | { readonly is: "nallely_connected"; readonly name: string; readonly url: string }
  | { readonly is: "nallely_lost"; readonly name: string; readonly reason: string; readonly retry_ms: Millis | undefined }
  /** The session's description of the neuron differs from the relay's. If it is not listed, only a reset of the session helps. */
  | {
    readonly is: "nallely_drifted";
    readonly name: string;
    readonly listed: boolean;
    readonly missing: readonly string[];
    readonly extra: readonly string[];
    readonly changed: readonly string[];
  }
  /** A value rose over its threshold, with the reaction. */
  | { readonly is: "nallely_input"; readonly parameter: string; readonly value: number; readonly did: NallelyReaction }
  /** Neuro set a parameter through an action. */
  | { readonly is: "nallely_output"; readonly parameter: string; readonly value: number; readonly action: string }
  /** The settings require something that the session cannot do; the neuron is not registered. */
  | { readonly is: "nallely_refused"; readonly reason: string };
/** `limited`: the previous reaction was too recent. */
export type NallelyReaction = "context" | "force" | "choose" | "limited";

/** Acts of operators. */
export type OperatorObservation = {
  readonly is: "operator_acted";
  /** The name of a token, or `watcher` and the name that the watcher has chosen. */
  readonly by: string;
  /** What was done, e.g. `pause`. */
  readonly did: string;
  /** An id or a name. */
  readonly to: string;
  /** `done`, or the fault that prevented it. */
  readonly outcome: "done" | FaultName;
};

/** Problems, and the party that has to fix them. */
export type ProblemObservation =
  /** Something that the author of an integration should know. Reported at its first occurrence, and then at most every 10 s. */
  | {
    readonly is: "diagnostic";
    readonly from: string;
    /** Absent for a client that has not named its game. */
    readonly slug: string | undefined;
    readonly what: DiagnosticId;
    readonly severity: Severity;
    readonly detail: string;
    /** Occurrences so far. */
    readonly count: number;
    /** The beginning of the message, without credentials. */
    readonly message: string;
  }
  /** An integration sent something that was repaired. Reported once for each kind and integration. */
  | { readonly is: "input_repaired"; readonly from: string; readonly what: string; readonly hint: string }
  | { readonly is: "input_refused"; readonly from: string; readonly fault: FaultName; readonly reason: string }
  | {
    readonly is: "peer_closed_by_relay";
    /** The name of the peer, or its address while that is unknown. */
    readonly from: string;
    readonly fault: FaultName;
    readonly reason?: string;
  }
  /** A message from (`in`) or to (`out`) a game suffered from a fault that the settings ask for. */
  | {
    readonly is: "fault_injected";
    readonly from: string;
    readonly fault: NetworkFault;
    readonly direction: MessageDirection;
  }
  | { readonly is: "store_failed"; readonly key: string; readonly reason: string }
  /** The store keeps failing: writes of which no peer is notified wait, until a trial succeeds. */
  | { readonly is: "writes_suspended"; readonly service: ServiceName }
  | { readonly is: "writes_resumed"; readonly service: ServiceName }
  /** An internal error. The event that caused it was dropped, and a service is rebuilt from storage. */
  | { readonly is: "panicked"; readonly service: PanicSource; readonly reason: string; readonly stack: string }
  | { readonly is: "service_rebuilt"; readonly service: ServiceName }
  /** Nothing more is written to the file of a recording. */
  | { readonly is: "recording_stopped"; readonly file: string; readonly why: "full" | "failed"; readonly reason: string }
  /** The runtime ended a listener. It is opened again. */
  | { readonly is: "listener_lost"; readonly listener: ListenerName | "web"; readonly reason: string }
  | { readonly is: "listener_restored"; readonly listener: ListenerName | "web" }
  /** A relay other than the one at the root started, stopped because nobody used it, or could not be started. */
  | { readonly is: "relay_started"; readonly name: string }
  | { readonly is: "relay_stopped"; readonly name: string }
  | { readonly is: "relay_refused"; readonly name: string; readonly reason: string }
  /** A program that brings a connection to Neuro along has connected or disconnected. */
  | { readonly is: "link_connected"; readonly name: string; readonly address: string; readonly replaces: boolean }
  | { readonly is: "link_disconnected"; readonly name: string; readonly code: number; readonly reason: string }
  /** A node of the cluster, this one or another: joined, suspended because its lease is in doubt, resumed, declared dead, or as it was seen. */
  | {
    readonly is: "node_changed";
    readonly node: string;
    readonly to: "joined" | "suspended" | "resumed" | "dead" | "appeared" | "gone";
  }
  | { readonly is: "node_unreachable"; readonly node: string; readonly reason: string }
  /** This node owns a relay now, or no longer. */
  | { readonly is: "relay_owned"; readonly name: string; readonly epoch: number; readonly how: "claimed" | "handed over" }
  | {
    readonly is: "relay_left";
    readonly name: string;
    readonly epoch: number;
    readonly how: "handed over" | "stopped" | "lost";
  }
  /** Nobody read standard output or standard error in time, so lines were dropped. */
  | { readonly is: "lines_dropped"; readonly output: "stdout" | "stderr"; readonly lines: number };

/** Where an internal error happened: in a service, in the relay around them, or in the web app. */
export type PanicSource = ServiceName | "relay" | "web";

/** One observation. */
export type Observation =
  | PresenceObservation
  | TrafficObservation
  | ActionObservation
  | UpstreamObservation
  | QueueObservation
  | BrainObservation
  | NallelyObservation
  | OperatorObservation
  | ProblemObservation;

/** The name of a kind of observation. */
export type ObservationName = Observation["is"];

/** The observation that becomes an event. */
type Observed<Name extends ObservationName> = Extract<Observation, { readonly is: Name }>;

// Why types and not interfaces: only an alias can be used as a JSON object.
type EventOfPeer = { readonly name: string };
type EventOfGame = { readonly name: string; readonly integration_id?: string | undefined };
type EventOfService = { readonly service: Observed<"writes_suspended">["service"] };

type EventOfAction = {
  readonly action_id: string;
  readonly name: string;
  readonly to: readonly string[];
  readonly to_ids: readonly string[];
  readonly forced: boolean;
  readonly data?: string | undefined;
};

/**
 * The events that watchers get: the fields of each, besides `event` (its name), `id` and `at`. The service makes events of these types, and
 * the protocol reference has schemas of these types, so neither can change alone. The id of anything else than the event has a longer name,
 * such as `force_id`.
 */
export type WatcherEvents = {
  readonly integration_connected: EventOfPeer;
  readonly integration_disconnected: EventOfPeer;
  readonly integration_connected_via_backend: EventOfGame;
  readonly integration_disconnected_via_backend: EventOfGame;
  readonly neuroos_connected: EventOfPeer & { readonly privileges: "enhanced" | "standard"; readonly token: string };
  readonly neuroos_disconnected: EventOfPeer;
  readonly integration_message: { readonly from: string; readonly payload: Json };
  readonly integration_registered_actions: { readonly from: string; readonly actions: readonly string[] };
  readonly binary_received: {
    readonly from: string;
    readonly size: number;
    readonly file: string;
    readonly sha256: string;
    readonly content_type: string;
  };
  readonly backend_message: { readonly payload: string };
  readonly add_context: {
    readonly context_id: string;
    readonly game_title: string;
    readonly integration_id?: string | undefined;
    readonly message: string;
    readonly reply_if_not_busy: boolean;
  };
  readonly context_dropped: { readonly context_id: string; readonly from: string; readonly integration_id: string };
  readonly choose_action: { readonly payload: JsonObject };
  readonly force_opened: {
    readonly force_id: string;
    readonly integration: string;
    readonly integration_id: string;
    readonly query: string;
    readonly actions: readonly string[];
    readonly priority: Observed<"force_opened">["priority"];
    readonly waited_ms: Millis;
  };
  readonly force_ended: {
    readonly force_id: string;
    readonly integration: string;
    readonly integration_id: string;
    readonly end: Observed<"force_ended">["end"];
    readonly ms: Millis;
  };
  readonly action_sent: EventOfAction;
  readonly approval_wanted: EventOfAction;
  readonly action_result: {
    readonly action_id: string;
    readonly name: string;
    readonly from: string;
    readonly from_id?: string | undefined;
    readonly success: boolean;
    readonly message?: string | undefined;
    readonly ms: Millis;
    readonly origin: Observed<"action_result">["origin"];
  };
  readonly trace_ended: { readonly trace: TraceView };
  readonly action_expired: { readonly action_id: string; readonly name: string; readonly to: readonly string[] };
  readonly upstream_connected: { readonly upstream: string; readonly url: string };
  readonly upstream_lost: { readonly upstream: string; readonly reason: string; readonly retry_ms?: Millis | undefined };
  readonly message_queued: {
    readonly to: string;
    readonly message_id: string;
    readonly kind: string;
    readonly depth: number;
  };
  readonly message_delivered: { readonly to: string; readonly message_id: string; readonly confirmed: boolean };
  readonly message_dead: { readonly to: string; readonly message_id: string; readonly why: string };
  readonly diagnostic: {
    readonly from: string;
    readonly integration_id?: string | undefined;
    readonly what: DiagnosticId;
    readonly severity: Severity;
    readonly hint: string;
    readonly count: number;
    readonly message: string;
  };
  readonly input_repaired: { readonly from: string; readonly what: string; readonly hint: string };
  readonly input_refused: {
    readonly from: string;
    readonly fault: Observed<"input_refused">["fault"];
    readonly reason: string;
  };
  readonly peer_closed_by_relay: {
    readonly from: string;
    readonly fault: Observed<"peer_closed_by_relay">["fault"];
    readonly reason?: string | undefined;
  };
  readonly writes_suspended: EventOfService;
  readonly writes_resumed: EventOfService;
  readonly operator_acted: {
    readonly by: string;
    readonly did: string;
    readonly to: string;
    readonly outcome: Observed<"operator_acted">["outcome"];
  };
  readonly nallely_connected: { readonly name: string; readonly url: string };
  readonly nallely_lost: { readonly name: string; readonly reason: string; readonly retry_ms?: Millis | undefined };
  readonly nallely_drifted: {
    readonly name: string;
    readonly listed: boolean;
    readonly missing: readonly string[];
    readonly extra: readonly string[];
    readonly changed: readonly string[];
  };
  readonly nallely_input: {
    readonly parameter: string;
    readonly value: number;
    readonly did: Observed<"nallely_input">["did"];
  };
  readonly nallely_output: { readonly parameter: string; readonly value: number; readonly action: string };
};

/** The name of an event. */
export type WatcherEventName = keyof WatcherEvents;
