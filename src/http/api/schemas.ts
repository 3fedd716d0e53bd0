/**
 * What the API takes and gives, as schemas: each is of the type that the rooms answer with, so neither can change alone.
 *
 * The OpenAPI document is made of these, under their names.
 */
import { z } from "zod";
import type { Json, JsonObject } from "../../core/json.ts";
import type {
  ActionOutcome,
  ActionView,
  AuditView,
  Controls,
  DeadLetterView,
  ForceView,
  IntegrationControls,
  IntegrationCounts,
  IntegrationDetail,
  IntegrationView,
  MessageView,
  NeuroView,
  Overview,
  Page,
  PeerView,
  PendingView,
  QueueEntryView,
  QueueView,
  SendOutcome,
  UploadView,
  UpstreamView,
} from "../../core/view.ts";

/** The schemas of the document, by name. */
export const NAMED: z.core.$ZodRegistry<{ id: string }> = z.registry<{ id: string }>();

/** Gives a schema its name in the document. */
export function named<Schema extends z.ZodType>(id: string, schema: Schema, says: string): Schema {
  const described = schema.describe(says);
  NAMED.add(described, { id });
  return described;
}

// Why the casts: what was parsed from JSON is JSON, and a schema that looks into all of it would only cost time.
const json = z.unknown().describe("Any JSON.") as z.ZodType<Json>;
const jsonObject = z.record(z.string(), z.unknown()) as z.ZodType<JsonObject>;
const instant = z.int().describe("Milliseconds since 1970.");
const duration = z.number().describe("Milliseconds.");
const count = z.int().min(0);
const text = z.string();
const flag = z.boolean();

const integrationControlFields = {
  paused: flag.describe("Neuro does not see its actions; its forces and contexts are held."),
  muted: flag.describe("Its contexts are dropped."),
  solo: flag.describe("While any integration is solo, all others are as if paused."),
  approval: flag.describe("Each action for it waits until somebody approves."),
};
const controlFields = {
  stopped: flag.describe("The kill switch: as if all were paused, and what was in flight has failed."),
  approval: flag.describe("Each action waits until somebody approves."),
};

export const controls: z.ZodType<Controls> = named("Controls", z.object(controlFields), "What is decided about everybody.");

/** The same fields, of which only those that are given change. */
export const controlsChange: z.ZodType<Partial<Controls>> = named(
  "ControlsChange",
  z.strictObject({ stopped: controlFields.stopped.exactOptional(), approval: controlFields.approval.exactOptional() }),
  "What shall change; the rest stays.",
);
export const integrationControlsChange: z.ZodType<Partial<IntegrationControls>> = named(
  "IntegrationControlsChange",
  z.strictObject({
    paused: integrationControlFields.paused.exactOptional(),
    muted: integrationControlFields.muted.exactOptional(),
    solo: integrationControlFields.solo.exactOptional(),
    approval: integrationControlFields.approval.exactOptional(),
  }),
  "What shall change; the rest stays.",
);

const counts: z.ZodType<IntegrationCounts> = named(
  "IntegrationCounts",
  z.object({ actions: count, failures: count, contexts: count, forces: count, result_ms: duration }),
  "Since the relay knows of it. `result_ms` is the time of all results together.",
);
const integrationFields = {
  id: text.describe("What it is addressed by: unique, of lower case letters, digits, `-` and `_`."),
  name: text.describe("As it calls itself. To be shown as text, never to be trusted."),
  listener: z.enum(["neuro", "intermediary"]),
  upstream: text,
  present: flag,
  since: instant.describe("When it came, or left."),
  shown: flag.describe("Neuro sees its actions."),
  off_air: flag.describe("It is for another character than the one who is on."),
  actions: count.describe("How many it has registered."),
  pending: count.describe("How many it has not answered yet."),
  counts,
  ...integrationControlFields,
};
export const integration: z.ZodType<IntegrationView> = named(
  "Integration",
  z.object(integrationFields),
  "An integration on either door, present or awaited.",
);
const action: z.ZodType<ActionView> = named(
  "Action",
  z.object({
    name: text.describe("As the integration calls it."),
    upstream_name: text.describe("As Neuro calls it."),
    description: text,
    schema: json.describe("JSON Schema of its data; null when it takes none."),
    shared: flag.describe("Others offer the very same."),
  }),
  "Something that an integration can do.",
);
export const integrationDetail: z.ZodType<IntegrationDetail> = named(
  "IntegrationDetail",
  z.object({ ...integrationFields, address: text.nullable(), user_agent: text.nullable(), offers: z.array(action) }),
  "One integration with everything it offers.",
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
  }),
  "An integration asks for one of some actions.",
);
const pending: z.ZodType<PendingView> = named(
  "Pending",
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
  "An action without a result. `approval`: nobody has approved it yet; `held`: its integration is away.",
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
  "A connection to Neuro, or the relay in her place.",
);
const neuro: z.ZodType<NeuroView> = named(
  "NeuroRoom",
  z.object({ controls, upstreams: z.array(upstream), integrations: count, sockets: count, draining: flag }),
  "What goes on between the integrations and Neuro.",
);
export const overview: z.ZodType<Overview> = named(
  "Overview",
  z.object({
    version: text,
    now: instant,
    uptime_ms: duration,
    draining: flag,
    scopes: z.array(text).describe("What the token allows."),
    waits: z.array(text).describe("What is not ready, and why."),
    services: z.object({ neuro: neuro.exactOptional() }).catchall(jsonObject) as z.ZodType<Overview["services"]>,
  }),
  "One look at the whole relay.",
);

export const outcome: z.ZodType<ActionOutcome> = named(
  "ActionOutcome",
  z.object({ id: text, success: flag, message: text.nullable(), ms: duration }),
  "What came of an action.",
);
export const sent: z.ZodType<SendOutcome> = named(
  "Sent",
  z.object({ status: z.enum(["sent", "queued"]), count: count.exactOptional() }),
  "It is on its way, or stored until its recipient is there. `count`: to how many it goes.",
);
export const done: z.ZodType<{ readonly status: string }> = named("Done", z.object({ status: text }), "It was done.");

export const order: z.ZodType<{ readonly name: string; readonly data?: Json }> = named(
  "Order",
  z.strictObject({
    name: z.string().min(1).describe("As the integration calls the action."),
    data: json.exactOptional(),
  }),
  "An action, with data that fits its schema.",
);
export const decision: z.ZodType<{ readonly approve: boolean; readonly message?: string }> = named(
  "Decision",
  z.strictObject({
    approve: flag,
    message: z.string().max(1_000).describe("Told to Neuro when it fails.").exactOptional(),
  }),
  "Whether a pending action may go.",
);
export const raw: z.ZodType<{ readonly message: Json }> = named(
  "RawMessage",
  z.strictObject({ message: jsonObject as z.ZodType<Json> }),
  "A message as it goes over the wire.",
);
export const context: z.ZodType<{ readonly message: string; readonly silent: boolean }> = named(
  "Context",
  z.strictObject({ message: z.string().min(1), silent: flag.describe("Neuro need not say anything to it.") }),
  "Something for Neuro to know.",
);
export const command: z.ZodType<{ readonly to: string; readonly cmd: Json }> = named(
  "Command",
  z.strictObject({
    to: z.string().min(1).describe("The name of an integration of the Intermediary; `*` for all that are here."),
    cmd: json.refine((value) => value !== null, "null is no command"),
  }),
  "What a watcher's command says.",
);

const queue: z.ZodType<QueueView> = named(
  "QueueDepth",
  z.object({ to: text, entries: count, bytes: count, at: instant.nullable().describe("Of the oldest.") }),
  "How much waits for somebody.",
);
const queueEntry: z.ZodType<QueueEntryView> = named(
  "QueueEntry",
  z.object({ id: text, at: instant, exp: instant, kind: text, bytes: count, attempts: count }),
  "A message that waits. `exp` is when it is given up.",
);
export const message: z.ZodType<MessageView> = named(
  "Message",
  z.object({
    id: text,
    to: text,
    kind: text,
    at: instant,
    exp: instant,
    why: text.nullable().describe("Why it was given up; null while it waits."),
    died: instant.nullable(),
    body: json,
  }),
  "A message that waits, or a dead letter, with what is in it.",
);
const deadLetter: z.ZodType<DeadLetterView> = named(
  "DeadLetter",
  z.object({ id: text, to: text, kind: text, bytes: count, why: text, died: instant }),
  "A message that was given up.",
);
const audit: z.ZodType<AuditView> = named(
  "Act",
  z.object({ id: text, at: instant, by: text.describe("The name of the token."), did: text, to: text, outcome: text }),
  "One thing that a person did. `outcome` is `done`, or the fault that kept it from being done.",
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
    queued: count.describe("Messages that wait for it.").exactOptional(),
  }),
  "Who is here, or is known and away.",
);
const upload: z.ZodType<UploadView> = named(
  "Upload",
  z.object({ id: text, file: text, from: text, size: count, content_type: text, at: instant, sha256: text }),
  "A file that an integration sent; `GET /uploads/{file}` gives its bytes.",
);
function pageOf<Item>(name: string, item: z.ZodType<Item>): z.ZodType<Page<Item>> {
  const next = text.nullable().describe("What to give as `after` to get the rest; null at the end.");
  return named(name, z.object({ items: z.array(item), next }), "Part of a list.");
}

export const integrations: z.ZodType<Page<IntegrationView>> = pageOf("IntegrationPage", integration);
export const queues: z.ZodType<Page<QueueView>> = pageOf("QueuePage", queue);
export const queueEntries: z.ZodType<Page<QueueEntryView>> = pageOf("QueueEntryPage", queueEntry);
export const deadLetters: z.ZodType<Page<DeadLetterView>> = pageOf("DeadLetterPage", deadLetter);
export const acts: z.ZodType<Page<AuditView>> = pageOf("ActPage", audit);
export const peers: z.ZodType<Page<PeerView>> = pageOf("PeerPage", peer);
export const uploads: z.ZodType<Page<UploadView>> = pageOf("UploadPage", upload);

/** An error, as every operation answers it. */
export const problem: z.ZodType<Trouble> = named(
  "Problem",
  z.object({
    type: text,
    status: z.int(),
    title: text,
    detail: text.exactOptional(),
    fault: text.describe("The name of what went wrong, for programs.").exactOptional(),
    errors: z.array(z.object({ field: text.describe("JSON Pointer into the body, or the parameter's name."), says: text }))
      .exactOptional(),
  }),
  "What went wrong (RFC 9457).",
);

interface Trouble {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly fault?: string;
  readonly errors?: readonly { readonly field: string; readonly says: string }[];
}
