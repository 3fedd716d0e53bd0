/**
 * Decodes frames of games: input that can be understood is repaired and each repair is reported, unknown keys are dropped, and all other
 * input is refused. `main_thread`, a hidden key of the protocol, is kept.
 *
 * Invariants: DG1 `decodeGame` never throws; DG2 no field of a decoded message is null.
 * Knows nothing of: who sent the frame, what is registered.
 */
import type { Action, GameMessage, Priority } from "../core/neuro-messages.ts";
import { type Frame, isObject, type Json, type JsonObject } from "../core/json.ts";
import { DESCRIPTION_LENGTH_MAX } from "../core/limits.ts";
import { failed, type Failure, ok, type Result } from "../core/result.ts";
import { shorten } from "../core/text.ts";
import { addRepair, type Repair } from "./repair.ts";
import { readObject } from "./frame.ts";
import { decodeSchema } from "./decode-schema.ts";

export interface DecodedGameFrame {
  /** As the game writes it; undefined if the frame has none. */
  readonly game: string | undefined;
  readonly message: GameMessage;
  /** Empty for a frame that follows the specification. */
  readonly repairs: readonly Repair[];
}

export function decodeGame(frame: Frame, limits: { readonly json_depth: number }): Result<DecodedGameFrame> {
  const repairs: Repair[] = [];
  const envelope = readObject(frame, limits.json_depth, repairs);
  if (!envelope.ok) return envelope;
  const { command: given } = envelope.value;
  if (typeof given !== "string" || given === "") {
    return failed("badMessage", "`command` must be a text that is not empty");
  }
  knownKeys(envelope.value, ENVELOPE, repairs);
  const { game, data } = readGame(envelope.value, repairs);
  const message = readMessage(readCommand(given, repairs), data, repairs);
  if (!message.ok) return message;
  return ok({ game, message: message.value, repairs });
}

/** The name of the game, and the data of its message. Some clients put the name into the data. */
function readGame(
  { game, data }: JsonObject,
  repairs: Repair[],
): { readonly game: string | undefined; readonly data: Json | undefined } {
  const name = readName(game, repairs);
  if (name !== undefined || !isObject(data) || data["game"] === undefined) return { game: name, data };
  const { game: inner, ...rest } = data;
  const innerName = readName(inner, repairs);
  if (innerName === undefined) return { game: undefined, data };
  addRepair(repairs, "game_in_data");
  return { game: innerName, data: Object.keys(rest).length === 0 ? undefined : rest };
}

const COMMANDS: readonly string[] = [
  "action/result",
  "context",
  "actions/register",
  "actions/unregister",
  "actions/force",
  "startup",
  "shutdown/ready",
];
/** The letters of a command, where the plural of "action" does not count. */
const lettersOf = (command: string): string => command.toLowerCase().replace(/[^a-z]/g, "").replace("actions", "action");
const COMMANDS_BY_LETTERS: ReadonlyMap<string, string> = new Map(
  COMMANDS.map((command) => [lettersOf(command), command]),
);
const SPELLING_LENGTH_MAX = 32;

/** The command; one that differs only in separators, case or a plural is read as that of the API. */
function readCommand(given: string, repairs: Repair[]): string {
  if (COMMANDS.includes(given) || given.length > SPELLING_LENGTH_MAX) return given;
  const command = COMMANDS_BY_LETTERS.get(lettersOf(given));
  if (command === undefined) return given;
  addRepair(repairs, "command_spelling", command);
  return command;
}

/** The actions of an integration of another service, checked and repaired like those in a frame of a game. */
export function decodeActions(actions: readonly Action[]): Result<Pick<DecodedGameFrame, "message" | "repairs">> {
  const repairs: Repair[] = [];
  const given = actions.map(({ name, description, schema }) => ({ name, description, ...(schema && { schema }) }));
  const message = readRegister({ actions: given }, repairs);
  return message.ok ? ok({ message: message.value, repairs }) : message;
}

const ENVELOPE: readonly string[] = ["command", "game", "data"];
const NO_DATA: JsonObject = {};

function readMessage(command: string, data: Json | undefined, repairs: Repair[]): Result<GameMessage> {
  switch (command) {
    case "action/result":
      return readResult(readData(data, RESULT, repairs), repairs);
    case "context":
      return readContext(readData(data, CONTEXT, repairs), repairs);
    case "actions/register":
      return readRegister(readData(data, REGISTER, repairs), repairs);
    case "actions/unregister":
      return readUnregister(readData(withNames(data, repairs), UNREGISTER, repairs), repairs);
    case "actions/force":
      return readForce(readData(withNames(data, repairs), FORCE, repairs), repairs);
    case "startup":
    case "shutdown/ready":
      if (data !== undefined) addRepair(repairs, "unexpected_data", command);
      return ok({ command });
    default:
      // Why not `assertNever`: a game can send any command.
      return ok({ command: "other", name: command, ...(isObject(data) && { data }) });
  }
}

const RESULT: readonly string[] = ["id", "success", "message"];
const CONTEXT: readonly string[] = ["message", "silent"];
const REGISTER: readonly string[] = ["actions", "main_thread"];
const UNREGISTER: readonly string[] = ["action_names", "main_thread"];
const FORCE: readonly string[] = ["state", "query", "ephemeral_context", "priority", "action_names", "main_thread"];
const ACTION: readonly string[] = ["name", "description", "schema"];

function readResult(data: JsonObject, repairs: Repair[]): Result<GameMessage> {
  const { id: givenId, success: givenSuccess, message: givenMessage } = data;
  let id = givenId;
  if (typeof id === "number") {
    addRepair(repairs, "numeric_id");
    id = String(id);
  }
  if (typeof id !== "string" || id === "") return failed("badMessage", "`action/result` needs the `id` of its action");
  let success = givenSuccess;
  if (typeof success !== "boolean") {
    addRepair(repairs, "success_not_boolean");
    success = success === "true" || success === 1;
  }
  const message = typeof givenMessage === "string" ? givenMessage : readText(givenMessage, "message", repairs);
  if (message === undefined) return ok({ command: "action/result", id, success });
  return ok({ command: "action/result", id, success, message });
}

function readContext(data: JsonObject, repairs: Repair[]): Result<GameMessage> {
  const message = readText(data["message"], "message", repairs);
  if (message === undefined) return failed("badMessage", "`context` needs a `message`");
  const silent = data["silent"];
  if (silent === undefined || silent === null) addRepair(repairs, "silent_missing");
  return ok({ command: "context", message, silent: readBoolean(silent ?? undefined, "silent", repairs) ?? false });
}

function readRegister(data: JsonObject, repairs: Repair[]): Result<GameMessage> {
  const actions: Action[] = [];
  let refused: Failure | undefined;
  for (const given of readList(data["actions"], "actions", repairs)) {
    const action = readAction(given, repairs);
    if (action.ok) actions.push(action.value);
    else {
      refused ??= action;
      addRepair(repairs, "action_ignored", action.reason);
    }
  }
  // Why: the other actions of the message are registered; a message without a valid one is refused with the reason.
  if (refused !== undefined && actions.length === 0) return refused;
  return ok({ command: "actions/register", actions, ...readMainThread(data, repairs) });
}

function readAction(given: Json, repairs: Repair[]): Result<Action> {
  if (!isObject(given)) return failed("badMessage", "an action must be an object");
  const name = readName(given["name"], repairs);
  if (name === undefined) return failed("badMessage", "an action needs a `name`");
  knownKeys(given, ACTION, repairs);
  const schema = decodeSchema(given["schema"], repairs);
  if (!schema.ok) return failed(schema.fault, `${name.slice(0, 64)}: ${schema.reason}`);
  const whole = readText(given["description"], "description", repairs) ?? "";
  const description = shorten(whole, DESCRIPTION_LENGTH_MAX);
  if (description !== whole) addRepair(repairs, "description_shortened", `at most ${DESCRIPTION_LENGTH_MAX} characters`);
  if (description === "") addRepair(repairs, "description_missing", name.slice(0, 64));
  return ok({ name, description, ...(schema.value !== undefined && { schema: schema.value }) });
}

function readUnregister(data: JsonObject, repairs: Repair[]): Result<GameMessage> {
  const names = readNames(data["action_names"], repairs);
  return ok({ command: "actions/unregister", names, ...readMainThread(data, repairs) });
}

function readForce(data: JsonObject, repairs: Repair[]): Result<GameMessage> {
  if (data["action_names"] === undefined || data["action_names"] === null) {
    return failed("badMessage", "`actions/force` needs `action_names`");
  }
  const state = readText(data["state"], "state", repairs);
  return ok({
    command: "actions/force",
    ...(state !== undefined && { state }),
    query: readText(data["query"], "query", repairs) ?? "",
    ephemeral: readBoolean(data["ephemeral_context"], "ephemeral_context", repairs) ?? false,
    priority: readPriority(data["priority"], repairs),
    names: readNames(data["action_names"], repairs),
    ...readMainThread(data, repairs),
  });
}

const PRIORITIES: readonly Priority[] = ["low", "medium", "high", "critical"];

function readPriority(given: Json | undefined, repairs: Repair[]): Priority {
  if (given === undefined) return "low";
  const exact = PRIORITIES.find((priority) => priority === given);
  if (exact !== undefined) return exact;
  addRepair(repairs, "priority_unknown");
  return PRIORITIES.find((priority) => typeof given === "string" && priority === given.toLowerCase()) ?? "low";
}

function readMainThread(data: JsonObject, repairs: Repair[]): { readonly mainThread?: boolean } {
  const mainThread = readBoolean(data["main_thread"], "main_thread", repairs);
  return mainThread === undefined ? {} : { mainThread };
}

/** The `data` of a command that has some. An empty table of Lua arrives as an empty list, and counts as missing. */
function readData(data: Json | undefined, keys: readonly string[], repairs: Repair[]): JsonObject {
  if (!isObject(data)) {
    addRepair(repairs, "data_missing");
    return NO_DATA;
  }
  knownKeys(data, keys, repairs);
  return data;
}

function knownKeys(object: JsonObject, keys: readonly string[], repairs: Repair[]): void {
  for (const key in object) if (!keys.includes(key)) addRepair(repairs, "unknown_key", key.slice(0, 64));
}

/** A text; a value of another type is written as one. */
function readText(given: Json | undefined, where: string, repairs: Repair[]): string | undefined {
  if (typeof given === "string") return given;
  if (given === undefined) return undefined;
  addRepair(repairs, given === null ? "null_value" : "text_expected", where);
  if (given === null) return undefined;
  return typeof given === "object" ? JSON.stringify(given) : String(given);
}

function readBoolean(given: Json | undefined, where: string, repairs: Repair[]): boolean | undefined {
  if (typeof given === "boolean" || given === undefined) return given;
  addRepair(repairs, given === null ? "null_value" : "boolean_expected", where);
  return given === null ? undefined : given === "true" || given === 1;
}

function readName(given: Json | undefined, repairs: Repair[]): string | undefined {
  if (typeof given === "string") return given === "" ? undefined : given;
  if (typeof given !== "number") return undefined;
  addRepair(repairs, "text_expected", "name");
  return String(given);
}

/** The data with its names in `action_names`, where some clients have them under another key, or have nothing else. */
function withNames(data: Json | undefined, repairs: Repair[]): Json | undefined {
  const isList = Array.isArray(data) && data.length > 0;
  if (!isList && (!isObject(data) || (data["action_names"] !== undefined && data["action_names"] !== null))) return data;
  const key = isList
    ? undefined
    : NAMES_KEYS.find((name) => isObject(data) && data[name] !== undefined && data[name] !== null);
  if (!isList && key === undefined) return data;
  addRepair(repairs, "names_key");
  if (!isObject(data) || key === undefined) return { action_names: data ?? null };
  const { [key]: names, action_names: _none, ...rest } = data;
  return { ...rest, action_names: names };
}

const NAMES_KEYS: readonly string[] = ["actions", "names", "action_name", "name"];

function readNames(given: Json | undefined, repairs: Repair[]): readonly string[] {
  const names: string[] = [];
  for (const item of readList(given, "action_names", repairs)) {
    if (isObject(item) && item["name"] !== undefined) addRepair(repairs, "name_in_object");
    const name = readName(isObject(item) ? item["name"] : item, repairs);
    if (name === undefined) addRepair(repairs, "name_ignored");
    else names.push(name);
  }
  return names;
}

/** A list; nothing and `{}` are read as an empty one, and any other value as its only item. */
function readList(given: Json | undefined, where: string, repairs: Repair[]): readonly Json[] {
  if (Array.isArray(given)) return given;
  addRepair(repairs, "list_expected", where);
  if (given === undefined || given === null) return [];
  return isObject(given) && Object.keys(given).length === 0 ? [] : [given as Json];
}
