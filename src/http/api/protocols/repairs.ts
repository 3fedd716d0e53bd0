/** The repairs of messages to Neuro: an example of each, which the reader itself repairs when the document is made. */
import { assertNever } from "../../../core/assert.ts";
import { DIAGNOSTICS } from "../../../core/diagnostics/catalogue.ts";
import { DEFAULTS } from "../../../core/defaults.ts";
import { type Json, type JsonObject, plain } from "../../../core/json.ts";
import { DESCRIPTION_LENGTH_MAX } from "../../../core/limits.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { decodeGame } from "../../../neuro-api/decode-game.ts";
import type { RepairKind } from "../../../neuro-api/repair.ts";

/** A repair with the frame of a game, and the message as it is understood. */
export interface RepairExample {
  readonly what: RepairKind;
  readonly hint: string;
  readonly before: string;
  /** Absent where the reader of one message does not decide it. */
  readonly after?: string;
}

const frame = (command: string, data?: Json): string =>
  JSON.stringify({ command, game: "Chess", ...(data !== undefined && { data }) });
const context = (more: JsonObject): string => frame("context", { message: "Check.", silent: true, ...more });
const result = (more: JsonObject): string => frame("action/result", { id: "a1", success: true, ...more });
const register = (more: JsonObject): string =>
  frame("actions/register", { actions: [{ name: "move", description: "Moves a piece.", ...more }] });
const withSchema = (schema: Json): string => register({ schema });
const property = (schema: JsonObject): string => withSchema({ type: "object", properties: { to: schema } });
const force = (more: JsonObject): string =>
  frame("actions/force", { query: "Your move.", action_names: ["move"], ...more });

const EXAMPLES: Readonly<Record<RepairKind, string>> = {
  binary_frame: context({}),
  byte_order_mark: `\ufeff${context({})}`,
  unknown_key: context({ volume: 3 }),
  unexpected_data: frame("startup", {}),
  data_missing: frame("actions/register", [{ name: "move", description: "Moves a piece." }]),
  text_expected: context({ message: 42 }),
  boolean_expected: context({ silent: "true" }),
  null_value: result({ message: null }),
  silent_missing: frame("context", { message: "Check." }),
  query_missing: frame("actions/force", { action_names: ["move"] }),
  numeric_id: result({ id: 7 }),
  success_not_boolean: result({ success: "true" }),
  list_expected: frame("actions/unregister", { action_names: "move" }),
  name_ignored: frame("actions/unregister", { action_names: ["move", ""] }),
  priority_unknown: force({ priority: "HIGH" }),
  description_missing: register({ description: "" }),
  description_shortened: register({ description: "x".repeat(DESCRIPTION_LENGTH_MAX + 1) }),
  schema_empty: withSchema([]),
  schema_not_object: withSchema(5),
  schema_type_missing: withSchema({ properties: { to: { type: "string" } } }),
  schema_type_unsupported: withSchema({ type: "string" }),
  schema_text: withSchema('{"type":"object"}'),
  schema_value: withSchema({ type: "object", properties: { to: { type: "string" } }, required: "to" }),
  schema_keywords: withSchema({ type: "object", additionalProperties: false }),
  schema_pattern: property({ type: "string", pattern: "^(a+)+$" }),
  action_ignored: frame("actions/register", { actions: [7, { name: "move", description: "Moves a piece." }] }),
  registered_twice: register({}),
  command_spelling: frame("action/register", { actions: [{ name: "move", description: "Moves a piece." }] }),
  game_in_data: JSON.stringify({ command: "context", data: { game: "Chess", message: "Check.", silent: true } }),
  name_in_object: frame("actions/unregister", { action_names: [{ name: "move" }] }),
  names_key: frame("actions/unregister", { actions: ["move"] }),
  name_twice: frame("actions/unregister", { action_names: ["move", "move"] }),
  action_text: frame("actions/register", { actions: ["move"] }),
  keys_repeated: register({}).replace('"name":', '"name":"jump","name":'),
  keys_reordered: withSchema({ type: "object", properties: { b: {} } }).replace('"b":{}', '"b":{},"1":{}'),
  result_id_missing: JSON.stringify({ event: "action_result", payload: { success: true } }),
};

/** Text that nobody wants to read. */
const LONG_TEXT = /x{99,}/g;

/** All repairs. */
export function repairExamples(): readonly RepairExample[] {
  // Why the cast: `Object.keys` forgets the names of a record.
  return (Object.keys(EXAMPLES) as RepairKind[]).map((what) => {
    const before = EXAMPLES[what];
    const read = decodeGame(what === "binary_frame" ? new TextEncoder().encode(before) : before, DEFAULTS.limits);
    const repair = read.ok ? read.repairs.find((one) => one.what === what) : undefined;
    const hint = repair?.hint ?? DIAGNOSTICS[what].fix;
    if (!read.ok || repair === undefined) return { what, hint, before };
    const after = JSON.stringify(frameOf(read.message, read.game));
    return { what, hint, before: before.replace(LONG_TEXT, "xxx..."), after: after.replace(LONG_TEXT, "xxx...") };
  });
}

function frameOf(message: GameMessage, game: string | undefined): JsonObject {
  const head = { command: message.command, game };
  switch (message.command) {
    case "startup":
    case "shutdown/ready":
      return head;
    case "context":
      return { ...head, data: { message: message.message, silent: message.silent } };
    case "actions/register":
      return { ...head, data: { actions: plain(message.actions) } };
    case "actions/unregister":
      return { ...head, data: { action_names: message.names } };
    case "actions/force": {
      const { state, query, ephemeral, priority, names } = message;
      return { ...head, data: { state, query, ephemeral_context: ephemeral, priority, action_names: names } };
    }
    case "action/result":
      return { ...head, data: { id: message.id, success: message.success, message: message.message } };
    case "other":
      return { command: message.name, game, data: message.data };
    default:
      return assertNever(message);
  }
}
