/**
 * The schemas of everything that the API accepts and returns. Each has the type of the view that a service replies with, so neither can
 * change alone. The OpenAPI document contains them under their names.
 */
import { z } from "zod";
import { FAULT_NAMES, PROBLEM_NAMES, type ProblemName } from "../problem.ts";
import { BEHAVIOUR_PRESET_NAMES } from "../../core/defaults.ts";
import { DIAGNOSTIC_IDS, SEVERITIES } from "../../core/diagnostics/catalogue.ts";
import { ADMISSIONS } from "../../core/view.ts";
import type { AskOutcome, ShutdownKind } from "../../core/request.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { PAGE_LENGTH_MAX } from "../../core/view.ts";
import type {
  ActionOutcome,
  ActionView,
  AuditView,
  BrainEventView,
  BrainSessionDetail,
  BrainSessionView,
  BulkOutcome,
  Controls,
  DeadLetterView,
  DiagnosticView,
  EventPage,
  EventView,
  ForceView,
  IntegrationControlsChange,
  IntegrationCounts,
  IntegrationDetail,
  IntegrationView,
  LinkView,
  MessageView,
  NallelyView,
  NeuroView,
  NodeView,
  Overview,
  Page,
  PeerView,
  PendingView,
  PredictionView,
  QueueEntryView,
  QueueView,
  RelayView,
  SendOutcome,
  UploadView,
  UpstreamView,
  WatcherView,
} from "../../core/view.ts";

/** All schemas with a name in the document. */
export const NAMED: z.core.$ZodRegistry<{ id: string }> = z.registry<{ id: string }>();

/** Gives a schema a name in the document. */
export function named<Schema extends z.ZodType>(id: string, schema: Schema, description: string): Schema {
  const described = schema.describe(description);
  NAMED.add(described, { id });
  return described;
}

// Why the casts: a value that was parsed from JSON is JSON. A schema that checks all of it would only cost time.
export const json = z.unknown().meta({
  description: "Any JSON.",
  type: ["object", "array", "string", "number", "boolean", "null"],
}) as z.ZodType<Json>;
const jsonObject = z.record(z.string(), json) as z.ZodType<JsonObject>;
const instant = z.int().describe("Milliseconds since 1970.");
const duration = z.number().describe("Milliseconds.");
const count = z.int().min(0);
const text = z.string();
const flag = z.boolean();

const integrationControlFields = {
  paused: flag.describe("Neuro does not see its actions; its forces and contexts are held."),
  muted: flag.describe("Its contexts are dropped."),
  solo: flag.describe("While any integration is solo, all others are treated as paused."),
  approval: flag.describe("Each action for it waits for an operator's approval."),
  behaviour: z.enum(BEHAVIOUR_PRESET_NAMES).nullable().describe(
    "How the relay behaves towards it in the place of Neuro; null: as towards all.",
  ),
};
const controlFields = {
  stopped: flag.describe("The kill switch: all integrations are treated as paused, and running actions have failed."),
  approval: flag.describe("Each action waits for an operator's approval."),
  behaviour: z.enum(BEHAVIOUR_PRESET_NAMES).nullable().describe(
    "How the relay behaves in the place of Neuro; null: as the settings say.",
  ),
};

export const controls: z.ZodType<Controls> = named("Controls", z.object(controlFields), "The global controls.");

/** A change of the given fields. */
export const controlsChange: z.ZodType<Partial<Controls>> = named(
  "ControlsChange",
  z.strictObject({
    stopped: controlFields.stopped.exactOptional(),
    approval: controlFields.approval.exactOptional(),
    behaviour: controlFields.behaviour.exactOptional(),
  }),
  "The fields to change; the others stay as they are.",
);
export const integrationControlsChange: z.ZodType<IntegrationControlsChange> = named(
  "IntegrationControlsChange",
  z.strictObject({
    paused: integrationControlFields.paused.exactOptional(),
    muted: integrationControlFields.muted.exactOptional(),
    solo: integrationControlFields.solo.exactOptional(),
    approval: integrationControlFields.approval.exactOptional(),
    always_allowed: z.array(z.string().max(256)).max(4_096).exactOptional().describe(
      "Names of its actions that need no approval from now on, in place of those before.",
    ),
    behaviour: integrationControlFields.behaviour.exactOptional(),
  }),
  "The fields to change; the others stay as they are.",
);

const counts: z.ZodType<IntegrationCounts> = named(
  "IntegrationCounts",
  z.object({ actions: count, failures: count, contexts: count, forces: count, result_ms: duration }),
  "Counters since the relay has known the integration. `result_ms` is the sum of the times to all results.",
);
const integrationFields = {
  id: text.describe("Unique; lower-case letters, digits, `-` and `_`."),
  name: text.describe("The name it gives itself. Untrusted: show it as text only."),
  listener: z.enum(["neuro", "intermediary"]),
  upstream: text,
  connected: flag,
  since: instant.describe("When it connected, or disconnected."),
  visible: flag.describe("Neuro sees its actions."),
  admission: z.enum(ADMISSIONS).describe(
    "Whether an operator has approved it. `known`: nobody had to. `pending` and `rejected`: Neuro sees nothing of it, if its policy has " +
      "`admission: approval`.",
  ),
  off_air: flag.describe("It belongs to a character that is not active."),
  actions: count.describe("Number of registered actions."),
  pending: count.describe("Number of actions without a result yet."),
  counts,
  ...integrationControlFields,
};
export const integration: z.ZodType<IntegrationView> = named(
  "Integration",
  z.object(integrationFields),
  "A game or an integration of the Intermediary, connected or expected back.",
);
const action: z.ZodType<ActionView> = named(
  "Action",
  z.object({
    name: text.describe("The integration's name for it."),
    upstream_name: text.describe("Neuro's name for it."),
    description: text,
    schema: json.describe("JSON Schema of its data; null if it has none."),
    shared: flag.describe("Other integrations register an identical action."),
    hidden: flag.describe("The policy of its integration hides it from Neuro."),
  }),
  "A registered action.",
);
const diagnostic: z.ZodType<DiagnosticView> = named(
  "Diagnostic",
  z.object({
    integration: text.nullable().describe("Id of the integration; null for clients that have not named their game."),
    name: text,
    what: z.enum(DIAGNOSTIC_IDS),
    severity: z.enum(SEVERITIES),
    title: text.describe("What was observed."),
    rule: text.describe("What is expected."),
    fix: text.describe("What the author of the integration has to change."),
    link: text.describe("The documentation of the rule."),
    detail: text.describe("Of the last report, such as names. It continues `fix`; can be empty."),
    message: text.describe("The beginning of the message of the last report, without credentials; can be empty."),
    trace: text.nullable().describe(
      "The id of the trace of the last report; null if it is about no action, force or result. The trace may not be kept any more.",
    ),
    count: count.describe("Number of occurrences."),
    first_at: instant,
    last_at: instant,
  }),
  "What was observed about the messages or the behaviour of an integration.",
);
export const integrationDetail: z.ZodType<IntegrationDetail> = named(
  "IntegrationDetail",
  z.object({
    ...integrationFields,
    address: text.nullable(),
    user_agent: text.nullable(),
    registered_actions: z.array(action),
    always_allowed: z.array(text).describe("Names of its actions that need no approval."),
    diagnostics: z.array(diagnostic),
  }),
  "An integration with its registered actions and its diagnostics.",
);

const force: z.ZodType<ForceView> = named(
  "Force",
  z.object({
    id: text,
    integration: text.describe("Id of the integration."),
    name: text,
    is: z.enum(["waiting", "open", "settling", "closing"]),
    query: text,
    state: text.nullable(),
    priority: z.enum(["low", "medium", "high", "critical"]),
    actions: z.array(text),
    asked_at: instant,
    opened_at: instant.nullable(),
    waits_for: z.enum(["turn", "names", "result", "held", "other_character", "integration_away", "neuro_away"]).nullable(),
    deadline: instant.nullable().describe("Until when Neuro has time to answer; null while she has not been asked."),
    attempt: count.describe("1 for the first try. Each failed action and each repeated question is one more."),
    last_failure: text.nullable().describe("The message of the last action for it that failed."),
  }),
  "A force: an integration asks Neuro to choose one of its actions.",
);
const pending: z.ZodType<PendingView> = named(
  "PendingAction",
  z.object({
    id: text,
    action: text,
    to: z.array(text).describe("Ids of the integrations."),
    names: z.array(text),
    forced: flag,
    by: z.enum(["neuro", "operator"]),
    data: text.nullable(),
    is: z.enum(["sent", "held", "approval"]),
    since: instant,
    deadline: instant,
  }),
  "An action without a result. `approval`: it waits for an operator's approval; `held`: its integration is disconnected.",
);
const upstream: z.ZodType<UpstreamView> = named(
  "Upstream",
  z.object({
    id: text,
    url: text.nullable(),
    state: z.enum(["open", "dialing", "waiting", "standalone"]),
    since: instant,
    attempt: count,
    character: text.nullable(),
    force: force.nullable(),
    waiting: z.array(force),
    pending: z.array(pending),
    contexts_held: count,
  }),
  "A connection to a Neuro API backend, or the relay in standalone mode.",
);
const neuro: z.ZodType<NeuroView> = named(
  "NeuroStatus",
  z.object({ controls, upstreams: z.array(upstream), integrations: count, sockets: count, draining: flag }),
  "The state of the Neuro service.",
);
export const overview: z.ZodType<Overview> = named(
  "Overview",
  z.object({
    version: text,
    now: instant,
    uptime_ms: duration,
    draining: flag,
    scopes: z.array(text).describe("The scopes of the token."),
    not_ready: z.array(text).describe("Why the relay is not ready; empty if it is."),
    services: z.object({ neuro: neuro.exactOptional() }).catchall(jsonObject) as z.ZodType<Overview["services"]>,
  }),
  "The state of the whole relay.",
);

export const actionOutcome: z.ZodType<ActionOutcome> = named(
  "ActionOutcome",
  z.object({ id: text, success: flag, message: text.nullable(), ms: duration }),
  "The result of an action.",
);
export const sendOutcome: z.ZodType<SendOutcome> = named(
  "SendOutcome",
  z.object({ status: z.enum(["sent", "queued"]), count: count.exactOptional() }),
  "`sent`: the message was sent; `queued`: it is stored until its recipient connects. `count`: the number of recipients.",
);
export const shutdownRequest: z.ZodType<{ readonly how: ShutdownKind }> = named(
  "ShutdownRequest",
  z.strictObject({ how: z.enum(["graceful", "immediate", "cancel"]).describe("`cancel` takes an earlier request back.") }),
  "How integrations are asked to shut down.",
);
export const reregistrationRequest: z.ZodType<{ readonly clear?: boolean }> = named(
  "ReregistrationRequest",
  z.strictObject({ clear: flag.exactOptional().describe("Unregister all actions first.") }),
  "How integrations are asked to register their actions again.",
);
export const askOutcome: z.ZodType<AskOutcome> = named(
  "AskOutcome",
  z.object({ status: z.literal("asked"), count }),
  "The number of integrations that were asked.",
);
export const done: z.ZodType<{ readonly status: string }> = named(
  "Done",
  z.object({ status: text }),
  "The command was executed.",
);

export const bulkOutcome: z.ZodType<BulkOutcome> = named(
  "BulkOutcome",
  z.object({
    done: count.describe("Number of items for which it was done."),
    failed: z.array(z.object({ id: text, fault: z.enum(FAULT_NAMES), detail: text.exactOptional() })),
    more: flag.describe("More items match than one request handles: repeat it."),
  }),
  "The outcome of one command for several items.",
);
export const bulkControls: z.ZodType<BulkControls> = named(
  "BulkControlsChange",
  z.strictObject({
    ids: z.array(z.string().min(1).max(512)).min(1).max(PAGE_LENGTH_MAX).describe("The ids of the integrations."),
    change: integrationControlsChange,
  }),
  "A change of the controls of several integrations.",
);

/** A change of the controls of several integrations. */
interface BulkControls {
  readonly ids: readonly string[];
  readonly change: IntegrationControlsChange;
}

export const actionRequest: z.ZodType<{ readonly name: string; readonly data?: Json }> = named(
  "ActionRequest",
  z.strictObject({
    name: z.string().min(1).describe("The integration's name for the action."),
    data: json.exactOptional().describe("An object, or its JSON as a text."),
  }),
  "An action, with data that matches its schema.",
);
export const decision: z.ZodType<{ readonly approve: boolean; readonly message?: string; readonly data?: Json }> = named(
  "Decision",
  z.strictObject({
    approve: flag,
    message: z.string().max(1_000).describe("The failure message for Neuro.").exactOptional(),
    data: json.exactOptional().describe("Approves with this data in place of Neuro's: an object, or its JSON as a text."),
  }),
  "Approves or fails a pending action.",
);
export const admissionDecision: z.ZodType<{ readonly approve: boolean }> = named(
  "AdmissionDecision",
  z.strictObject({ approve: flag }),
  "Approves an integration, or rejects it.",
);
export const rawMessage: z.ZodType<{ readonly message: Json }> = named(
  "RawMessage",
  // Why no record: it would leave out a member called `__proto__`.
  z.strictObject({ message: json.refine(isObject, "expected an object").meta({ type: "object" }) }),
  "A message that is sent verbatim.",
);
export const context: z.ZodType<{ readonly message: Json; readonly silent?: Json }> = named(
  "Context",
  // Why any JSON: the service reads it as it reads a game's context, and repairs the same mistakes.
  z.strictObject({
    message: json.refine((value) => value !== undefined && value !== "", "must be a text that is not empty").meta({
      type: "string",
      minLength: 1,
    }),
    silent: json.exactOptional().meta({ type: "boolean", description: "Neuro need not react to it. Default: false." }),
  }),
  "A context for Neuro.",
);
export const command: z.ZodType<{ readonly to: string; readonly cmd: Json }> = named(
  "Command",
  z.strictObject({
    to: z.string().min(1).describe("The name of an integration of the Intermediary; `*` for all connected ones."),
    cmd: json.refine((value) => value !== null, "must not be null"),
  }),
  "A command for an integration.",
);

const queue: z.ZodType<QueueView> = named(
  "QueueDepth",
  z.object({
    to: text,
    entries: count,
    bytes: count,
    oldest_at: instant.nullable().describe("When the oldest message was created."),
  }),
  "The queue of one recipient.",
);
const queueEntry: z.ZodType<QueueEntryView> = named(
  "QueueEntry",
  z.object({ id: text, created_at: instant, expires_at: instant, kind: text, bytes: count, attempts: count }),
  "A queued message. `expires_at` is when it becomes a dead letter.",
);
export const message: z.ZodType<MessageView> = named(
  "Message",
  z.object({
    id: text,
    to: text,
    kind: text,
    created_at: instant,
    expires_at: instant,
    reason: text.nullable().describe("Why it became a dead letter; null while it is queued."),
    dead_at: instant.nullable(),
    body: json,
  }),
  "A queued message or a dead letter, with its body.",
);
const deadLetter: z.ZodType<DeadLetterView> = named(
  "DeadLetter",
  z.object({ id: text, to: text, kind: text, bytes: count, reason: text, dead_at: instant }),
  "A message that could not be delivered.",
);
const auditEntry: z.ZodType<AuditView> = named(
  "AuditEntry",
  z.object({
    id: text,
    at: instant,
    by: text.describe("The name of the token, or `watcher` and the name that the watcher has chosen."),
    action: text,
    target: text,
    outcome: text,
  }),
  "One operator action. `outcome` is `done`, or the fault that prevented it.",
);
const peer: z.ZodType<PeerView> = named(
  "Peer",
  z.object({
    name: text,
    type: z.enum(["integration", "neuro-os", "game"]),
    connected: flag,
    since: instant.exactOptional(),
    messages: count.exactOptional(),
    actions: count.exactOptional(),
    acks: flag.exactOptional(),
    queued: count.describe("Number of queued messages.").exactOptional(),
  }),
  "An integration, a watcher or a game; connected, or known and offline.",
);
const upload: z.ZodType<UploadView> = named(
  "Upload",
  z.object({ id: text, file: text, from: text, size: count, content_type: text, at: instant, sha256: text }),
  "A file that an integration uploaded; `GET /uploads/{file}` returns its bytes.",
);
/** A page of a list. */
export function pageOf<Item>(name: string, item: z.ZodType<Item>): z.ZodType<Page<Item>> {
  const next = text.nullable().describe("The value of `after` for the next page; null on the last one.");
  return named(name, z.object({ items: z.array(item), next }), "One page of a list.");
}

export const forces: z.ZodType<Page<ForceView>> = pageOf("ForcePage", force);
export const pendingActions: z.ZodType<Page<PendingView>> = pageOf("PendingActionPage", pending);
export const diagnostics: z.ZodType<Page<DiagnosticView>> = pageOf("DiagnosticPage", diagnostic);
export const integrations: z.ZodType<Page<IntegrationView>> = pageOf("IntegrationPage", integration);
export const queues: z.ZodType<Page<QueueView>> = pageOf("QueuePage", queue);
export const queueEntries: z.ZodType<Page<QueueEntryView>> = pageOf("QueueEntryPage", queueEntry);
export const deadLetters: z.ZodType<Page<DeadLetterView>> = pageOf("DeadLetterPage", deadLetter);
export const auditEntries: z.ZodType<Page<AuditView>> = pageOf("AuditPage", auditEntry);
export const peers: z.ZodType<Page<PeerView>> = pageOf("PeerPage", peer);
const link: z.ZodType<LinkView> = named(
  "Link",
  z.object({
    name: text,
    address: text,
    state: z.enum(["ready", "open"]).describe("`ready`: it is connected, and has no connection to Neuro."),
    since: instant,
  }),
  "A program, `neuro-relay link`, that connects Neuro to this relay.",
);

const watcher: z.ZodType<WatcherView> = named(
  "Watcher",
  z.object({
    name: text.describe("The name it greeted with; of a stream, the name of its token."),
    via: z.enum(["socket", "stream"]),
    token: text.describe("The name of its token."),
    address: text,
    user_agent: text,
    scopes: z.array(text),
    since: instant,
    events: z.array(text).nullable().describe("The events it gets; null: all."),
    rate: count.nullable().describe("Events per second at most; null: no limit."),
  }),
  "A client that watches.",
);
export const watchers: z.ZodType<Page<WatcherView>> = pageOf("WatcherPage", watcher);

const event: z.ZodType<EventView> = named(
  "Event",
  z.object({ event: text.describe("Its name."), id: text, at: instant }).catchall(json) as z.ZodType<EventView>,
  "An event as watchers get it. `/api/asyncapi.json` describes the fields of each.",
);
export const eventPage: z.ZodType<EventPage> = named(
  "EventPage",
  z.object({
    items: z.array(event),
    cursor: text.describe("The value of `after` for the next page."),
    missed: count.nullable().describe("Number of events that were not kept; null: unknown."),
  }),
  "Events, the oldest first.",
);

const relay: z.ZodType<RelayView> = named(
  "Relay",
  z.object({
    name: text,
    state: z.enum(["running", "stopped"]),
    node: text.nullable().describe("The node that runs it; null if none does, and without a cluster."),
    starts_at: instant.nullable().describe("When a stopped one starts by itself; null if it starts only when it is used."),
  }),
  "A relay of the process, or of the cluster.",
);
export const relays: z.ZodType<Page<RelayView>> = pageOf("RelayPage", relay);

const node: z.ZodType<NodeView> = named(
  "Node",
  z.object({
    name: text,
    address: text.describe("Where the other nodes reach it."),
    lease: z.enum(["joining", "holding", "suspended", "stopping", "silent"]).describe(
      "The node that answers knows `joining`, `suspended` and `stopping` only of itself. `silent`: another node has missed two beats.",
    ),
    reachable: flag.describe("The node that answers can reach it."),
    answers: flag.describe("It is the node that answers."),
    relays: count.describe("How many relays it owns."),
    last_beat: instant.nullable().describe("Its last beat that was seen; null while it has none."),
  }),
  "A node of the cluster, as the node that answers sees it.",
);
export const nodes: z.ZodType<Page<NodeView>> = pageOf("NodePage", node);

export const links: z.ZodType<Page<LinkView>> = pageOf("LinkPage", link);
export const uploads: z.ZodType<Page<UploadView>> = pageOf("UploadPage", upload);

const numbers = z.record(z.string(), z.number()).nullable();
export const nallelyValue: z.ZodType<{ readonly parameter: string; readonly value: number }> = named(
  "NallelyValue",
  z.strictObject({ parameter: z.string().min(1).max(512), value: z.number() }),
  "A value for a parameter of the neuron.",
);
export const nallely: z.ZodType<NallelyView> = named(
  "Nallely",
  z.object({
    enabled: flag,
    name: text.nullable(),
    url: text.nullable(),
    state: text.nullable().describe("State of the connection to the bus."),
    outputs: numbers.describe("The last value of each output."),
    inputs: numbers.describe("The latest value of each input that has one."),
    settable: z.array(z.object({ name: text, side: z.enum(["in", "out"]), min: z.number(), max: z.number() })).nullable()
      .describe(
        "The parameters that an operator can set, with their ranges. The other outputs are the relay's statistics.",
      ),
    counts: numbers,
    trevor: text.nullable().describe("State of the connection to Trevor; null if there is none."),
    drift: z.object({ listed: flag, missing: z.array(text), extra: z.array(text), changed: z.array(text) }).nullable()
      .describe("How the session's description of the neuron differs from the relay's."),
  }),
  "The relay as a neuron of a Nallely session. Every field but `enabled` is null while there is no neuron.",
);

const brainSessionFields = {
  name: text.describe("The beginning of its id."),
  seq: count.describe("The number of its last event."),
  used_at: instant,
  followers: count,
  is: z.enum(["loaded", "stored", "damaged"]),
  owner: json.describe("As it was given; null if there is none."),
  sealed: flag.nullable(),
  mode: text.nullable(),
  keys: count.nullable().describe("Number of top-level keys of its state."),
};
const brainSession: z.ZodType<BrainSessionView> = named(
  "BrainSession",
  z.object(brainSessionFields),
  "A session of the Brain. `stored`: it is not in memory, so its last fields are null.",
);
const brainEvent: z.ZodType<BrainEventView> = named(
  "BrainEvent",
  z.object({
    seq: count,
    type: text.describe("Such as `OperatorApplied`."),
    timestamp: text.describe("ISO 8601."),
    payload: json.describe("Null if it is larger than 4 KiB, or names a session."),
  }),
  "An event of a session's log.",
);
export const brainSessionDetail: z.ZodType<BrainSessionDetail> = named(
  "BrainSessionDetail",
  z.object({
    ...brainSessionFields,
    state: json.describe("Null if it is not in memory, or larger than 64 KiB."),
    state_length: count.nullable().describe("Length of the state's JSON text."),
    events: z.array(brainEvent).describe("The last 50 events that are in memory, the oldest first."),
    damage: text.nullable().describe("Why its log cannot be read."),
  }),
  "A session of the Brain with its state and its last events.",
);
export const brainSessions: z.ZodType<Page<BrainSessionView>> = pageOf("BrainSessionPage", brainSession);

export const prediction: z.ZodType<PredictionView> = named(
  "Prediction",
  z.object({
    trace_id: json,
    run_id: text.nullable().describe("The artifact that it was made with; null if there was none."),
    routing: z.record(z.string(), flag).describe("The texts that were given."),
    token_lengths: z.record(z.string(), count),
    prediction: z.object({ value: z.number().nullable() }),
    ts: text.describe("ISO 8601."),
  }),
  "A prediction of the Brain.",
);

/** The error of every operation. */
export const problem: z.ZodType<ProblemDocument> = named(
  "Problem",
  z.object({
    type: text,
    status: z.int(),
    title: text,
    detail: text.exactOptional(),
    fault: z.enum(PROBLEM_NAMES).describe("The relay's name of the error, for programs."),
    errors: z.array(
      z.object({ field: text.describe("JSON Pointer into the body, or the parameter's name."), message: text }),
    )
      .exactOptional(),
  }),
  "Problem details (RFC 9457).",
);

interface ProblemDocument {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly fault: ProblemName;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}
