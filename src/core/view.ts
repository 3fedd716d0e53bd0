/**
 * Views of the running relay: services reply with them, the API serves them and the dashboard shows them.
 *
 * Times are milliseconds since 1970, ages and durations milliseconds. Names are those of their owners: show them as text, and never
 * trust them.
 */
import type { DiagnosticId, Severity } from "./diagnostics/catalogue.ts";
import type { Priority } from "./neuro-messages.ts";
import type { FaultName } from "./fault.ts";
import { hashText } from "./hash.ts";
import type { Millis } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";
import type { BehaviourPreset, Scope } from "./settings.ts";

/** A page of a list. `next` is the `after` of the next page; null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** The part of a list that is requested: at most `limit` items that follow the one with the id `after`. */
export interface PageRequest {
  readonly after?: string;
  readonly limit?: number;
}

/** Items with these values in the fields that are given. */
export type Matching<Item, Field extends keyof Item> = { readonly [Name in Field]?: Item[Name] };

/** True if the fields that are given have these values. */
export const matches = <Item, Field extends keyof Item>(
  item: Item,
  wanted: Matching<Item, Field>,
  fields: readonly Field[],
): boolean => fields.every((field) => wanted[field] === undefined || wanted[field] === item[field]);

/** The fields by which lists can be filtered. */
export const DEAD_LETTER_FIELDS = ["to", "kind", "reason"] as const;
export const AUDIT_FIELDS = ["by", "action", "target", "outcome"] as const;
export const INTEGRATION_FIELDS = [
  "listener",
  "upstream",
  "connected",
  "visible",
  "paused",
  "muted",
  "solo",
  "approval",
] as const;

export type DeadLetterFilter = Matching<DeadLetterView, typeof DEAD_LETTER_FIELDS[number]>;
export type IntegrationFilter = Matching<IntegrationView, typeof INTEGRATION_FIELDS[number]>;

/** Acts with these values, at or after `since`, and before `until`. */
export interface AuditFilter extends Matching<AuditView, typeof AUDIT_FIELDS[number]> {
  readonly since?: Millis;
  readonly until?: Millis;
}

/** The order of a list. */
export interface ListOrder<Item> {
  id(item: Item): string;
  /** Greatest id first. */
  readonly descending?: true;
}

/** Items of a page by default, and at most. */
export const PAGE_LENGTH = 100;
export const PAGE_LENGTH_MAX = 1_000;

/** A page of an ordered list. The item with the id `after` may be gone. */
export function pageOf<Item>(
  list: Iterable<Item>,
  { after, limit = PAGE_LENGTH }: PageRequest,
  order: ListOrder<Item>,
): Page<Item> {
  const length = Math.max(1, Math.min(Math.floor(limit), PAGE_LENGTH_MAX));
  const items: Item[] = [];
  let last: string | null = null;
  for (const item of list) {
    const id = order.id(item);
    if (after !== undefined && (order.descending ? id >= after : id <= after)) continue;
    if (items.length === length) return { items, next: last };
    items.push(item);
    last = id;
  }
  return { items, next: null };
}

/** An operator's settings of one integration. They are kept over restarts. */
export interface IntegrationControls {
  /** Neuro does not see its actions; its forces and contexts are held. */
  readonly paused: boolean;
  /** Its contexts are dropped. */
  readonly muted: boolean;
  /** While any integration is solo, all others are as if paused. */
  readonly solo: boolean;
  /** Each of its actions waits for approval. */
  readonly approval: boolean;
  /** How the relay behaves towards it in the place of Neuro; null: as for all. */
  readonly behaviour: BehaviourPreset | null;
}

/** The controls to change; the others stay as they are. */
export interface IntegrationControlsChange extends Partial<IntegrationControls> {
  /** The actions that need no approval from now on, in place of those before. */
  readonly always_allowed?: readonly string[];
}

/** An operator's settings of all integrations. */
export interface Controls {
  /** The kill switch: all integrations are paused, and actions in flight have failed. */
  readonly stopped: boolean;
  readonly approval: boolean;
  /** How the relay behaves in the place of Neuro; null: as `nakurity-backend.behaviour` says. */
  readonly behaviour: BehaviourPreset | null;
}

/**
 * Whether an operator has approved an integration. `known`: nobody was asked, because the relay knew it before, or its policy asks for no
 * approval. `pending`: its name is new, and its policy asks for approval.
 */
export const ADMISSIONS = ["known", "pending", "approved", "rejected"] as const;
export type IntegrationAdmission = typeof ADMISSIONS[number];

/** An integration of either listener, connected or expected to return. */
export interface IntegrationView extends IntegrationControls {
  /** Its slug: the unique id by which it is addressed. */
  readonly id: string;
  readonly name: string;
  readonly listener: "neuro" | "intermediary";
  readonly upstream: string;
  readonly connected: boolean;
  /** When it connected, or disconnected. */
  readonly since: Millis;
  readonly admission: IntegrationAdmission;
  /** Neuro sees its actions. */
  readonly visible: boolean;
  /** It belongs to another character than the active one. */
  readonly off_air: boolean;
  /** Number of registered actions, and of actions without a result so far. */
  readonly actions: number;
  readonly pending: number;
  readonly counts: IntegrationCounts;
}

/** Counts since the relay has known the integration. */
export interface IntegrationCounts {
  readonly actions: number;
  readonly failures: number;
  readonly contexts: number;
  readonly forces: number;
  /** Total time of all its results; divided by `actions` it is the mean. */
  readonly result_ms: Millis;
}

/** One integration with its actions. */
export interface IntegrationDetail extends IntegrationView {
  readonly address: string | null;
  readonly user_agent: string | null;
  readonly registered_actions: readonly ActionView[];
  /** Names of its actions that need no approval, whatever the controls require. */
  readonly always_allowed: readonly string[];
  readonly diagnostics: readonly DiagnosticView[];
}

/** One diagnostic of one integration. */
export interface DiagnosticView {
  /** The integration's id; null for clients that have not named their game. */
  readonly integration: string | null;
  readonly name: string;
  readonly what: DiagnosticId;
  readonly severity: Severity;
  readonly title: string;
  readonly rule: string;
  readonly fix: string;
  readonly link: string;
  /** Of the last report, such as names. It continues `fix`. */
  readonly detail: string;
  /** The beginning of the message of the last report, without credentials. */
  readonly message: string;
  /** The id of the trace of the last report; null if it is about no action, force or result. The trace may not be kept any more. */
  readonly trace: string | null;
  /** Number of occurrences. */
  readonly count: number;
  readonly first_at: Millis;
  readonly last_at: Millis;
}

export interface ActionView {
  /** As the integration calls it. */
  readonly name: string;
  /** As Neuro calls it. */
  readonly upstream_name: string;
  readonly description: string;
  /** JSON Schema of its data; null if it takes none. */
  readonly schema: Json;
  /** Other integrations registered the same definition. */
  readonly shared: boolean;
  /** The policy of its integration hides it from Neuro. */
  readonly hidden: boolean;
}

export interface ForceView {
  readonly id: string;
  /** Id of the integration. */
  readonly integration: string;
  readonly name: string;
  readonly is: "waiting" | "open" | "settling" | "closing";
  readonly query: string;
  readonly state: string | null;
  readonly priority: Priority;
  /** As the integration calls them. */
  readonly actions: readonly string[];
  readonly asked_at: Millis;
  readonly opened_at: Millis | null;
  /** Why it waits; `result` of an open one once it is answered. */
  readonly waits_for: WaitReason | null;
  /** Until when Neuro has time to answer; null while she has not been asked. */
  readonly deadline: Millis | null;
  /** 1 for the first try. Each failed action and each repeated question is one more. */
  readonly attempt: number;
  /** The message of the last action for it that failed; null if there was none. */
  readonly last_failure: string | null;
}

/**
 * What a force waits for: the end of the current force; the registration of its actions; the result of its action; the end of its
 * integration's hold; its integration's character; its integration; Neuro.
 */
export type WaitReason = "turn" | "names" | "result" | "held" | "other_character" | "integration_away" | "neuro_away";

export interface PendingView {
  readonly id: string;
  /** As its owners call it. */
  readonly action: string;
  /** Ids of the integrations. */
  readonly to: readonly string[];
  readonly names: readonly string[];
  readonly forced: boolean;
  /** Who requested it. */
  readonly by: "neuro" | "operator";
  readonly data: string | null;
  /** `approval`: it waits for approval. `held`: its integration is disconnected. */
  readonly is: "sent" | "held" | "approval";
  readonly since: Millis;
  readonly deadline: Millis;
}

export interface UpstreamView {
  readonly id: string;
  /** Null in standalone mode. */
  readonly url: string | null;
  readonly state: "open" | "dialing" | "waiting" | "standalone";
  readonly since: Millis;
  readonly attempt: number;
  readonly character: string | null;
  readonly force: ForceView | null;
  /** In the order in which Neuro would be asked now. */
  readonly waiting: readonly ForceView[];
  readonly pending: readonly PendingView[];
  readonly contexts_held: number;
}

/** A program that brings a connection to Neuro along. */
export interface LinkView {
  readonly name: string;
  readonly address: string;
  /** `ready`: it is connected, and has no connection to Neuro. */
  readonly state: "ready" | "open";
  readonly since: Millis;
}

/** A relay of the process, or of the cluster. */
export interface RelayView {
  readonly name: string;
  readonly state: "running" | "stopped";
  /** The node that runs it; null if none does, and without a cluster. */
  readonly node: string | null;
  /** When a stopped one starts by itself; null if it starts only when it is used. */
  readonly starts_at: Millis | null;
}

/** A node of the cluster, as the node that answers sees it. */
export interface NodeView {
  readonly name: string;
  /** Where the other nodes reach it. */
  readonly address: string;
  /** The node that answers knows `joining`, `suspended` and `stopping` only of itself. `silent`: another node has missed two beats. */
  readonly lease: "joining" | "holding" | "suspended" | "stopping" | "silent";
  /** The node that answers can reach it. */
  readonly reachable: boolean;
  /** It is the node that answers. */
  readonly answers: boolean;
  /** How many relays it owns. */
  readonly relays: number;
  /** Its last beat that was seen; null while it has none. */
  readonly last_beat: Millis | null;
}

/** Status of the Neuro service, without the actions of each integration. */
export interface NeuroView {
  readonly controls: Controls;
  readonly upstreams: readonly UpstreamView[];
  readonly integrations: number;
  readonly sockets: number;
  readonly draining: boolean;
}

/** Result of an action that an operator sent. */
export interface ActionOutcome {
  readonly id: string;
  readonly success: boolean;
  readonly message: string | null;
  readonly ms: Millis;
}

/** An action with its data that operators have saved under a label. */
export interface MacroView {
  readonly id: string;
  /** Unique. */
  readonly label: string;
  /** Id of the integration. */
  readonly integration: string;
  /** As the integration calls it. */
  readonly action: string;
  /** JSON text; null if the action takes no data. */
  readonly data: string | null;
  /** Who saved it last, and when. */
  readonly by: string;
  readonly saved_at: Millis;
}

/** The queue of one recipient. */
export interface QueueView {
  readonly to: string;
  readonly entries: number;
  readonly bytes: number;
  /** Time of the oldest entry. */
  readonly oldest_at: Millis | null;
}

export interface QueueEntryView {
  readonly id: string;
  readonly created_at: Millis;
  readonly expires_at: Millis;
  readonly kind: string;
  readonly bytes: number;
  readonly attempts: number;
}

export interface DeadLetterView {
  readonly id: string;
  readonly to: string;
  readonly kind: string;
  readonly bytes: number;
  readonly reason: string;
  readonly dead_at: Millis;
}

/** One queue entry or dead letter, with its body. */
export interface MessageView {
  readonly id: string;
  readonly to: string;
  readonly kind: string;
  readonly created_at: Millis;
  /** When it expires, or would have expired. */
  readonly expires_at: Millis;
  /** Why and when it became a dead letter; null for a queue entry. */
  readonly reason: string | null;
  readonly dead_at: Millis | null;
  readonly body: Json;
}

/** Outcome of sending a message: sent, or queued for its recipient. */
export interface SendOutcome {
  readonly status: "sent" | "queued";
  /** Number of recipients of a message to all. */
  readonly count?: number;
}

/** Outcome of one command for several items. */
export interface BulkOutcome {
  /** Number of items for which it was done. */
  readonly done: number;
  readonly failed: readonly BulkFailure[];
  /** More items match than one request handles; repeat it. */
  readonly more: boolean;
}

export interface BulkFailure {
  readonly id: string;
  readonly fault: FaultName;
  readonly detail?: string;
}

/** A peer of the Intermediary or the game port, or a known integration that is disconnected. */
export interface PeerView {
  readonly name: string;
  readonly type: "integration" | "neuro-os" | "game";
  readonly connected: boolean;
  readonly since?: Millis;
  readonly messages?: number;
  readonly actions?: number;
  readonly acks?: boolean;
  /** Messages that wait for it. */
  readonly queued?: number;
}

/** A file that an integration sent. Its bytes are at `/uploads/<file>`. */
export interface UploadView {
  readonly id: string;
  readonly file: string;
  readonly from: string;
  readonly size: number;
  readonly content_type: string;
  readonly at: Millis;
  readonly sha256: string;
}

/** An event as watchers receive it, with the fields of its kind. */
export interface EventView {
  readonly event: string;
  readonly id: string;
  readonly at: Millis;
  readonly [field: string]: Json | undefined;
}

/** Which events are wanted. */
export interface EventCriteria {
  /** Names of events; absent: all. */
  readonly events?: readonly string[];
  /** The id or the name of an integration that the event is about. */
  readonly integration?: string;
}

/** Events, the oldest first, and where to continue. */
export interface EventPage {
  readonly items: readonly EventView[];
  /** The `after` of the next request. */
  readonly cursor: string;
  /** Number of events before the last item that were not recorded; null: unknown, because those after `after` are not kept any more. */
  readonly missed: number | null;
}

/** A client that watches: a watcher's socket, or a stream of events. */
export interface WatcherView {
  /** The name it greeted with; of a stream, the name of its token. */
  readonly name: string;
  readonly via: "socket" | "stream";
  /** The name of its token. */
  readonly token: string;
  readonly address: string;
  readonly user_agent: string;
  readonly scopes: readonly string[];
  readonly since: Millis;
  /** Names of the events it gets; null: all. */
  readonly events: readonly string[] | null;
  /** Events per second at most; null: no limit. */
  readonly rate: number | null;
}

/** A token of the settings, or one that an operator has issued, without the token itself. */
export interface TokenView {
  /** What it is for, and its name: `intermediary:lamp`. Of an issued one, also the beginning of its digest: `intermediary:lamp@1f2e3d4c`. */
  readonly id: string;
  /** The name in the log and in the audit log. */
  readonly name: string;
  /** `web` and `intermediary`: the Intermediary, the API and the dashboard. `neuro`: the game port. */
  readonly use: "web" | "intermediary" | "neuro" | "brain";
  readonly scopes: readonly string[];
  /** Patterns of the names that it is valid for; empty: any name. */
  readonly names: readonly string[];
  readonly state: "valid" | "expired" | "revoked";
  /** The settings contain its digest only. */
  readonly hashed: boolean;
  /** Null: it is in the settings. */
  readonly issued_at: Millis | null;
  /** When it stops to be valid; null: never by itself. */
  readonly expires_at: Millis | null;
  readonly last_used_at: Millis | null;
  readonly last_address: string | null;
}

/** A token that an operator issues. */
export interface TokenRequest {
  readonly use: "intermediary" | "neuro" | "brain";
  readonly name: string;
  /** Only of the use `intermediary`, where at least one is required. */
  readonly scopes?: readonly Scope[];
  /** Patterns of the names that it is valid for; absent: any name. */
  readonly names?: readonly string[];
  /** Absent: it does not expire. */
  readonly expires_at?: Millis;
}

/** A new token. The relay keeps only its digest, so this is the only time that it is shown. */
export interface IssuedTokenView {
  readonly id: string;
  readonly token: string;
}

/** One act of an operator, through the API, the dashboard or a watcher's command. */
export interface AuditView {
  readonly id: string;
  readonly at: Millis;
  /** The name of the token that was used; `web` for the web port's own. */
  readonly by: string;
  /** What was done, e.g. `pause`. */
  readonly action: string;
  /** The object of the act: an id or a name. */
  readonly target: string;
  /** `done`, or the fault that prevented it. */
  readonly outcome: string;
}

/** `GET /api/overview`: the state of the whole relay. */
export interface Overview {
  readonly version: string;
  readonly now: Millis;
  readonly uptime_ms: Millis;
  readonly draining: boolean;
  /** Scopes of the caller. */
  readonly scopes: readonly string[];
  /** What the relay waits for; empty when it is ready. */
  readonly not_ready: readonly string[];
  /** The status of each service. */
  readonly services: { readonly neuro?: NeuroView; readonly [service: string]: JsonObject | NeuroView | undefined };
}

/** The relay as a neuron of a Nallely session. Every field but `enabled` is null while there is no neuron. */
export interface NallelyView {
  readonly enabled: boolean;
  readonly name: string | null;
  readonly url: string | null;
  /** State of the connection to the bus. */
  readonly state: string | null;
  /** The last value of each output, and of each input that has one. */
  readonly outputs: Readonly<Record<string, number>> | null;
  readonly inputs: Readonly<Record<string, number>> | null;
  /** The parameters that an operator can set. The other outputs are the relay's statistics. */
  readonly settable: readonly NallelyParameter[] | null;
  readonly counts: Readonly<Record<string, number>> | null;
  /** State of the connection to Trevor. */
  readonly trevor: string | null;
  /** How the session's description of the neuron differs from the relay's. */
  readonly drift: NallelyDrift | null;
}

/** A parameter of the neuron with its range. An operator sets an output as Neuro would, and an input as if its value had arrived. */
export interface NallelyParameter {
  readonly name: string;
  readonly side: "in" | "out";
  readonly min: number;
  readonly max: number;
}

export interface NallelyDrift {
  readonly listed: boolean;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly changed: readonly string[];
}

/** A session of the Brain, without its id, because the id grants access to it. */
export interface BrainSessionView {
  /** The first digits of its id. */
  readonly name: string;
  /** The number of its last event. */
  readonly seq: number;
  readonly used_at: Millis;
  /** Clients that are notified of its changes. */
  readonly followers: number;
  /** `stored`: it is not in memory, and only its name, `seq` and `used_at` are known. `damaged`: its log cannot be read. */
  readonly is: "loaded" | "stored" | "damaged";
  /** As it was given. */
  readonly owner: Json;
  readonly sealed: boolean | null;
  readonly mode: string | null;
  /** Number of top-level keys of its state. */
  readonly keys: number | null;
}

/** One session of the Brain with what it holds. */
export interface BrainSessionDetail extends BrainSessionView {
  /** Its state; null if it is not in memory, or larger than 64 KiB. */
  readonly state: Json;
  /** Length of the state's JSON text; null if it is not in memory. */
  readonly state_length: number | null;
  /** The last 50 events that are in memory, the oldest first. */
  readonly events: readonly BrainEventView[];
  /** Why its log cannot be read; null if it can. */
  readonly damage: string | null;
}

/** One event of a session. */
export interface BrainEventView {
  readonly seq: number;
  /** Such as `OperatorApplied`. */
  readonly type: string;
  /** ISO 8601. */
  readonly timestamp: string;
  /** Null if it is larger than 4 KiB, or names a session. */
  readonly payload: Json;
}

/** The last prediction of the Brain under a trace id. */
export interface PredictionView {
  readonly trace_id: Json;
  /** The artifact that it was made with; null if there was none. */
  readonly run_id: string | null;
  /** The texts that were given. */
  readonly routing: Readonly<Record<string, boolean>>;
  readonly token_lengths: Readonly<Record<string, number>>;
  readonly prediction: { readonly value: number | null };
  /** ISO 8601. */
  readonly ts: string;
}

/** Whether a service can do its work. */
export interface Readiness {
  readonly ok: boolean;
  /** What it waits for; empty when `ok`. */
  readonly reasons: readonly string[];
}

const TAG_LENGTH = 16;
const tagOf = (decisions: readonly unknown[]): string => hashText(JSON.stringify(decisions)).slice(0, TAG_LENGTH);

/**
 * The version of the controls of one integration: equal for equal controls, whatever else has changed. An operator names the one that a
 * change is based on, so that two of them do not overwrite each other.
 */
export const integrationControlsTag = (
  { paused, muted, solo, approval, behaviour, always_allowed: names }:
    & IntegrationControls
    & Pick<IntegrationDetail, "always_allowed">,
): string => tagOf([paused, muted, solo, approval, behaviour, [...names].sort()]);

/** The version of the controls of all integrations. */
export const controlsTag = ({ stopped, approval, behaviour }: Controls): string => tagOf([stopped, approval, behaviour]);
