/** Valid messages for each listener, from which mutations start. `HEARD` stands for an id or a name that the relay has sent. */
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import type { JsonObject } from "../../src/core/json.ts";

export const HEARD = "@heard";

export const GREETINGS: readonly JsonObject[] = [
  { type: "integration", name: "one", auth_token: PUBLISHED_TOKEN, ack: true, trace: true },
  { type: "integration", name: "two", auth_token: PUBLISHED_TOKEN },
  { type: "neuro-os", name: "eye", auth_token: PUBLISHED_TOKEN, subscribe: { events: ["message_queued"] } },
  { type: "nakurity-backend", name: "x", auth_token: "wrong" },
];

const SCHEMA: JsonObject = {
  type: "object",
  properties: {
    x: { type: "integer", minimum: 0, maximum: 9 },
    word: { type: "string", pattern: "^[a-z]{1,8}$", maxLength: 8 },
    list: { type: "array", items: { $ref: "#/$defs/item" }, minItems: 1, uniqueItems: true },
    either: { oneOf: [{ const: 1 }, { enum: ["a", "b"] }, { not: {} }] },
  },
  required: ["x"],
  additionalProperties: false,
  $defs: { item: { type: ["number", "null"], multipleOf: 0.5 } },
};
const ACTIONS: readonly JsonObject[] = [
  { name: "move", description: "Move.", schema: SCHEMA },
  { name: "look", description: "Look." },
];

export const GAME: readonly JsonObject[] = [
  { command: "startup" },
  { command: "context", data: { message: "It rains.", silent: true } },
  { command: "actions/register", data: { actions: ACTIONS } },
  { command: "actions/unregister", data: { action_names: ["look"] } },
  {
    command: "actions/force",
    game: "Fuzz",
    data: {
      state: "s",
      query: "q",
      ephemeral_context: true,
      priority: "high",
      action_names: ["move", "look"],
    },
  },
  { command: "action/result", data: { id: HEARD, success: true, message: "ok" } },
  { command: "shutdown/ready" },
  { command: "neuro-relay/hello", data: { a: 1 } },
  { command: "neuro-relay/trace", data: { enabled: true } },
];

export const INTEGRATION: readonly JsonObject[] = [
  ...GAME,
  { event: "register_actions", actions: { move: { description: "Move.", schema: SCHEMA }, look: {} } },
  { event: "unregister_actions", actions: ["look"] },
  { event: "action_result", payload: { id: HEARD, status: "ok" } },
  { op: "choose_force_action", state: "s", query: "q", action_names: ["move"] },
  { choice: { selected: "move", data: { x: 1 } } },
  { query: "get_registered_actions" },
  { ack: HEARD },
  { nak: HEARD, delay_ms: 10 },
  { term: HEARD },
  { mood: "passed", since: [1, 2, 3] },
];

export const WATCHER: readonly JsonObject[] = [
  { target: "one", cmd: { action: "ping" }, request_id: 1 },
  { target: "*", cmd: "all", request_id: "r" },
  { query: "peers", request_id: 2 },
  { query: "get_registered_actions" },
  { subscribe: { events: ["message_queued", "force_opened", "trace_ended"], after: "1700000000000-1", snapshot: true } },
  { choice: { selected: "move", data: "{}" } },
  { direct_to_neuro: true, payload: { command: "context", data: { message: "hi" } } },
];

export const UPSTREAM: readonly JsonObject[] = [
  { command: "action", data: { id: "1", name: HEARD, data: '{"x":1}' } },
  { command: "startup", data: { session: { sessionId: "s", characterId: "neuro", displayName: "Neuro" } } },
  { command: "speech_finished", data: { isFinal: true, cancelled: false, reason: "r" } },
  { command: "shutdown/graceful", data: { wants_shutdown: false } },
  { command: "actions/reregister_all" },
  { command: "voice/whatever", data: { a: 1 } },
];

export const BRAIN: readonly JsonObject[] = [
  { cmd: "CreateSession", owner: "me", initial_state: { a: 1, b: [1, 2] }, ttl_ms: 60_000 },
  { cmd: "ApplyOperator", session_id: HEARD, operator: "CH", params: { changes: { a: null } }, if_seq: 1 },
  { cmd: "ApplyOperator", session_id: HEARD, operator: "XYZ", params: { key: "k", value: [1] } },
  { cmd: "ApplyOperator", session_id: HEARD, operator: "ST", params: { changes: { a: 2, c: { d: [] } } }, op_id: HEARD },
  {
    cmd: "ApplyMacro",
    session_id: HEARD,
    name: "m",
    steps: [{ name: "ST", params: { changes: { a: 3 } } }, { name: "ST" }],
  },
  { cmd: "Infer", session_id: HEARD, payload: { text: "hello", trace_id: "t" } },
  { cmd: "GetState", session_id: HEARD, at_seq: 1 },
  { cmd: "GetAudit", session_id: HEARD, after_seq: 0, limit: 10 },
  { cmd: "GetLedger", session_id: HEARD, after_seq: 0 },
  { cmd: "ForkSession", session_id: HEARD, at_seq: 1, owner: "me" },
  { cmd: "SealSession", session_id: HEARD },
  { cmd: "ReplaySession", session_id: HEARD },
  { cmd: "EvaluateCovenant", session_id: HEARD, operator: "ST", params: { changes: {} } },
  { cmd: "ListOperators" },
  { cmd: "Subscribe", session_id: HEARD },
  { cmd: "Unsubscribe", session_id: HEARD },
  { cmd: "CloseSession", session_id: HEARD },
  { cmd: "Ping" },
];
