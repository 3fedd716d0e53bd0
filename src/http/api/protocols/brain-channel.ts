/** The Brain: requests with one reply each, in order, and notifications to followers of a session. */
import { z } from "zod";
import { CLOSES_OF_ALL, json, jsonObject, type ProtocolChannel, type ProtocolMessage } from "./protocol.ts";

const text = z.string();
const flag = z.boolean();
const seq = z.int().describe("The number of an event of the session.");
const hash = text.describe("SHA-256 in hexadecimal.");

const common = { request_id: z.union([text, z.number()]).describe("The reply repeats it.").optional() };
/** The session of the examples. */
export const EXAMPLE_SESSION = "2c47944e-a89a-479f-a0c2-1ecf2e8e5492";
const session = { session_id: text };
const once = {
  if_seq: seq.optional(),
  op_id: text.describe("It is applied once, however often it is sent.").optional(),
  want: z.array(z.literal("meta")).optional(),
};
const page = { after_seq: seq.optional(), limit: z.int().max(256).optional() };

function request(
  cmd: string,
  summary: string,
  fields: z.ZodRawShape,
  example: Record<string, z.core.util.JSONType>,
): ProtocolMessage {
  return {
    name: cmd,
    summary,
    schema: z.object({ cmd: z.literal(cmd), ...fields, ...common }),
    examples: [{ cmd, ...("session_id" in fields && { session_id: EXAMPLE_SESSION }), ...example }],
  };
}

const REQUESTS: readonly ProtocolMessage[] = [
  request("CreateSession", "Creates a session.", {
    owner: json.optional(),
    initial_state: jsonObject.optional(),
    covenant: jsonObject.describe("The rules by which operators are accepted or rejected.").optional(),
    ttl_ms: z.number().optional(),
  }, { owner: "me" }),
  request("ApplyOperator", "Changes the state of a session.", {
    ...session,
    operator: text.describe("`ST`, `CH` or `XYZ`, or another one that `ListOperators` names."),
    params: jsonObject.optional(),
    ...once,
  }, { operator: "ST", params: { changes: { mood: "calm" } } }),
  request("ApplyMacro", "Applies several operators: all or none.", {
    ...session,
    name: text,
    steps: z.array(z.object({ name: text, params: jsonObject.optional() })),
    ...once,
  }, { name: "wake", steps: [{ name: "ST", params: { changes: { awake: true } } }] }),
  request("Infer", "Predicts from texts.", {
    trace_id: json.optional(),
    payload: z.object({ text: text.optional(), math: text.optional(), physics: text.optional() }).optional(),
    args: z.array(z.number()).optional(),
  }, { trace_id: "t1", payload: { text: "Hello world", math: "x^2" } }),
  request("GetPrediction", "A stored prediction.", { trace_id: json }, { trace_id: "t1" }),
  request("GetState", "The state of a session, now or after an event.", { ...session, at_seq: seq.optional() }, {}),
  request("GetAudit", "Events of a session.", { ...session, ...page }, { after_seq: -1, limit: 100 }),
  request("GetLedger", "The covenant's evaluation of each operation.", { ...session, ...page }, {}),
  request("ForkSession", "A new session from an earlier state of another.", {
    ...session,
    at_seq: seq.optional(),
    owner: json.optional(),
  }, { at_seq: 0, owner: "me" }),
  request("SealSession", "Ends all changes of a session.", { ...session, reason: json.optional() }, { reason: "done" }),
  request("CloseSession", "Ends a session and deletes its log.", session, {}),
  request("ReplaySession", "Checks the log of a session.", {
    ...session,
    head_seq: seq.optional(),
    head_hash: hash.optional(),
  }, {}),
  request("EvaluateCovenant", "What the covenant would say to an operator.", {
    ...session,
    operator: text,
    params: jsonObject.optional(),
  }, { operator: "ST", params: { changes: { mood: "calm" } } }),
  request("ListOperators", "The operators.", {}, {}),
  request("Subscribe", "Notifies the client of changes of a session by others.", session, {}),
  request("Unsubscribe", "Ends the notifications.", session, {}),
  request("Ping", "Nothing but a reply.", {}, {}),
];

const REFUSED: ProtocolMessage["refused"] = [
  { given: { cmd: "Dance" }, error: { error: "unknown command" } },
  { given: { cmd: "GetState" }, error: { error: "missing field 'session_id'" } },
  { given: { cmd: "GetState", session_id: "nope" }, error: { error: "unknown session 'nope'" } },
  {
    given: { cmd: "ListOperators", request_id: {} },
    error: {
      error: "bad value of 'request_id': expected a text or a number",
      code: "BadParams",
      path: "request_id",
    },
  },
  { given: [], error: { error: "message must be an object: 'list' object has no attribute 'get'" } },
];

function reply(
  type: string,
  summary: string,
  fields: z.ZodRawShape,
  example: Record<string, z.core.util.JSONType>,
): ProtocolMessage {
  return {
    name: type,
    summary,
    schema: z.object({ type: z.literal(type), ...fields, ...common }),
    examples: [{ type, ...("session_id" in fields && { session_id: EXAMPLE_SESSION }), ...example }],
  };
}

const tokens = z.record(text, z.object({ ids: z.array(z.int()), length: z.int() }));
const routing = z.record(text, flag);
const prediction = z.object({ value: z.number().nullable().describe("Null without a model.") });
const next = { next_seq: seq.describe("The first event of the next page.") };

const REPLIES: readonly ProtocolMessage[] = [
  reply("SessionCreated", "The reply to `CreateSession`.", session, {}),
  reply("State.Snapshot", "The state; `seq`, `state_hash` and `risk` if they were asked for.", {
    ...session,
    state: jsonObject,
    seq: seq.optional(),
    state_hash: hash.optional(),
    risk: z.number().optional(),
  }, { state: { mood: "calm" } }),
  reply("infer_result", "The reply to `Infer`.", { trace_id: json, routing, tokens, prediction }, {
    trace_id: "t1",
    routing: { english: true, math: true, physics: false },
    tokens: {},
    prediction: { value: null },
  }),
  reply("Prediction", "The reply to `GetPrediction`.", {
    trace_id: json,
    run_id: text.nullable(),
    routing,
    token_lengths: z.record(text, z.int()),
    prediction,
    ts: text,
  }, {
    trace_id: "t1",
    run_id: null,
    routing: { english: true, math: true, physics: false },
    token_lengths: {},
    prediction: { value: null },
    ts: "2026-01-01T00:00:00.000Z",
  }),
  reply("Audit.Page", "The reply to `GetAudit`.", {
    ...session,
    events: z.array(z.object({ seq, id: text, timestamp: text, type: text, payload: jsonObject, hash })),
    ...next,
    head_seq: seq,
    head_hash: hash,
  }, { events: [], next_seq: 1, head_seq: 0, head_hash: "9f86d0" }),
  reply("Safety.Ledger", "The reply to `GetLedger`.", {
    ...session,
    entries: z.array(jsonObject),
    ...next,
  }, { entries: [], next_seq: 1 }),
  reply("SessionForked", "The reply to `ForkSession`.", { parent: text, child: text, at_seq: seq }, {
    parent: EXAMPLE_SESSION,
    child: "6f1c6a52-98f5-4a3e-8a9e-0c9d1f0a8f11",
    at_seq: 0,
  }),
  reply("SessionSealed", "The reply to `SealSession`.", { ...session, seq, head_hash: hash }, {
    seq: 9,
    head_hash: "9f86d0",
  }),
  reply("SessionClosed", "The reply to `CloseSession`.", session, {}),
  reply("Replay.Report", "The reply to `ReplaySession`.", {
    ...session,
    ok: flag,
    events: z.int(),
    state_hash: hash.nullable(),
    first_mismatch: seq.nullable(),
    why: text.optional(),
  }, { ok: true, events: 1, state_hash: "9f86d0", first_mismatch: null }),
  reply("Covenant.Result", "The reply to `EvaluateCovenant`.", {
    ...session,
    decision: z.enum(["allow", "advise", "refuse"]),
    name: text,
    result: z.object({ score: z.number(), fields: z.record(text, z.number()) }),
    reasons: z.array(text),
  }, {
    decision: "allow",
    name: "Phase1Eval",
    result: { score: 0.8, fields: { empathy: 0.8, care: 0.9, trust: 0.7 } },
    reasons: [],
  }),
  reply("Operator.List", "The reply to `ListOperators`.", {
    operators: z.array(z.object({ name: text, version: z.number(), params: jsonObject })),
  }, { operators: [] }),
  reply("Subscribed", "The reply to `Subscribe`.", { ...session, seq }, { seq: 4 }),
  reply("Unsubscribed", "The reply to `Unsubscribe`.", session, {}),
  reply("Pong", "The reply to `Ping`.", {}, {}),
  reply("State.Delta", "A notification: another client has changed the state.", {
    ...session,
    seq,
    operator: text,
    changes: jsonObject,
    removed: z.array(text).optional(),
    risk: z.number(),
  }, { seq: 5, operator: "ST", changes: { mood: "calm" }, risk: 0.1 }),
  reply("State.Gap", "A notification: changes were left out, because the client read too slowly.", {
    ...session,
    seq,
    missed: z.int().nullable(),
  }, { seq: 9, missed: 3 }),
  {
    name: "BrainError",
    summary: "A request was refused. Errors that the original Brain had as well have no `code`.",
    schema: z.looseObject({
      error: text,
      code: z.enum([
        "CovenantRefused",
        "SessionSealed",
        "VersionConflict",
        "SessionExpired",
        "LimitExceeded",
        "BadParams",
        "NotAllowed",
        "RateLimited",
        "StorageFailed",
      ]).optional(),
      ...common,
    }),
    examples: [{ error: "unknown command" }, { error: "session sealed", code: "SessionSealed" }],
  },
];

export const BRAIN_CHANNEL: ProtocolChannel = {
  name: "brain",
  title: "Brain",
  description:
    "Shared sessions, operators and predictions. Each request gets one reply, in order. A token belongs into the URL: `?token=`, or `/t/<token>` in the path.",
  server: { is: "listener", name: "brain" },
  toRelay: REQUESTS.map((one) => (one.name === "GetState" ? { ...one, refused: REFUSED } : one)),
  fromRelay: REPLIES,
  closes: [...CLOSES_OF_ALL, "slowGame"],
};
