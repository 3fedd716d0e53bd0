/**
 * The one reader of messages to Neuro, from games and from integrations of the Intermediary: input that can be understood is repaired and
 * each repair is reported, unknown keys are dropped, and all other input is refused. `main_thread`, a hidden key of the protocol, is kept.
 *
 * Invariants: DG1 nothing here throws; DG2 no field of a decoded message is null; DG3 a message means the same through every listener.
 * Knows nothing of: who sent the message, what is registered.
 */
import type { Action, ContextMessage, GameMessage, Priority } from "../core/neuro-messages.ts";
import { type Frame, isNumber, isObject, type Json, type JsonObject, parseJson, truthOf } from "../core/json.ts";
import { DESCRIPTION_LENGTH_MAX } from "../core/limits.ts";
import { failed, type Failure, ok, type Result } from "../core/result.ts";
import type { LimitSettings } from "../core/settings.ts";
import { Secrets } from "../core/secrets.ts";
import { lenientText, shorten } from "../core/text.ts";
import { addRepair, hintOf, NO_REPAIRS, type Repair } from "./repair.ts";
import { readObject } from "./frame.ts";
import { lostKeysIn } from "./lost-keys.ts";
import { decodeSchema } from "./decode-schema.ts";
import { readUsualMessage } from "./usual-frames.ts";

export type ReaderLimits = Pick<LimitSettings, "json_depth" | "schema_bytes">;

export interface DecodedMessage {
  readonly message: GameMessage;
  /** Empty for a message that follows the specification. */
  readonly repairs: readonly Repair[];
}

// Why no `Result`: it would be one more object for each frame.
export interface DecodedGameFrame extends DecodedMessage {
  readonly ok: true;
  /** As the game writes it; undefined if the frame has none. */
  readonly game: string | undefined;
}

/** A message in a frame of a game. */
export function decodeGame(frame: Frame, limits: ReaderLimits): DecodedGameFrame | Failure {
  const usual = typeof frame === "string" ? readUsualMessage(frame) : undefined;
  if (usual !== undefined) return usual;
  const repairs = emptyList();
  const envelope = readObject(frame, limits.json_depth, repairs);
  if (!envelope.ok) return envelope;
  const { command: given, game: outerGame, data: outerData } = envelope.value;
  if (typeof given !== "string" || given === "") {
    return failed("badMessage", "`command` must be a text that is not empty");
  }
  const name = readName(outerGame, repairs);
  const inner = name === undefined ? gameInData(outerData, repairs) : undefined;
  const { game, data } = inner ?? { game: name, data: outerData };
  const command = readCommand(given, repairs);
  const beside = fieldsBeside(command, data, envelope.value, repairs);
  knownKeys(envelope.value, beside === undefined ? ENVELOPE : [...ENVELOPE, ...Object.keys(beside)], repairs);
  const message = readMessage(command, beside ?? data, repairs, limits);
  if ("fault" in message) return message;
  // Why not for all: an ordinary context or result has no object that is passed on, and these are nearly all messages.
  if (repairs.length > 0 || (command !== "context" && command !== "action/result")) {
    // Why first: a frame that JavaScript writes as it read it has lost nothing, and to write it takes a tenth of the scan.
    if (JSON.stringify(envelope.value) !== frame) addLostKeys(frame, repairs);
  }
  return { ok: true, game, message, repairs: repairs.length > 0 ? repairs : NO_REPAIRS };
}

/** The repairs of the latest message. Why kept: nearly all messages need none, so the next one can have the same list. */
let latestRepairs: Repair[] = [];

function emptyList(): Repair[] {
  if (latestRepairs.length > 0) latestRepairs = [];
  return latestRepairs;
}

function addLostKeys(frame: Frame, repairs: Repair[]): void {
  const { repeated, reordered } = lostKeysIn(lenientText(frame));
  if (repeated !== undefined) addRepair(repairs, "keys_repeated", shown(repeated));
  if (reordered !== undefined) addRepair(repairs, "keys_reordered", shown(reordered));
}

/** A message as a command with its data. `message`: where fields are that should be in the data. */
export function decodeMessage(
  given: string,
  data: Json | undefined,
  limits: ReaderLimits,
  message: JsonObject = {},
): Result<DecodedMessage> {
  const repairs: Repair[] = [];
  const command = readCommand(given, repairs);
  const beside = fieldsBeside(command, data, message, repairs);
  const decoded = readMessage(command, beside ?? data, repairs, limits);
  return "fault" in decoded ? decoded : ok({ message: decoded, repairs });
}

/** A context from its fields alone, for requests that are no messages. */
export function decodeContext(fields: JsonObject): Result<DecodedMessage & { readonly message: ContextMessage }> {
  const repairs: Repair[] = [];
  const message = readContext(fields, repairs);
  return "fault" in message ? message : ok({ message, repairs });
}

/** True for a command of the API, however it is spelled. */
export const isCommand = (given: string): boolean => COMMANDS.includes(given) || respelled(given) !== undefined;

/** The name of the game that some clients put into the data, and the rest of the data. Undefined if there is none. */
function gameInData(
  data: Json | undefined,
  repairs: Repair[],
): { readonly game: string; readonly data: Json | undefined } | undefined {
  if (!isObject(data) || data["game"] === undefined) return undefined;
  const { game: given, ...rest } = data;
  const game = readName(given, repairs);
  if (game === undefined) return undefined;
  addRepair(repairs, "game_in_data");
  return { game, data: Object.keys(rest).length === 0 ? undefined : rest };
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
  if (COMMANDS.includes(given)) return given;
  const command = respelled(given);
  if (command === undefined) return given;
  addRepair(repairs, "command_spelling", command);
  return command;
}

const respelled = (given: string): string | undefined =>
  given.length > SPELLING_LENGTH_MAX ? undefined : COMMANDS_BY_LETTERS.get(lettersOf(given));

const ENVELOPE: readonly string[] = ["command", "game", "data"];
const NO_DATA: JsonObject = {};

interface Reading {
  readonly repairs: Repair[];
  readonly limits: ReaderLimits;
}

/** What a message was read as, or why it cannot be read. Why no `Result`: it would be one more object for each message. */
type Read<Message extends GameMessage = GameMessage> = Message | Failure;

function readMessage(command: string, given: Json | undefined, repairs: Repair[], limits: ReaderLimits): Read {
  const data = typeof given === "string" ? fromText(given, { repairs, limits }) : given;
  switch (command) {
    case "action/result":
      return readResult(readData(data, RESULT, repairs), repairs);
    case "context":
      return readContext(readData(withMessage(data, repairs), CONTEXT, repairs), repairs);
    case "actions/register":
      return readRegister(readData(withActions(data, repairs), REGISTER, repairs), { repairs, limits });
    case "actions/unregister":
      return readUnregister(readData(withNames(data, repairs), UNREGISTER, repairs), repairs);
    case "actions/force":
      return readForce(readData(withNames(data, repairs), FORCE, repairs), repairs);
    case "startup":
    case "shutdown/ready":
      if (data !== undefined) addRepair(repairs, "unexpected_data", command);
      return { command };
    default:
      // Why not `assertNever`: a game can send any command.
      return { command: "other", name: command, ...(isObject(data) && { data }) };
  }
}

/** The object in a text, which some clients send as data. */
function fromText(text: string, { repairs, limits }: Reading): Json {
  const parsed = parseJson(text, limits.json_depth);
  if (!isObject(parsed)) return text;
  addRepair(repairs, "data_missing");
  return parsed;
}

const RESULT: readonly string[] = ["id", "success", "message"];
const CONTEXT: readonly string[] = ["message", "silent"];
const REGISTER: readonly string[] = ["actions", "main_thread"];
const UNREGISTER: readonly string[] = ["action_names", "main_thread"];
const FORCE: readonly string[] = ["state", "query", "ephemeral_context", "priority", "action_names", "main_thread"];
const ACTION: readonly string[] = ["name", "description", "schema"];
/** Keys under which some clients send the names of actions. */
const NAMES_KEYS: readonly string[] = ["actions", "names", "action_name", "name"];
/** Where the fields of a command can be found beside it. */
const DATA_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ["action/result", RESULT],
  ["context", CONTEXT],
  ["actions/register", REGISTER],
  ["actions/unregister", [...UNREGISTER, ...NAMES_KEYS]],
  ["actions/force", [...FORCE, ...NAMES_KEYS]],
]);

const fieldsIn = (message: JsonObject, keys: readonly string[]): readonly (readonly [string, Json | undefined])[] =>
  Object.entries(message).filter(([key]) => keys.includes(key));

/** The data of a message without `data`: its fields, if some clients' mistake put them beside the command. */
function fieldsBeside(
  command: string,
  data: Json | undefined,
  message: JsonObject,
  repairs: Repair[],
): JsonObject | undefined {
  const keys = data === undefined || data === null ? DATA_KEYS.get(command) : undefined;
  if (keys === undefined) return undefined;
  const fields = fieldsIn(message, keys);
  if (fields.length === 0) return undefined;
  addRepair(repairs, "data_missing", fields.map(([key]) => key).join(", "));
  return Object.fromEntries(fields);
}

function readResult(data: JsonObject, repairs: Repair[]): Read {
  const { id: givenId, success: givenSuccess, message: givenMessage } = data;
  let id = givenId;
  if (isNumber(id)) {
    addRepair(repairs, "numeric_id");
    id = String(id);
  }
  if (typeof id !== "string" || id === "") return failed("badMessage", "`action/result` needs the `id` of its action");
  let success = givenSuccess;
  if (typeof success !== "boolean") {
    addRepair(repairs, "success_not_boolean");
    success = truthOf(success) ?? false;
  }
  const message = typeof givenMessage === "string" ? givenMessage : readText(givenMessage, "message", repairs);
  return message === undefined
    ? { command: "action/result", id, success }
    : { command: "action/result", id, success, message };
}

function readContext(data: JsonObject, repairs: Repair[]): Read<ContextMessage> {
  const message = readText(data["message"], "message", repairs);
  if (message === undefined) return failed("badMessage", "`context` needs a `message`");
  const silent = data["silent"];
  if (silent === undefined || silent === null) addRepair(repairs, "silent_missing");
  return { command: "context", message, silent: readBoolean(silent ?? undefined, "silent", repairs) ?? false };
}

function readRegister(data: JsonObject, { repairs, limits }: Reading): Read {
  const actions: Action[] = [];
  const names = new Set<string>();
  let refused: Failure | undefined;
  for (const [at, given] of readActions(data["actions"], repairs).entries()) {
    const action = readAction(given, { repairs, limits }, at);
    if (action.ok) {
      const { name } = action.value;
      if (names.has(name)) addRepair(repairs, "name_twice", shown(name));
      names.add(name);
      actions.push(action.value);
    } else {
      refused ??= action;
      addRepair(repairs, "action_ignored", action.reason);
    }
  }
  // Why: the other actions of the message are registered; a message without a valid one is refused with the reasons.
  if (refused !== undefined && actions.length === 0) return failed(refused.fault, hintOf(repairs, "action_ignored"));
  return { command: "actions/register", actions, ...readMainThread(data, repairs) };
}

/** A list of actions, or an object with the actions by name, as the original relay took it. */
function readActions(given: Json | undefined, repairs: Repair[]): readonly Json[] {
  if (Array.isArray(given)) return given;
  if (!isObject(given) || isName(given["name"]) || Object.keys(given).length === 0) {
    return readList(given, "actions", repairs);
  }
  addRepair(repairs, "list_expected", "actions");
  return actionsByName(given);
}

/** The actions of an object that has them by name, or by number with their names in them. The value is a schema, or has one as the Neuro API does. */
export const actionsByName = (actions: JsonObject): readonly Json[] =>
  numbered(actions) ?? Object.entries(actions).map(([name, entry = null]) => {
    const fields = isObject(entry) ? entry : {};
    const { schema, description, type, properties } = fields;
    const isDefinition = isObject(schema) || (type === undefined && properties === undefined);
    const inner = isDefinition ? schema : fields;
    const innerDescription = isObject(inner) ? inner["description"] : undefined;
    const words = [description, innerDescription].find((text) => typeof text === "string" && text !== "");
    return { name, description: words ?? inWords(name), ...(inner !== undefined && inner !== null && { schema: inner }) };
  });

/** The items of a list that a program wrote as an object, with their numbers as keys; undefined if an item has no name. */
function numbered(given: JsonObject): readonly Json[] | undefined {
  const items = Object.entries(given);
  const first = items[0]?.[0] === "0" ? 0 : 1;
  const isList = items.every(([key, item], at) =>
    key === String(first + at) && isName(isObject(item) ? item["name"] : item)
  );
  return isList ? items.map(([, item]) => item ?? null) : undefined;
}

const inWords = (name: string): string => name.replace(/[_\-/.]+|(?<=[a-z])(?=[A-Z])/g, " ").trim() || name;

function readAction(given: Json, { repairs, limits }: Reading, at: number): Result<Action> {
  if (typeof given === "string" && given !== "") {
    addRepair(repairs, "action_text", shown(given));
    return ok({ name: given, description: "" });
  }
  if (!isObject(given)) return failed("badMessage", `action ${at + 1} must be an object`);
  const name = readName(given["name"], repairs);
  if (name === undefined) return failed("badMessage", `action ${at + 1} needs a \`name\``);
  knownKeys(given, ACTION, repairs);
  const where = shown(name);
  const schema = decodeSchema(given["schema"], { repairs, bytesMax: limits.schema_bytes, where });
  if (!schema.ok) return failed(schema.fault, `${where}: ${schema.reason}`);
  const whole = readText(given["description"], "description", repairs) ?? "";
  const description = shorten(whole, DESCRIPTION_LENGTH_MAX);
  if (description !== whole) addRepair(repairs, "description_shortened", `${where} has ${whole.length}`);
  if (description === "") addRepair(repairs, "description_missing", where);
  return ok({ name, description, ...(schema.value !== undefined && { schema: schema.value }) });
}

/** The beginning of a name, for a hint. */
const shown = (name: string): string => name.slice(0, 64);

function readUnregister(data: JsonObject, repairs: Repair[]): Read {
  const names = readNames(data["action_names"], repairs);
  return { command: "actions/unregister", names, ...readMainThread(data, repairs) };
}

function readForce(data: JsonObject, repairs: Repair[]): Read {
  if (data["action_names"] === undefined || data["action_names"] === null) {
    return failed("badMessage", "`actions/force` needs `action_names`");
  }
  const state = readText(data["state"], "state", repairs);
  if (data["query"] === undefined) addRepair(repairs, "query_missing");
  return {
    command: "actions/force",
    ...(state !== undefined && { state }),
    query: readText(data["query"], "query", repairs) ?? "",
    ephemeral: readBoolean(data["ephemeral_context"], "ephemeral_context", repairs) ?? false,
    priority: readPriority(data["priority"], repairs),
    names: readNames(data["action_names"], repairs),
    ...readMainThread(data, repairs),
  };
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
  return typeof given === "object" ? CREDENTIALS.redact(JSON.stringify(given)) : String(given);
}

/** Removes the values of `auth_token`: a program that passes its own message on as a text must not tell Neuro its token. */
const CREDENTIALS = new Secrets();

function readBoolean(given: Json | undefined, where: string, repairs: Repair[]): boolean | undefined {
  if (typeof given === "boolean" || given === undefined) return given;
  addRepair(repairs, given === null ? "null_value" : "boolean_expected", where);
  return given === null ? undefined : truthOf(given) ?? false;
}

const isName = (given: Json | undefined): boolean => typeof given === "string" || isNumber(given);

function readName(given: Json | undefined, repairs: Repair[]): string | undefined {
  if (typeof given === "string") return given === "" ? undefined : given;
  if (!isNumber(given)) return undefined;
  addRepair(repairs, "text_expected", "name");
  return String(given);
}

/** The data with its text in `message`, where some clients send nothing but the text. */
function withMessage(data: Json | undefined, repairs: Repair[]): Json | undefined {
  if (typeof data !== "string" || data === "") return data;
  addRepair(repairs, "data_missing");
  return { message: data };
}

/** The data with its actions in `actions`, where some clients send nothing but the list. */
function withActions(data: Json | undefined, repairs: Repair[]): Json | undefined {
  if (!Array.isArray(data) || data.length === 0) return data;
  addRepair(repairs, "data_missing");
  return { actions: data };
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

function readNames(given: Json | undefined, repairs: Repair[]): readonly string[] {
  const names = new Set<string>();
  for (const item of readNameList(given, repairs)) {
    if (isObject(item) && item["name"] !== undefined) addRepair(repairs, "name_in_object");
    const name = readName(isObject(item) ? item["name"] : item, repairs);
    if (name === undefined) addRepair(repairs, "name_ignored");
    else if (names.has(name)) addRepair(repairs, "name_twice", shown(name));
    else names.add(name);
  }
  return [...names];
}

/** A list of names, or an object with something by name, or with the names by number. */
function readNameList(given: Json | undefined, repairs: Repair[]): readonly Json[] {
  if (!isObject(given) || given["name"] !== undefined) return readList(given, "action_names", repairs);
  addRepair(repairs, "list_expected", "action_names");
  return numbered(given) ?? Object.keys(given);
}

/** A list; nothing and `{}` are read as an empty one, and any other value as its only item. */
function readList(given: Json | undefined, where: string, repairs: Repair[]): readonly Json[] {
  if (Array.isArray(given)) return given;
  addRepair(repairs, "list_expected", where);
  if (given === undefined || given === null) return [];
  return isObject(given) && Object.keys(given).length === 0 ? [] : [given as Json];
}
