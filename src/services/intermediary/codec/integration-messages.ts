/**
 * Messages of integrations, read from JSON into a closed union. The events of the guides and the operations of the original relay are
 * translated into commands of the Neuro API, which the same reader reads as those of games. Nothing here throws.
 *
 * Lenient: a message without a known meaning is free text, never an error.
 */
import type { GameMessage } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import { isNumber, isObject, type Json, type JsonObject, numberOf } from "../../../core/json.ts";
import type { FaultName } from "../../../core/fault.ts";
import { actionsByName, decodeMessage, isCommand, type ReaderLimits } from "../../../neuro-api/decode-game.ts";
import type { Repair } from "../../../neuro-api/repair.ts";
import { inWords, requestIdProblem, wrongField } from "./problems.ts";
import { type ChosenAction, readChoice } from "./watcher-requests.ts";

/** A message of an integration. */
export type IntegrationMessage =
  /** `choice`: what a result without an id means while a choice is open. */
  | {
    readonly is: "game";
    readonly message: GameMessage;
    readonly repairs: readonly Repair[];
    readonly choice?: ChosenAction | undefined;
  }
  /** A command of the Neuro API that cannot be understood. */
  | { readonly is: "refused"; readonly fault: FaultName; readonly reason: string }
  | ({ readonly is: "choice" } & ChosenAction)
  | { readonly is: "ack"; readonly id: string }
  | { readonly is: "nak"; readonly id: string; readonly delayMs: Millis | undefined }
  | { readonly is: "term"; readonly id: string }
  | { readonly is: "actions" }
  /** `problem`: why it may have been meant as something else. */
  | { readonly is: "freeText"; readonly problem?: string };

const FREE_TEXT: IntegrationMessage = { is: "freeText" };
const freeText = (problem: string): IntegrationMessage => ({ is: "freeText", problem });

export interface IntegrationReading {
  /** The integration has asked for acks, so `ack`, `nak` and `term` are receipts and not free text. */
  readonly acks: boolean;
  readonly limits: ReaderLimits;
}

export function readIntegrationMessage(message: Json, { acks, limits }: IntegrationReading): IntegrationMessage {
  if (typeof message === "string") return FREE_TEXT;
  if (!isObject(message)) return freeText(`a message must be an object, not ${inWords(message)}`);
  if (acks) {
    const receipt = readReceipt(message);
    if (receipt !== undefined) return receipt;
  }
  if (message.op === "choose_force_action" && message.command === undefined) {
    const { actions, action_names } = message;
    if ((actions ?? action_names ?? undefined) === undefined) {
      return { is: "refused", fault: "badMessage", reason: wrongField("actions", "a list of action names", actions) };
    }
  }
  const translated = translate(message);
  if (translated !== undefined) {
    const decoded = decodeMessage(translated.command, translated.data, limits, message);
    return decoded.ok ? { is: "game", ...decoded.value } : { is: "refused", fault: decoded.fault, reason: decoded.reason };
  }
  if (typeof message.command === "string") return freeText(wrongField("command", "one of the Neuro API", message.command));
  if (message.event === "action_result") return readResult(isObject(message.payload) ? message.payload : {}, limits);
  if (typeof message.event === "string" && message.event !== "") return FREE_TEXT;
  if (message.query === "get_registered_actions") {
    const problem = requestIdProblem(message);
    return problem === undefined ? { is: "actions" } : { is: "refused", fault: "badMessage", reason: problem };
  }
  const choice = readChoice(message.choice);
  if (choice !== undefined) return { is: "choice", ...choice };
  if (message.action === "raw_text" && typeof message.raw === "string") return FREE_TEXT;
  return freeText(problemOf(message));
}

/** Why a message has no meaning: the first field that shows what its author meant. */
function problemOf({ command, op, event, query, choice }: JsonObject): string {
  if (command !== undefined) return wrongField("command", "one of the Neuro API", command);
  if (event !== undefined) return wrongField("event", "the name of an event", event);
  if (op !== undefined) return wrongField("op", '"choose_force_action"', op);
  if (query !== undefined) return wrongField("query", '"get_registered_actions"', query);
  if (isObject(choice)) return wrongField("choice.selected", "the name of an action", choice.selected);
  if (choice !== undefined) return wrongField("choice", "an object", choice);
  return "a message has one of `event`, `command`, `op`, `query` and `choice`";
}

function readReceipt({ ack, nak, term, delay_ms, ...others }: JsonObject): IntegrationMessage | undefined {
  if (typeof ack === "string") return { is: "ack", id: ack };
  if (typeof term === "string") return { is: "term", id: term };
  if (typeof nak !== "string") {
    if (Object.keys(others).length > 0) return undefined;
    const [field, found] = ack !== undefined ? ["ack", ack] : nak !== undefined ? ["nak", nak] : ["term", term];
    if (found === undefined) return undefined;
    return { is: "refused", fault: "badMessage", reason: wrongField(field, "the id of a message", found) };
  }
  const delay = numberOf(delay_ms) ?? -1;
  return { is: "nak", id: nak, delayMs: delay >= 0 ? Math.min(Math.floor(delay), NAK_DELAY_MS_MAX) : undefined };
}

const NAK_DELAY_MS_MAX = 3_600_000;

interface Translated {
  readonly command: string;
  readonly data: Json | undefined;
}

/** A message as a command of the Neuro API. Undefined if it has no such meaning. */
function translate(message: JsonObject): Translated | undefined {
  const { command, data, op, event } = message;
  if (typeof command === "string") {
    // Why: any other command may be the integration's own. Only commands with the prefix of a relay are passed on.
    return isCommand(command) || /^(neuro-relay|nrc-endpoints)\//.test(command) ? { command, data } : undefined;
  }
  if (op === "choose_force_action") return { command: "actions/force", data: forceFields(message) };
  if (typeof event !== "string") return undefined;
  const payload = isObject(message.payload) ? message.payload : {};
  switch (event) {
    case "register_actions": {
      const actions = message.actions ?? payload.actions;
      // Why here: in an event the object by name is the documented form, and no reason for a hint.
      return { command: "actions/register", data: { actions: isByName(actions) ? actionsByName(actions) : actions } };
    }
    case "unregister_actions": {
      const names = message.actions ?? message.action_names ?? payload.actions ?? payload.action_names;
      return { command: "actions/unregister", data: { action_names: names } };
    }
    default:
      // Why not `assertNever`: an integration can send any event or command.
      return undefined;
  }
}

const isByName = (actions: Json | undefined): actions is JsonObject =>
  isObject(actions) && typeof actions.name !== "string" && Object.keys(actions).length > 0;

const FORCE_FIELDS: readonly string[] = ["state", "query", "ephemeral_context", "priority", "main_thread"];

/** The fields of a force in an operation of the original relay. */
function forceFields(message: JsonObject): JsonObject {
  const fields = FORCE_FIELDS.flatMap((name): [string, Json][] => {
    const value = message[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(fields), action_names: message.action_names ?? message.actions };
}

const DONE: readonly Json[] = ["ok", "success", "done"];
/** Takes the place of a missing id, for the reader. */
const NO_ID = "none";

/** A result as the guides send it: with `status` or `success`, with or without an id. */
function readResult(payload: JsonObject, limits: ReaderLimits): IntegrationMessage {
  const { id, success, status, message, error } = payload;
  const isDone = success ?? (status !== undefined && DONE.includes(status));
  const text = message ?? error ?? message;
  const hasId = isNumber(id) || (typeof id === "string" && id !== "");
  const data: JsonObject = { id: hasId ? id : NO_ID, success: isDone, ...(text !== undefined && { message: text }) };
  const decoded = decodeMessage("action/result", data, limits);
  if (!decoded.ok) return { is: "refused", fault: decoded.fault, reason: decoded.reason };
  if (hasId || decoded.value.message.command !== "action/result") return { is: "game", ...decoded.value };
  const { id: _, ...withoutId } = decoded.value.message;
  const choice = withoutId.success || (success ?? status) === undefined ? readDecision(payload) : undefined;
  return { is: "game", message: withoutId, repairs: decoded.value.repairs, choice };
}

/** The answer to `choose_action` that the guides of the original relay send: the action is `decision` in one, `action` in the other. */
const readDecision = ({ decision, action, data }: JsonObject): ChosenAction | undefined =>
  readChoice({ selected: decision ?? action ?? null, data: data ?? null });
