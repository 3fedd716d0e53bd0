// deno-fmt-ignore-file
/**
 * A typed client of the relay's HTTP API: one method for each operation. Generated from the OpenAPI document by `bun run docs`; do not edit.
 *
 * A method takes the parameters of the path in order, then the body, then the other parameters. It rejects with an `ApiError`.
 */
import type { Json } from "../core/json.ts";
import { ApiClient, type ApiClientOptions, pathSegment, queryText } from "./api-client.ts";

export { ApiClient, type ApiClientOptions, ApiError, type ApiMethod } from "./api-client.ts";

/** The types of everything that the API accepts and returns. */
export interface ApiSchemas {
  /** The global controls. */
  readonly Controls: { readonly "stopped": boolean; readonly "approval": boolean; readonly "behaviour": "polite" | "lively" | "clumsy" | "hostile" | null };
  /** The fields to change; the others stay as they are. */
  readonly ControlsChange: { readonly "stopped"?: boolean; readonly "approval"?: boolean; readonly "behaviour"?: "polite" | "lively" | "clumsy" | "hostile" | null };
  /** The fields to change; the others stay as they are. */
  readonly IntegrationControlsChange: { readonly "paused"?: boolean; readonly "muted"?: boolean; readonly "solo"?: boolean; readonly "approval"?: boolean; readonly "always_allowed"?: readonly (string)[]; readonly "behaviour"?: "polite" | "lively" | "clumsy" | "hostile" | null };
  /** Counters since the relay has known the integration. `result_ms` is the sum of the times to all results. */
  readonly IntegrationCounts: { readonly "actions": number; readonly "failures": number; readonly "contexts": number; readonly "forces": number; readonly "result_ms": number };
  /** A game or an integration of the Intermediary, connected or expected back. */
  readonly Integration: { readonly "id": string; readonly "name": string; readonly "listener": "neuro" | "intermediary"; readonly "upstream": string; readonly "connected": boolean; readonly "since": number; readonly "visible": boolean; readonly "admission": "known" | "pending" | "approved" | "rejected"; readonly "off_air": boolean; readonly "actions": number; readonly "pending": number; readonly "counts": ApiSchemas["IntegrationCounts"]; readonly "paused": boolean; readonly "muted": boolean; readonly "solo": boolean; readonly "approval": boolean; readonly "behaviour": "polite" | "lively" | "clumsy" | "hostile" | null };
  /** A registered action. */
  readonly Action: { readonly "name": string; readonly "upstream_name": string; readonly "description": string; readonly "schema": Json; readonly "shared": boolean; readonly "hidden": boolean };
  /** What was observed about the messages or the behaviour of an integration. */
  readonly Diagnostic: { readonly "integration": string | null; readonly "name": string; readonly "what": "binary_frame" | "byte_order_mark" | "unknown_key" | "unexpected_data" | "data_missing" | "text_expected" | "boolean_expected" | "null_value" | "silent_missing" | "query_missing" | "numeric_id" | "success_not_boolean" | "list_expected" | "name_ignored" | "priority_unknown" | "description_missing" | "description_shortened" | "schema_empty" | "schema_not_object" | "schema_type_missing" | "schema_type_unsupported" | "schema_text" | "schema_value" | "schema_keywords" | "schema_pattern" | "action_ignored" | "registered_twice" | "command_spelling" | "game_in_data" | "name_in_object" | "names_key" | "name_twice" | "action_text" | "result_id_missing" | "keys_repeated" | "keys_reordered" | "startup_missing" | "startup_late" | "startup_repeated" | "game_missing" | "game_renamed" | "game_name_illegal" | "game_not_identified" | "connected_twice" | "connection_slow" | "integration_unapproved" | "action_name_illegal" | "registered_again" | "actions_changed_often" | "unregister_empty" | "unregister_unknown" | "unregister_repeated" | "force_without_names" | "force_names_unknown" | "force_names_withheld" | "force_repeated" | "context_empty" | "context_too_long" | "contexts_too_many" | "contexts_dropped" | "context_shortened" | "context_replaced" | "result_unknown" | "result_foreign" | "result_repeated" | "result_late" | "result_slow" | "result_missing" | "results_missing" | "failure_without_message" | "data_invalid" | "data_not_checked" | "unknown_action_accepted" | "unknown_action_ignored" | "broken_by_action" | "schema_beyond_sampler" | "text_shortened" | "frame_unreadable" | "message_invalid" | "message_too_large" | "message_not_understood" | "message_withheld" | "command_unknown" | "limit_reached" | "action_denied" | "choice_refused" | "connection_standby" | "greeting_repeated"; readonly "severity": "error" | "warning" | "info"; readonly "title": string; readonly "rule": string; readonly "fix": string; readonly "link": string; readonly "detail": string; readonly "message": string; readonly "trace": string | null; readonly "count": number; readonly "first_at": number; readonly "last_at": number };
  /** An integration with its registered actions and its diagnostics. */
  readonly IntegrationDetail: { readonly "id": string; readonly "name": string; readonly "listener": "neuro" | "intermediary"; readonly "upstream": string; readonly "connected": boolean; readonly "since": number; readonly "visible": boolean; readonly "admission": "known" | "pending" | "approved" | "rejected"; readonly "off_air": boolean; readonly "actions": number; readonly "pending": number; readonly "counts": ApiSchemas["IntegrationCounts"]; readonly "paused": boolean; readonly "muted": boolean; readonly "solo": boolean; readonly "approval": boolean; readonly "behaviour": "polite" | "lively" | "clumsy" | "hostile" | null; readonly "address": string | null; readonly "user_agent": string | null; readonly "registered_actions": readonly (ApiSchemas["Action"])[]; readonly "always_allowed": readonly (string)[]; readonly "diagnostics": readonly (ApiSchemas["Diagnostic"])[] };
  /** A force: an integration asks Neuro to choose one of its actions. */
  readonly Force: { readonly "id": string; readonly "integration": string; readonly "name": string; readonly "is": "waiting" | "open" | "settling" | "closing"; readonly "query": string; readonly "state": string | null; readonly "priority": "low" | "medium" | "high" | "critical"; readonly "actions": readonly (string)[]; readonly "asked_at": number; readonly "opened_at": number | null; readonly "waits_for": "turn" | "names" | "result" | "held" | "other_character" | "integration_away" | "neuro_away" | null; readonly "deadline": number | null; readonly "attempt": number; readonly "last_failure": string | null };
  /** An action without a result. `approval`: it waits for an operator's approval; `held`: its integration is disconnected. */
  readonly PendingAction: { readonly "id": string; readonly "action": string; readonly "to": readonly (string)[]; readonly "names": readonly (string)[]; readonly "forced": boolean; readonly "by": "neuro" | "operator"; readonly "data": string | null; readonly "is": "sent" | "held" | "approval"; readonly "since": number; readonly "deadline": number };
  /** A connection to a Neuro API backend, or the relay in standalone mode. */
  readonly Upstream: { readonly "id": string; readonly "url": string | null; readonly "state": "open" | "dialing" | "waiting" | "standalone"; readonly "since": number; readonly "attempt": number; readonly "character": string | null; readonly "force": ApiSchemas["Force"] | null; readonly "waiting": readonly (ApiSchemas["Force"])[]; readonly "pending": readonly (ApiSchemas["PendingAction"])[]; readonly "contexts_held": number };
  /** The state of the Neuro service. */
  readonly NeuroStatus: { readonly "controls": ApiSchemas["Controls"]; readonly "upstreams": readonly (ApiSchemas["Upstream"])[]; readonly "integrations": number; readonly "sockets": number; readonly "draining": boolean };
  /** The state of the whole relay. */
  readonly Overview: { readonly "version": string; readonly "now": number; readonly "uptime_ms": number; readonly "draining": boolean; readonly "scopes": readonly (string)[]; readonly "not_ready": readonly (string)[]; readonly "services": { readonly "neuro"?: ApiSchemas["NeuroStatus"]; readonly [name: string]: ApiSchemas["NeuroStatus"] | { readonly [name: string]: Json } | undefined } };
  /** The result of an action. */
  readonly ActionOutcome: { readonly "id": string; readonly "success": boolean; readonly "message": string | null; readonly "ms": number };
  /** `sent`: the message was sent; `queued`: it is stored until its recipient connects. `count`: the number of recipients. */
  readonly SendOutcome: { readonly "status": "sent" | "queued"; readonly "count"?: number };
  /** How integrations are asked to shut down. */
  readonly ShutdownRequest: { readonly "how": "graceful" | "immediate" | "cancel" };
  /** How integrations are asked to register their actions again. */
  readonly ReregistrationRequest: { readonly "clear"?: boolean };
  /** The number of integrations that were asked. */
  readonly AskOutcome: { readonly "status": "asked"; readonly "count": number };
  /** The command was executed. */
  readonly Done: { readonly "status": string };
  /** The outcome of one command for several items. */
  readonly BulkOutcome: { readonly "done": number; readonly "failed": readonly ({ readonly "id": string; readonly "fault": "done" | "leaving" | "badFrame" | "rateLimit" | "tooBig" | "panic" | "restarting" | "tooManyPeers" | "backendAway" | "slowGame" | "badGreeting" | "badToken" | "notAllowed" | "noGreeting" | "nameTaken" | "slowPeer" | "badMessage" | "notFound" | "notNow" | "outdated" | "queueFull" | "storageFailed" | "jobLost"; readonly "detail"?: string })[]; readonly "more": boolean };
  /** A change of the controls of several integrations. */
  readonly BulkControlsChange: { readonly "ids": readonly (string)[]; readonly "change": ApiSchemas["IntegrationControlsChange"] };
  /** An action, with data that matches its schema. */
  readonly ActionRequest: { readonly "name": string; readonly "data"?: Json };
  /** Approves or fails a pending action. */
  readonly Decision: { readonly "approve": boolean; readonly "message"?: string; readonly "data"?: Json };
  /** Approves an integration, or rejects it. */
  readonly AdmissionDecision: { readonly "approve": boolean };
  /** A message that is sent verbatim. */
  readonly RawMessage: { readonly "message": { readonly [name: string]: Json } };
  /** A context for Neuro. */
  readonly Context: { readonly "message": string; readonly "silent"?: boolean };
  /** A command for an integration. */
  readonly Command: { readonly "to": string; readonly "cmd": Json };
  /** The queue of one recipient. */
  readonly QueueDepth: { readonly "to": string; readonly "entries": number; readonly "bytes": number; readonly "oldest_at": number | null };
  /** A queued message. `expires_at` is when it becomes a dead letter. */
  readonly QueueEntry: { readonly "id": string; readonly "created_at": number; readonly "expires_at": number; readonly "kind": string; readonly "bytes": number; readonly "attempts": number };
  /** A queued message or a dead letter, with its body. */
  readonly Message: { readonly "id": string; readonly "to": string; readonly "kind": string; readonly "created_at": number; readonly "expires_at": number; readonly "reason": string | null; readonly "dead_at": number | null; readonly "body": Json };
  /** A message that could not be delivered. */
  readonly DeadLetter: { readonly "id": string; readonly "to": string; readonly "kind": string; readonly "bytes": number; readonly "reason": string; readonly "dead_at": number };
  /** One operator action. `outcome` is `done`, or the fault that prevented it. */
  readonly AuditEntry: { readonly "id": string; readonly "at": number; readonly "by": string; readonly "action": string; readonly "target": string; readonly "outcome": string };
  /** An integration, a watcher or a game; connected, or known and offline. */
  readonly Peer: { readonly "name": string; readonly "type": "integration" | "neuro-os" | "game"; readonly "connected": boolean; readonly "since"?: number; readonly "messages"?: number; readonly "actions"?: number; readonly "acks"?: boolean; readonly "queued"?: number };
  /** A file that an integration uploaded; `GET /uploads/{file}` returns its bytes. */
  readonly Upload: { readonly "id": string; readonly "file": string; readonly "from": string; readonly "size": number; readonly "content_type": string; readonly "at": number; readonly "sha256": string };
  /** One page of a list. */
  readonly ForcePage: { readonly "items": readonly (ApiSchemas["Force"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly PendingActionPage: { readonly "items": readonly (ApiSchemas["PendingAction"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly DiagnosticPage: { readonly "items": readonly (ApiSchemas["Diagnostic"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly IntegrationPage: { readonly "items": readonly (ApiSchemas["Integration"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly QueuePage: { readonly "items": readonly (ApiSchemas["QueueDepth"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly QueueEntryPage: { readonly "items": readonly (ApiSchemas["QueueEntry"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly DeadLetterPage: { readonly "items": readonly (ApiSchemas["DeadLetter"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly AuditPage: { readonly "items": readonly (ApiSchemas["AuditEntry"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly PeerPage: { readonly "items": readonly (ApiSchemas["Peer"])[]; readonly "next": string | null };
  /** A program, `neuro-relay link`, that connects Neuro to this relay. */
  readonly Link: { readonly "name": string; readonly "address": string; readonly "state": "ready" | "open"; readonly "since": number };
  /** A client that watches. */
  readonly Watcher: { readonly "name": string; readonly "via": "socket" | "stream"; readonly "token": string; readonly "address": string; readonly "user_agent": string; readonly "scopes": readonly (string)[]; readonly "since": number; readonly "events": readonly (string)[] | null; readonly "rate": number | null };
  /** One page of a list. */
  readonly WatcherPage: { readonly "items": readonly (ApiSchemas["Watcher"])[]; readonly "next": string | null };
  /** An event as watchers get it. `/api/asyncapi.json` describes the fields of each. */
  readonly Event: { readonly "event": string; readonly "id": string; readonly "at": number; readonly [name: string]: string | number | Json | undefined };
  /** Events, the oldest first. */
  readonly EventPage: { readonly "items": readonly (ApiSchemas["Event"])[]; readonly "cursor": string; readonly "missed": number | null };
  /** A relay of the process, or of the cluster. */
  readonly Relay: { readonly "name": string; readonly "state": "running" | "stopped"; readonly "node": string | null; readonly "starts_at": number | null };
  /** One page of a list. */
  readonly RelayPage: { readonly "items": readonly (ApiSchemas["Relay"])[]; readonly "next": string | null };
  /** A node of the cluster, as the node that answers sees it. */
  readonly Node: { readonly "name": string; readonly "address": string; readonly "lease": "joining" | "holding" | "suspended" | "stopping" | "silent"; readonly "reachable": boolean; readonly "answers": boolean; readonly "relays": number; readonly "last_beat": number | null };
  /** One page of a list. */
  readonly NodePage: { readonly "items": readonly (ApiSchemas["Node"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly LinkPage: { readonly "items": readonly (ApiSchemas["Link"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly UploadPage: { readonly "items": readonly (ApiSchemas["Upload"])[]; readonly "next": string | null };
  /** A value for a parameter of the neuron. */
  readonly NallelyValue: { readonly "parameter": string; readonly "value": number };
  /** The relay as a neuron of a Nallely session. Every field but `enabled` is null while there is no neuron. */
  readonly Nallely: { readonly "enabled": boolean; readonly "name": string | null; readonly "url": string | null; readonly "state": string | null; readonly "outputs": { readonly [name: string]: number } | null; readonly "inputs": { readonly [name: string]: number } | null; readonly "settable": readonly ({ readonly "name": string; readonly "side": "in" | "out"; readonly "min": number; readonly "max": number })[] | null; readonly "counts": { readonly [name: string]: number } | null; readonly "trevor": string | null; readonly "drift": { readonly "listed": boolean; readonly "missing": readonly (string)[]; readonly "extra": readonly (string)[]; readonly "changed": readonly (string)[] } | null };
  /** A session of the Brain. `stored`: it is not in memory, so its last fields are null. */
  readonly BrainSession: { readonly "name": string; readonly "seq": number; readonly "used_at": number; readonly "followers": number; readonly "is": "loaded" | "stored" | "damaged"; readonly "owner": Json; readonly "sealed": boolean | null; readonly "mode": string | null; readonly "keys": number | null };
  /** An event of a session's log. */
  readonly BrainEvent: { readonly "seq": number; readonly "type": string; readonly "timestamp": string; readonly "payload": Json };
  /** A session of the Brain with its state and its last events. */
  readonly BrainSessionDetail: { readonly "name": string; readonly "seq": number; readonly "used_at": number; readonly "followers": number; readonly "is": "loaded" | "stored" | "damaged"; readonly "owner": Json; readonly "sealed": boolean | null; readonly "mode": string | null; readonly "keys": number | null; readonly "state": Json; readonly "state_length": number | null; readonly "events": readonly (ApiSchemas["BrainEvent"])[]; readonly "damage": string | null };
  /** One page of a list. */
  readonly BrainSessionPage: { readonly "items": readonly (ApiSchemas["BrainSession"])[]; readonly "next": string | null };
  /** A prediction of the Brain. */
  readonly Prediction: { readonly "trace_id": Json; readonly "run_id": string | null; readonly "routing": { readonly [name: string]: boolean }; readonly "token_lengths": { readonly [name: string]: number }; readonly "prediction": { readonly "value": number | null }; readonly "ts": string };
  /** Problem details (RFC 9457). */
  readonly Problem: { readonly "type": string; readonly "status": number; readonly "title": string; readonly "detail"?: string; readonly "fault": "done" | "leaving" | "badFrame" | "rateLimit" | "tooBig" | "panic" | "restarting" | "tooManyPeers" | "backendAway" | "slowGame" | "badGreeting" | "badToken" | "notAllowed" | "noGreeting" | "nameTaken" | "slowPeer" | "badMessage" | "notFound" | "notNow" | "outdated" | "queueFull" | "storageFailed" | "jobLost" | "malformedRequest" | "notJson" | "unsupportedMediaType" | "methodNotAllowed" | "unknownPath" | "upgradeRequired" | "foreignHost" | "foreignOrigin" | "idempotencyMismatch" | "relayAway" | "misconfigured"; readonly "errors"?: readonly ({ readonly "field": string; readonly "message": string })[] };
  /** An action with its data that operators have saved under a label. */
  readonly Macro: { readonly "id": string; readonly "label": string; readonly "integration": string; readonly "action": string; readonly "data": string | null; readonly "by": string; readonly "saved_at": number };
  /** One page of a list. */
  readonly MacroPage: { readonly "items": readonly (ApiSchemas["Macro"])[]; readonly "next": string | null };
  /** An action to save under a label. */
  readonly MacroRequest: { readonly "label": string; readonly "integration": string; readonly "action": string; readonly "data"?: Json };
  /** One step of a trace. */
  readonly TraceStep: { readonly "at": number; readonly "is": "received" | "repaired" | "waiting" | "approved" | "rejected" | "sent" | "answered" | "presumed" | "doubtful" | "undelivered" | "overdue" | "retrying" | "settling" | "revoked" | "closing" | "draining" | "suspended" | "stored" | "ended"; readonly "who": string | null; readonly "what": string | null };
  /** The path of one force, action, context, command or ignored result. */
  readonly Trace: { readonly "id": string; readonly "kind": "action" | "force" | "context" | "command" | "result"; readonly "state": "open" | "ended"; readonly "outcome": "succeeded" | "failed" | "sent" | "muted" | "refused" | "duplicate" | "dropped" | "acknowledged" | "delivered" | "dead" | "completed" | "replaced" | "names_gone" | "game_gone" | "expired" | "given_up" | "cancelled" | "held" | "preempted" | "ignored" | null; readonly "integrations": readonly (string)[]; readonly "names": readonly (string)[]; readonly "upstream": string | null; readonly "actions": readonly (string)[]; readonly "priority": "low" | "medium" | "high" | "critical" | null; readonly "related": string | null; readonly "neuro_id": string | null; readonly "texts": { readonly "context"?: string; readonly "query"?: string; readonly "state"?: string; readonly "data"?: string; readonly "result"?: string; readonly "command"?: string }; readonly "received_at": number; readonly "ended_at": number | null; readonly "ms": number; readonly "steps": readonly (ApiSchemas["TraceStep"])[] };
  /** One message that Neuro was sent, or an action of hers. */
  readonly TranscriptItem: { readonly "id": string; readonly "at": number; readonly "upstream": string; readonly "is": "startup" | "context" | "force" | "action" | "result" | "registered" | "unregistered" | "other"; readonly "from": string; readonly "trace": string | null; readonly "actions": readonly (string)[]; readonly "text": string; readonly "state": string | null; readonly "success": boolean | null };
  /** One page of a list. */
  readonly TracePage: { readonly "items": readonly (ApiSchemas["Trace"])[]; readonly "next": string | null };
  /** One page of a list. */
  readonly TranscriptPage: { readonly "items": readonly (ApiSchemas["TranscriptItem"])[]; readonly "next": string | null };
  /** A token of the settings, or one that an operator has issued, without the token itself. */
  readonly Token: { readonly "id": string; readonly "name": string; readonly "use": "web" | "intermediary" | "neuro" | "brain"; readonly "scopes": readonly (string)[]; readonly "names": readonly (string)[]; readonly "state": "valid" | "expired" | "revoked"; readonly "hashed": boolean; readonly "issued_at": number | null; readonly "expires_at": number | null; readonly "last_used_at": number | null; readonly "last_address": string | null };
  /** One page of a list. */
  readonly TokenPage: { readonly "items": readonly (ApiSchemas["Token"])[]; readonly "next": string | null };
  /** A token to issue. */
  readonly TokenRequest: { readonly "use": "intermediary" | "neuro" | "brain"; readonly "name": string; readonly "scopes"?: readonly ("integration" | "watch" | "command" | "direct" | "stop" | "admin" | "link")[]; readonly "names"?: readonly (string)[]; readonly "expires_at"?: number };
  /** How a token is rotated. */
  readonly RotationRequest: { readonly "overlap_ms"?: number };
  /** A new token. */
  readonly IssuedToken: { readonly "id": string; readonly "token": string };
}

/** The API of one relay. */
export class RelayApi {
  readonly #client: ApiClient;

  constructor(options: ApiClientOptions) {
    this.#client = new ApiClient(options);
  }

  /** Returns the state of the whole relay. The `ETag` does not depend on `now` and `uptime_ms`, so it changes only if anything else does. Needs the scope `watch`. */
  getOverview(): Promise<ApiSchemas["Overview"]> {
    return this.#client.request("GET", `overview`);
  }

  /** Lists integrations, watchers and games, connected ones and known ones that are offline. Needs the scope `watch`. */
  listPeers(): Promise<ApiSchemas["PeerPage"]> {
    return this.#client.request("GET", `peers`);
  }

  /** Lists the programs that connect Neuro to this relay: `neuro-relay link`. Needs the scope `watch`. */
  listLinks(): Promise<ApiSchemas["LinkPage"]> {
    return this.#client.request("GET", `links`);
  }

  /** Lists the relays of this process, or of the cluster: those that run, and stopped ones whose names are known. Needs the scope `watch`. */
  listRelays(query: { readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["RelayPage"]> {
    return this.#client.request("GET", `relays${queryText(query)}`);
  }

  /** Lists the nodes of the cluster, as the one that owns this relay sees them. Without a cluster there are none. Needs the scope `watch`. */
  listNodes(query: { readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["NodePage"]> {
    return this.#client.request("GET", `nodes${queryText(query)}`);
  }

  /** Lists uploaded files. Needs the scope `watch`. */
  listUploads(): Promise<ApiSchemas["UploadPage"]> {
    return this.#client.request("GET", `uploads`);
  }

  /** Lists operator actions, newest first. Needs the scope `watch`. */
  listAuditEntries(query: { readonly by?: string; readonly action?: string; readonly target?: string; readonly outcome?: string; readonly since?: number; readonly until?: number; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["AuditPage"]> {
    return this.#client.request("GET", `audit${queryText(query)}`);
  }

  /** Lists the latest events, or those after a cursor; with `Accept: text/event-stream` as a stream. Events are kept for 5 minutes, and only while somebody watches: a watcher, a stream, or a request of the last 5 minutes. `missed` counts those that were not kept. The stream has the ids of the events and begins after `Last-Event-ID`; it sends an event `gap` for missed events, and a comment every 10 s. Needs the scope `watch`. */
  listEvents(query: { readonly after?: string; readonly limit?: number; readonly event?: string; readonly integration?: string; readonly wait?: number } = {}): Promise<ApiSchemas["EventPage"]> {
    return this.#client.request("GET", `events${queryText(query)}`);
  }

  /** Lists who watches: watchers with a socket, such as dashboards, and streams of events. Needs the scope `watch`. */
  listWatchers(): Promise<ApiSchemas["WatcherPage"]> {
    return this.#client.request("GET", `watchers`);
  }

  /** Lists games and integrations of the Intermediary in the order of their ids. Needs the scope `watch`. */
  listIntegrations(query: { readonly listener?: "neuro" | "intermediary"; readonly upstream?: string; readonly connected?: "true" | "false"; readonly visible?: "true" | "false"; readonly paused?: "true" | "false"; readonly muted?: "true" | "false"; readonly solo?: "true" | "false"; readonly approval?: "true" | "false"; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["IntegrationPage"]> {
    return this.#client.request("GET", `integrations${queryText(query)}`);
  }

  /** Changes the controls of several integrations. The change stays in force until it is lifted, also over restarts. Needs the scope `admin`. */
  updateControlsOfIntegrations(body: ApiSchemas["BulkControlsChange"]): Promise<ApiSchemas["BulkOutcome"]> {
    return this.#client.request("PATCH", `integrations`, body);
  }

  /** Returns one integration with its registered actions. Needs the scope `watch`. */
  getIntegration(id: string): Promise<ApiSchemas["IntegrationDetail"]> {
    return this.#client.request("GET", `integrations/${pathSegment(id)}`);
  }

  /** Pauses, mutes or solos an integration, requires approval of its actions, or selects how the relay plays Neuro for it; or lifts that. The change stays in force until it is lifted, also over restarts. With the `ETag` of the reply to GET as `If-Match` it is refused (412) if another operator has changed them since; counters do not matter. Needs the scope `admin`. */
  updateIntegrationControls(id: string, body: ApiSchemas["IntegrationControlsChange"] = {}): Promise<ApiSchemas["Integration"]> {
    return this.#client.request("PATCH", `integrations/${pathSegment(id)}`, body);
  }

  /** Lists what authors of integrations should correct or know, in the order of integrations. Needs the scope `watch`. */
  listDiagnostics(query: { readonly integration?: string; readonly severity?: "error" | "warning" | "info"; readonly what?: "binary_frame" | "byte_order_mark" | "unknown_key" | "unexpected_data" | "data_missing" | "text_expected" | "boolean_expected" | "null_value" | "silent_missing" | "query_missing" | "numeric_id" | "success_not_boolean" | "list_expected" | "name_ignored" | "priority_unknown" | "description_missing" | "description_shortened" | "schema_empty" | "schema_not_object" | "schema_type_missing" | "schema_type_unsupported" | "schema_text" | "schema_value" | "schema_keywords" | "schema_pattern" | "action_ignored" | "registered_twice" | "command_spelling" | "game_in_data" | "name_in_object" | "names_key" | "name_twice" | "action_text" | "result_id_missing" | "keys_repeated" | "keys_reordered" | "startup_missing" | "startup_late" | "startup_repeated" | "game_missing" | "game_renamed" | "game_name_illegal" | "game_not_identified" | "connected_twice" | "connection_slow" | "integration_unapproved" | "action_name_illegal" | "registered_again" | "actions_changed_often" | "unregister_empty" | "unregister_unknown" | "unregister_repeated" | "force_without_names" | "force_names_unknown" | "force_names_withheld" | "force_repeated" | "context_empty" | "context_too_long" | "contexts_too_many" | "contexts_dropped" | "context_shortened" | "context_replaced" | "result_unknown" | "result_foreign" | "result_repeated" | "result_late" | "result_slow" | "result_missing" | "results_missing" | "failure_without_message" | "data_invalid" | "data_not_checked" | "unknown_action_accepted" | "unknown_action_ignored" | "broken_by_action" | "schema_beyond_sampler" | "text_shortened" | "frame_unreadable" | "message_invalid" | "message_too_large" | "message_not_understood" | "message_withheld" | "command_unknown" | "limit_reached" | "action_denied" | "choice_refused" | "connection_standby" | "greeting_repeated"; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["DiagnosticPage"]> {
    return this.#client.request("GET", `diagnostics${queryText(query)}`);
  }

  /** Approves an integration, or rejects it. The decision has an effect if the policy of the integration has `admission: approval`. Neuro sees nothing of an integration that is `pending` or `rejected`: its forces wait, and its contexts wait (`pending`) or are dropped (`rejected`). The decision stays in force until there is another one, also over restarts. Needs the scope `admin`. */
  decideIntegration(id: string, body: ApiSchemas["AdmissionDecision"]): Promise<ApiSchemas["Integration"]> {
    return this.#client.request("POST", `integrations/${pathSegment(id)}/decision`, body);
  }

  /** Closes the connection of an integration, which can reconnect. Needs the scope `admin`. */
  disconnectIntegration(id: string): Promise<ApiSchemas["Done"]> {
    return this.#client.request("DELETE", `integrations/${pathSegment(id)}/connection`);
  }

  /** Asks one integration to shut down, or takes that back. The policy `shutdown` is not asked: a client that does not know the command may end at once. One that does not answer with `shutdown/ready` is disconnected after `actions.shutdown_timeout` (5 s). Needs the scope `admin`. */
  shutDownIntegration(id: string, body: ApiSchemas["ShutdownRequest"]): Promise<ApiSchemas["AskOutcome"]> {
    return this.#client.request("POST", `integrations/${pathSegment(id)}/shutdown`, body);
  }

  /** Asks all connected integrations to shut down, or takes that back. The relay continues. The policy `shutdown` is not asked: a client that does not know the command may end at once. One that does not answer with `shutdown/ready` is disconnected after `actions.shutdown_timeout` (5 s). Needs the scope `admin`. */
  shutDownIntegrations(body: ApiSchemas["ShutdownRequest"]): Promise<ApiSchemas["AskOutcome"]> {
    return this.#client.request("POST", `shutdown`, body);
  }

  /** Asks one integration to register all its actions again. A client that ignores the request keeps its actions, or with `clear` has none until it registers some by itself. Needs the scope `admin`. */
  reregisterIntegration(id: string, body: ApiSchemas["ReregistrationRequest"] = {}): Promise<ApiSchemas["AskOutcome"]> {
    return this.#client.request("POST", `integrations/${pathSegment(id)}/reregistration`, body);
  }

  /** Asks all connected integrations to register their actions again. A client that ignores the request keeps its actions, or with `clear` has none until it registers some by itself. Needs the scope `admin`. */
  reregisterIntegrations(body: ApiSchemas["ReregistrationRequest"] = {}): Promise<ApiSchemas["AskOutcome"]> {
    return this.#client.request("POST", `reregistration`, body);
  }

  /** Sends Neuro's session, which is her answer to `startup`, to one integration again. Needs the scope `admin`. */
  resendSession(id: string): Promise<ApiSchemas["AskOutcome"]> {
    return this.#client.request("POST", `integrations/${pathSegment(id)}/session`);
  }

  /** Sends Neuro's session, which is her answer to `startup`, to all connected integrations again. Needs the scope `admin`. */
  resendSessions(): Promise<ApiSchemas["AskOutcome"]> {
    return this.#client.request("POST", `session`);
  }

  /** Sends an action to one integration, as Neuro would, and returns its result. The response takes as long as the integration needs, at most until the deadline for actions. Needs the scope `command`. */
  sendAction(id: string, body: ApiSchemas["ActionRequest"]): Promise<ApiSchemas["ActionOutcome"]> {
    return this.#client.request("POST", `integrations/${pathSegment(id)}/actions`, body);
  }

  /** Sends a raw message to an integration, verbatim, as Neuro. Needs the scope `admin`. */
  injectIntegrationMessage(id: string, body: ApiSchemas["RawMessage"]): Promise<ApiSchemas["Done"]> {
    return this.#client.request("POST", `integrations/${pathSegment(id)}/messages`, body);
  }

  /** Returns the global controls. Needs the scope `watch`. */
  getControls(): Promise<ApiSchemas["Controls"]> {
    return this.#client.request("GET", `controls`);
  }

  /** Operates the kill switch, requires approval of every action, or selects how the relay plays Neuro; or lifts that. The change stays in force until it is lifted, also over restarts. With the `ETag` of the reply to GET as `If-Match` it is refused (412) if another operator has changed them since; counters do not matter. With the scope `stop` everything can be stopped, and nothing else. Needs the scope `stop` or `admin`. */
  updateControls(body: ApiSchemas["ControlsChange"] = {}): Promise<ApiSchemas["Controls"]> {
    return this.#client.request("PATCH", `controls`, body);
  }

  /** Lists the current forces and those that wait, in the order of their creation. Needs the scope `watch`. */
  listForces(query: { readonly integration?: string; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["ForcePage"]> {
    return this.#client.request("GET", `forces${queryText(query)}`);
  }

  /** Lists the actions without a result, in the order of their creation. Needs the scope `watch`. */
  listPendingActions(query: { readonly integration?: string; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["PendingActionPage"]> {
    return this.#client.request("GET", `pending${queryText(query)}`);
  }

  /** Answers a force in Neuro's place, and returns the action's result. Needs the scope `command`. */
  answerForce(id: string, body: ApiSchemas["ActionRequest"]): Promise<ApiSchemas["ActionOutcome"]> {
    return this.#client.request("POST", `forces/${pathSegment(id)}/answer`, body);
  }

  /** Cancels a force. Its integration is not notified, because the protocol has no message for it. Needs the scope `command`. */
  cancelForce(id: string): Promise<ApiSchemas["Done"]> {
    return this.#client.request("DELETE", `forces/${pathSegment(id)}`);
  }

  /** Approves a pending action, also with other data, or fails it. Needs the scope `command`. */
  decidePendingAction(id: string, body: ApiSchemas["Decision"]): Promise<ApiSchemas["Done"]> {
    return this.#client.request("POST", `pending/${pathSegment(id)}/decision`, body);
  }

  /** Sends a raw message to Neuro, verbatim, as the relay. Needs the scope `admin`. */
  injectUpstreamMessage(id: string, body: ApiSchemas["RawMessage"]): Promise<ApiSchemas["Done"]> {
    return this.#client.request("POST", `upstreams/${pathSegment(id)}/messages`, body);
  }

  /** Sends a context to Neuro. While she is not connected, it is queued. Needs the scope `direct` or `admin`. */
  sendContext(id: string, body: ApiSchemas["Context"]): Promise<ApiSchemas["SendOutcome"]> {
    return this.#client.request("POST", `upstreams/${pathSegment(id)}/contexts`, body);
  }

  /** Lists the saved actions, in the order in which they were saved first. Needs the scope `watch`. */
  listMacros(query: { readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["MacroPage"]> {
    return this.#client.request("GET", `macros${queryText(query)}`);
  }

  /** Saves an action with its data under a label, in place of the one with the same label. The integration must have registered the action, and the data must fit its schema. `limits.macros` (100) is the maximum. Needs the scope `admin`. */
  saveMacro(body: ApiSchemas["MacroRequest"]): Promise<ApiSchemas["Macro"]> {
    return this.#client.request("POST", `macros`, body);
  }

  /** Deletes a saved action. Needs the scope `admin`. */
  deleteMacro(id: string): Promise<ApiSchemas["Done"]> {
    return this.#client.request("DELETE", `macros/${pathSegment(id)}`);
  }

  /** Sends a saved action to its integration, as Neuro would, and returns its result. The response takes as long as the integration needs, at most until the deadline for actions. Needs the scope `command`. */
  runMacro(id: string): Promise<ApiSchemas["ActionOutcome"]> {
    return this.#client.request("POST", `macros/${pathSegment(id)}/run`);
  }

  /** Lists recipients with queued messages in the order of their names. Needs the scope `watch`. */
  listQueues(query: { readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["QueuePage"]> {
    return this.#client.request("GET", `queue${queryText(query)}`);
  }

  /** Lists the queued messages of one recipient in order. Needs the scope `watch`. */
  listQueueEntries(recipient: string, query: { readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["QueueEntryPage"]> {
    return this.#client.request("GET", `queue/${pathSegment(recipient)}${queryText(query)}`);
  }

  /** Returns a queued message, or a dead letter, with its body. Needs the scope `watch`. */
  getMessage(id: string): Promise<ApiSchemas["Message"]> {
    return this.#client.request("GET", `messages/${pathSegment(id)}`);
  }

  /** Deletes a queued message or a dead letter. Needs the scope `admin`. */
  deleteMessage(id: string): Promise<ApiSchemas["Done"]> {
    return this.#client.request("DELETE", `messages/${pathSegment(id)}`);
  }

  /** Sends a command to an integration of the Intermediary, as a watcher would. The response comes when the command was sent, or stored for a known integration that is offline. The sender is the name of the token. Needs the scope `command`. */
  sendCommand(body: ApiSchemas["Command"]): Promise<ApiSchemas["SendOutcome"]> {
    return this.#client.request("POST", `messages`, body);
  }

  /** Lists dead letters in the order of their creation. Needs the scope `watch`. */
  listDeadLetters(query: { readonly to?: string; readonly kind?: string; readonly reason?: string; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["DeadLetterPage"]> {
    return this.#client.request("GET", `dead-letters${queryText(query)}`);
  }

  /** Deletes all dead letters that match. Without a parameter: all of them. One request handles 1000; `more` says that others are left. Needs the scope `admin`. */
  deleteDeadLetters(query: { readonly to?: string; readonly kind?: string; readonly reason?: string } = {}): Promise<ApiSchemas["BulkOutcome"]> {
    return this.#client.request("DELETE", `dead-letters${queryText(query)}`);
  }

  /** Puts all dead letters that match back into their recipients' queues. Without a parameter: all of them. One request handles 1000; `more` says that others are left. Needs the scope `admin`. */
  retryDeadLetters(query: { readonly to?: string; readonly kind?: string; readonly reason?: string } = {}): Promise<ApiSchemas["BulkOutcome"]> {
    return this.#client.request("POST", `dead-letters/retry${queryText(query)}`);
  }

  /** Puts a dead letter back into its recipient's queue. Needs the scope `admin`. */
  retryDeadLetter(id: string): Promise<ApiSchemas["SendOutcome"]> {
    return this.#client.request("POST", `dead-letters/${pathSegment(id)}/retry`);
  }

  /** Deletes a dead letter. Needs the scope `admin`. */
  deleteDeadLetter(id: string): Promise<ApiSchemas["Done"]> {
    return this.#client.request("DELETE", `dead-letters/${pathSegment(id)}`);
  }

  /** Lists the paths of forces, actions, contexts, commands and ignored results, newest first. The last `traces.per_integration` of each integration are kept. With `Accept: application/jsonl` the items are returned one in each line, and the header `link` has the next page. Needs the scope `watch`. */
  listTraces(query: { readonly integration?: string; readonly kind?: "action" | "force" | "context" | "command" | "result"; readonly state?: "open" | "ended"; readonly action?: string; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["TracePage"]> {
    return this.#client.request("GET", `traces${queryText(query)}`);
  }

  /** Returns the path of one force, action, context, command or ignored result. Needs the scope `watch`. */
  getTrace(id: string): Promise<ApiSchemas["Trace"]> {
    return this.#client.request("GET", `traces/${pathSegment(id)}`);
  }

  /** Lists what Neuro was sent and what she did, newest first. The last `traces.transcript_bytes` of each upstream are kept. With `Accept: application/jsonl` the items are returned one in each line, and the header `link` has the next page. Needs the scope `watch`. */
  listTranscript(query: { readonly upstream?: string; readonly is?: "startup" | "context" | "force" | "action" | "result" | "registered" | "unregistered" | "other"; readonly search?: string; readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["TranscriptPage"]> {
    return this.#client.request("GET", `transcript${queryText(query)}`);
  }

  /** Lists the tokens of the settings, and those that operators have issued, with their last use, without the tokens themselves. Needs the scope `admin`. */
  listTokens(): Promise<ApiSchemas["TokenPage"]> {
    return this.#client.request("GET", `tokens`);
  }

  /** Issues a token. This reply is the only time that it is shown: the relay keeps its digest. It is valid from now on, also after a restart, until it expires or is revoked. It cannot have a scope that your own token lacks. With several relays in one process each issues its own. In a cluster, tokens are in the settings. Needs the scope `admin`. */
  issueToken(body: ApiSchemas["TokenRequest"]): Promise<ApiSchemas["IssuedToken"]> {
    return this.#client.request("POST", `tokens`, body);
  }

  /** Issues a token in place of another one, which stays valid for an overlap. The new token has the name, the scopes, the names and the expiry of the former one, and this reply is the only time that it is shown. The token of the web port is not rotated but replaced in the settings. Needs the scope `admin`. */
  rotateToken(id: string, body: ApiSchemas["RotationRequest"] = {}): Promise<ApiSchemas["IssuedToken"]> {
    return this.#client.request("POST", `tokens/${pathSegment(id)}/rotation`, body);
  }

  /** Revokes a token: closes its connections, and refuses it from now on, also after a restart. Another token under the same name is valid. With several relays in one process each has its own revocations. The token of the web port cannot be revoked. Needs the scope `admin`. */
  revokeToken(id: string): Promise<ApiSchemas["Done"]> {
    return this.#client.request("DELETE", `tokens/${pathSegment(id)}`);
  }

  /** Lists the sessions of the Brain by name, which is the beginning of the id. The whole id is not shown, because it grants access to the session. Needs the scope `watch`. */
  listBrainSessions(query: { readonly after?: string; readonly limit?: number } = {}): Promise<ApiSchemas["BrainSessionPage"]> {
    return this.#client.request("GET", `brain/sessions${queryText(query)}`);
  }

  /** Returns one session of the Brain with its state and its last events. A session that is not in memory has neither until a client uses it. The ids of sessions are replaced by their names. Needs the scope `admin`. */
  getBrainSession(name: string): Promise<ApiSchemas["BrainSessionDetail"]> {
    return this.#client.request("GET", `brain/sessions/${pathSegment(name)}`);
  }

  /** Returns the last stored prediction under a trace id. Needs the scope `watch`. */
  getPrediction(trace_id: string): Promise<ApiSchemas["Prediction"]> {
    return this.#client.request("GET", `brain/predictions/${pathSegment(trace_id)}`);
  }

  /** Returns the state of the relay as a neuron of a Nallely session. Needs the scope `watch`. */
  getNallely(): Promise<ApiSchemas["Nallely"]> {
    return this.#client.request("GET", `nallely`);
  }

  /** Sets a value: of an output as Neuro would with an action, of an input as if it had arrived. `settable` of `GET /api/nallely` lists the parameters with their ranges. A value outside the range is refused. Needs the scope `command`. */
  setNallelyValue(body: ApiSchemas["NallelyValue"]): Promise<ApiSchemas["Done"]> {
    return this.#client.request("POST", `nallely/values`, body);
  }
}
