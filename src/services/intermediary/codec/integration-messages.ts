/**
 * Messages of integrations, read from JSON into a closed union: the events of the guides, the operations of the original relay and the
 * commands of the Neuro API. Never throws.
 *
 * Lenient: a message without a known meaning is free text, never an error.
 */
import type { Action, GameMessage, Priority } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { readChoice } from "./watcher-requests.ts";

/** A message of an integration. */
export type IntegrationMessage =
  | { readonly is: "game"; readonly message: GameMessage }
  | { readonly is: "choice"; readonly name: string; readonly data: string }
  | { readonly is: "ack"; readonly id: string }
  | { readonly is: "nak"; readonly id: string; readonly delayMs: Millis | undefined }
  | { readonly is: "term"; readonly id: string }
  | { readonly is: "actions" }
  | { readonly is: "freeText" };

const FREE_TEXT: IntegrationMessage = { is: "freeText" };

/** With `acks` the integration has asked for acks, so `ack`, `nak` and `term` are receipts and not free text. */
export function readIntegrationMessage(message: Json, acks: boolean): IntegrationMessage {
  if (!isObject(message)) return FREE_TEXT;
  if (acks) {
    const receipt = readReceipt(message);
    if (receipt !== undefined) return receipt;
  }
  const { event, op, command } = message;
  if (typeof command === "string") return readCommand(command, isObject(message.data) ? message.data : {});
  if (op === "choose_force_action") return { is: "game", message: readForce(message) };
  if (typeof event === "string") return readEvent(event, message);
  if (message.query === "get_registered_actions") return { is: "actions" };
  const choice = readChoice(message.choice);
  return choice === undefined ? FREE_TEXT : { is: "choice", ...choice };
}

function readReceipt({ ack, nak, term, delay_ms }: JsonObject): IntegrationMessage | undefined {
  if (typeof ack === "string") return { is: "ack", id: ack };
  if (typeof term === "string") return { is: "term", id: term };
  if (typeof nak !== "string") return undefined;
  const delayMs = typeof delay_ms === "number" && delay_ms >= 0
    ? Math.min(Math.floor(delay_ms), NAK_DELAY_MS_MAX)
    : undefined;
  return { is: "nak", id: nak, delayMs };
}

const NAK_DELAY_MS_MAX = 3_600_000;

function readEvent(event: string, message: JsonObject): IntegrationMessage {
  const payload = isObject(message.payload) ? message.payload : {};
  switch (event) {
    case "register_actions":
      return {
        is: "game",
        message: { command: "actions/register", actions: readActions(message.actions ?? payload.actions) },
      };
    case "unregister_actions": {
      const names = readNames(message.actions ?? message.action_names ?? payload.actions ?? payload.action_names);
      return { is: "game", message: { command: "actions/unregister", names } };
    }
    case "action_result":
      return { is: "game", message: readResult(payload) };
    default:
      // Why not `assertNever`: an integration can send any event or command.
      return FREE_TEXT;
  }
}

function readCommand(command: string, data: JsonObject): IntegrationMessage {
  const message = readKnownCommand(command, data);
  if (message !== undefined) return { is: "game", message };
  // Why: any other command may be the integration's own. Only commands with the prefix of a relay are passed on.
  if (!/^(neuro-relay|nrc-endpoints)\//.test(command)) return FREE_TEXT;
  return { is: "game", message: { command: "other", name: command, data } };
}

function readKnownCommand(command: string, data: JsonObject): GameMessage | undefined {
  switch (command) {
    case "startup":
    case "shutdown/ready":
      return { command };
    case "context":
      return { command, message: readMessage(data.message), silent: isTrue(data.silent) };
    case "actions/register":
      return { command, actions: readActions(data.actions) };
    case "actions/unregister":
      return { command, names: readNames(data.action_names) };
    case "actions/force":
      return readForce(data);
    case "action/result":
      return readResult(data);
    default:
      // Why not `assertNever`: an integration can send any event or command.
      return undefined;
  }
}

/** The object keyed by name, or the array of the Neuro API. Entries that are not actions are skipped. */
function readActions(raw: Json | undefined): Action[] {
  if (Array.isArray(raw)) return raw.flatMap((entry) => readAction(isObject(entry) ? entry.name : entry, entry));
  return isObject(raw) ? Object.entries(raw).flatMap(([name, entry]) => readAction(name, entry)) : [];
}

function readAction(name: Json | undefined, entry: Json | undefined): Action[] {
  if (typeof name !== "string" || name === "") return [];
  const fields = isObject(entry) ? entry : {};
  // Why: in the original relay an entry is the schema itself. In the Neuro API it contains a schema.
  const isDefinition = isObject(fields.schema) || (fields.type === undefined && fields.properties === undefined);
  const schema = isDefinition ? fields.schema : fields;
  const description = textOf(fields.description) ?? (isObject(schema) ? textOf(schema.description) : undefined) ??
    descriptionOf(name);
  return [isObject(schema) && Object.keys(schema).length > 0 ? { name, description, schema } : { name, description }];
}

const descriptionOf = (name: string): string => name.replace(/[_\-/.]+|(?<=[a-z])(?=[A-Z])/g, " ").trim() || name;

function readNames(raw: Json | undefined): string[] {
  if (Array.isArray(raw)) {
    return raw.map((entry) => (isObject(entry) ? entry.name : entry)).filter((name): name is string =>
      typeof name === "string" && name !== ""
    );
  }
  if (typeof raw === "string") return [raw];
  return isObject(raw) ? Object.keys(raw) : [];
}

const PRIORITIES: readonly Priority[] = ["low", "medium", "high", "critical"];

function readForce(data: JsonObject): GameMessage {
  const state = data.state === undefined || data.state === null
    ? undefined
    : textOf(data.state) ?? JSON.stringify(data.state);
  return {
    command: "actions/force",
    ...(state !== undefined && { state }),
    query: textOf(data.query) ?? "",
    ephemeral: isTrue(data.ephemeral_context),
    priority: readPriority(data.priority),
    names: readNames(data.action_names ?? data.actions),
  };
}

const readPriority = (given: Json | undefined): Priority =>
  PRIORITIES.find((priority) => typeof given === "string" && priority === given.toLowerCase()) ?? "low";

const DONE: readonly Json[] = ["ok", "success", "done"];

/** A context. A value of another type than a text is written as one. */
function readMessage(message: Json | undefined): string {
  if (typeof message === "string") return message;
  return message === undefined || message === null ? "" : JSON.stringify(message);
}

/** True as the readers of the game port take it. */
const isTrue = (value: Json | undefined): boolean => value === true || value === "true" || value === 1;

/** Success as the Neuro API reports it (`success`), or as the guides do (`status`). */
function isSuccess({ success, status }: JsonObject): boolean {
  if (success === undefined || success === null) return status !== undefined && DONE.includes(status);
  return isTrue(success);
}

function readResult(data: JsonObject): GameMessage {
  const { id } = data;
  const message = textOf(data.message) ?? textOf(data.error);
  return {
    command: "action/result",
    ...(typeof id === "string" ? { id } : typeof id === "number" ? { id: String(id) } : {}),
    success: isSuccess(data),
    ...(message !== undefined && { message }),
  };
}

const textOf = (
  value: Json | undefined,
): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
