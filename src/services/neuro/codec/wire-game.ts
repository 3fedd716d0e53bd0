/**
 * The game side of the wire: liberal in what it reads, strict in what it writes.
 *
 * Reading mends what can be understood and says what it mended; it drops unknown keys and refuses the rest. `main_thread`, a
 * hidden key of the protocol, is kept. Writing gives exactly the keys of the specification, in printable ASCII, under
 * `GAME_FRAME_BYTES_MAX`: there are clients that end at an unknown key, a null, a character or a byte too many.
 *
 * Invariants: G1 `decodeGame` never throws; G2 no field of what it returns is null.
 * Knows nothing of: who sent it, what is registered.
 */
import type { Action, GameMessage, NeuroMessage, Priority } from "../../../core/neuro-messages.ts";
import { type Frame, isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { GAME_FRAME_BYTES_MAX } from "../../../core/limits.ts";
import { failed, type Failure, ok, type Result } from "../../../core/result.ts";
import { type Mend, mend } from "./mend.ts";
import { asciiJson, fits, readObject } from "./wire-frame.ts";
import { readSchema } from "./wire-schema.ts";

export interface GameFrame {
  /** The name the game gives itself; absent where it forgot to. */
  readonly game: string | undefined;
  readonly message: GameMessage;
  /** Empty for a game that keeps to the specification. */
  readonly mended: readonly Mend[];
}

/** What a game said. */
export function decodeGame(frame: Frame, limits: { readonly json_depth: number }): Result<GameFrame> {
  const mended: Mend[] = [];
  const envelope = readObject(frame, limits.json_depth, mended);
  if (!envelope.ok) return envelope;
  const { command, game, data } = envelope.value;
  if (typeof command !== "string" || command === "") return failed("badMessage", "`command` has to be a text");
  knownKeys(envelope.value, ENVELOPE, mended);
  const message = readMessage(command, data, mended);
  if (!message.ok) return message;
  return ok({ game: readName(game, mended), message: message.value, mended });
}

const ENVELOPE: readonly string[] = ["command", "game", "data"];
const NO_DATA: JsonObject = {};

function readMessage(command: string, data: Json | undefined, mended: Mend[]): Result<GameMessage> {
  switch (command) {
    case "action/result":
      return readResult(readData(data, RESULT, mended), mended);
    case "context":
      return readContext(readData(data, CONTEXT, mended), mended);
    case "actions/register":
      return readRegister(readData(data, REGISTER, mended), mended);
    case "actions/unregister":
      return readUnregister(readData(data, UNREGISTER, mended), mended);
    case "actions/force":
      return readForce(readData(data, FORCE, mended), mended);
    case "startup":
    case "shutdown/ready":
      if (data !== undefined) mend(mended, "data of a command without data", command);
      return ok({ command });
    default:
      return ok({ command: "other", name: command, ...(isObject(data) && { data }) });
  }
}

const RESULT: readonly string[] = ["id", "success", "message"];
const CONTEXT: readonly string[] = ["message", "silent"];
const REGISTER: readonly string[] = ["actions", "main_thread"];
const UNREGISTER: readonly string[] = ["action_names", "main_thread"];
const FORCE: readonly string[] = ["state", "query", "ephemeral_context", "priority", "action_names", "main_thread"];
const ACTION: readonly string[] = ["name", "description", "schema"];

function readResult(data: JsonObject, mended: Mend[]): Result<GameMessage> {
  const { id: givenId, success: givenSuccess, message: givenMessage } = data;
  let id = givenId;
  if (typeof id === "number") {
    mend(mended, "id is a number");
    id = String(id);
  }
  if (typeof id !== "string" || id === "") return failed("badMessage", "`action/result` needs the `id` of its action");
  let success = givenSuccess;
  if (typeof success !== "boolean") {
    mend(mended, "success is not true or false");
    success = success === "true" || success === 1;
  }
  const message = typeof givenMessage === "string" ? givenMessage : readText(givenMessage, "message", mended);
  if (message === undefined) return ok({ command: "action/result", id, success });
  return ok({ command: "action/result", id, success, message });
}

function readContext(data: JsonObject, mended: Mend[]): Result<GameMessage> {
  const message = readText(data["message"], "message", mended);
  if (message === undefined) return failed("badMessage", "`context` needs a `message`");
  const silent = data["silent"];
  if (silent === undefined || silent === null) mend(mended, "silent missing");
  return ok({ command: "context", message, silent: readBoolean(silent ?? undefined, "silent", mended) ?? false });
}

function readRegister(data: JsonObject, mended: Mend[]): Result<GameMessage> {
  const actions: Action[] = [];
  let refused: Failure | undefined;
  for (const given of readList(data["actions"], "actions", mended)) {
    const action = readAction(given, mended);
    if (action.ok) actions.push(action.value);
    else {
      refused ??= action;
      mend(mended, "action ignored", action.reason);
    }
  }
  // Why: one bad action does not cost the others, but who sends nothing else is told what is wrong with it.
  if (refused !== undefined && actions.length === 0) return refused;
  return ok({ command: "actions/register", actions, ...readMainThread(data, mended) });
}

function readAction(given: Json, mended: Mend[]): Result<Action> {
  if (!isObject(given)) return failed("badMessage", "an action has to be an object");
  const name = readName(given["name"], mended);
  if (name === undefined) return failed("badMessage", "an action needs a `name`");
  knownKeys(given, ACTION, mended);
  const schema = readSchema(given["schema"], mended);
  if (!schema.ok) return failed(schema.fault, `${name.slice(0, 64)}: ${schema.reason}`);
  const description = readText(given["description"], "description", mended) ?? "";
  if (description === "") mend(mended, "description missing", name.slice(0, 64));
  return ok({ name, description, ...(schema.value !== undefined && { schema: schema.value }) });
}

function readUnregister(data: JsonObject, mended: Mend[]): Result<GameMessage> {
  const names = readNames(data["action_names"], mended);
  return ok({ command: "actions/unregister", names, ...readMainThread(data, mended) });
}

function readForce(data: JsonObject, mended: Mend[]): Result<GameMessage> {
  if (data["action_names"] === undefined || data["action_names"] === null) {
    return failed("badMessage", "`actions/force` needs `action_names`");
  }
  const state = readText(data["state"], "state", mended);
  return ok({
    command: "actions/force",
    ...(state !== undefined && { state }),
    query: readText(data["query"], "query", mended) ?? "",
    ephemeral: readBoolean(data["ephemeral_context"], "ephemeral_context", mended) ?? false,
    priority: readPriority(data["priority"], mended),
    names: readNames(data["action_names"], mended),
    ...readMainThread(data, mended),
  });
}

const PRIORITIES: readonly Priority[] = ["low", "medium", "high", "critical"];

function readPriority(given: Json | undefined, mended: Mend[]): Priority {
  if (given === undefined) return "low";
  const exact = PRIORITIES.find((priority) => priority === given);
  if (exact !== undefined) return exact;
  mend(mended, "priority unknown");
  return PRIORITIES.find((priority) => typeof given === "string" && priority === given.toLowerCase()) ?? "low";
}

function readMainThread(data: JsonObject, mended: Mend[]): { readonly mainThread?: boolean } {
  const mainThread = readBoolean(data["main_thread"], "main_thread", mended);
  return mainThread === undefined ? {} : { mainThread };
}

/** The `data` of a command that has some: an empty table of Lua arrives as an empty list. */
function readData(data: Json | undefined, keys: readonly string[], mended: Mend[]): JsonObject {
  if (!isObject(data)) {
    mend(mended, "data missing");
    return NO_DATA;
  }
  knownKeys(data, keys, mended);
  return data;
}

function knownKeys(object: JsonObject, keys: readonly string[], mended: Mend[]): void {
  for (const key in object) if (!keys.includes(key)) mend(mended, "unknown key", key.slice(0, 64));
}

/** A text, also where something else was given that can only mean one. */
function readText(given: Json | undefined, where: string, mended: Mend[]): string | undefined {
  if (typeof given === "string") return given;
  if (given === undefined) return undefined;
  mend(mended, given === null ? "null" : "text expected", where);
  if (given === null) return undefined;
  return typeof given === "object" ? JSON.stringify(given) : String(given);
}

function readBoolean(given: Json | undefined, where: string, mended: Mend[]): boolean | undefined {
  if (typeof given === "boolean" || given === undefined) return given;
  mend(mended, given === null ? "null" : "true or false expected", where);
  return given === null ? undefined : given === "true" || given === 1;
}

function readName(given: Json | undefined, mended: Mend[]): string | undefined {
  if (typeof given === "string") return given === "" ? undefined : given;
  if (typeof given !== "number") return undefined;
  mend(mended, "text expected", "name");
  return String(given);
}

function readNames(given: Json | undefined, mended: Mend[]): readonly string[] {
  const names: string[] = [];
  for (const item of readList(given, "action_names", mended)) {
    const name = readName(item, mended);
    if (name === undefined) mend(mended, "name ignored");
    else names.push(name);
  }
  return names;
}

/** A list, also where it was left out, is empty and became an object, or has one item and lost its brackets. */
function readList(given: Json | undefined, where: string, mended: Mend[]): readonly Json[] {
  if (Array.isArray(given)) return given;
  mend(mended, "list expected", where);
  if (given === undefined || given === null) return [];
  return isObject(given) && Object.keys(given).length === 0 ? [] : [given as Json];
}

/** The frame for a game, or undefined when it cannot be made small enough for every game to receive. */
export function encodeForGame(message: NeuroMessage): string | undefined {
  const json = JSON.stringify(envelopeFor(message));
  const ascii = asciiJson(json);
  if (ascii.length <= GAME_FRAME_BYTES_MAX) return ascii;
  // Why: escaping can make text twice as long and more; what only fits without it is better sent so than not at all.
  return fits(json, GAME_FRAME_BYTES_MAX) ? json : undefined;
}

function envelopeFor(message: NeuroMessage): JsonObject {
  switch (message.command) {
    case "action": {
      const { command, id, name, data } = message;
      // Why: an empty text is an error to one client, and `data` that is no text ends another.
      return { command, data: data === undefined || data === "" ? { id, name } : { id, name, data } };
    }
    case "startup": {
      const { sessionId, characterId, displayName } = message.session;
      return { command: message.command, data: { session: { sessionId, characterId, displayName } } };
    }
    case "speech_finished":
      return { command: message.command, data: withoutNulls(message.data) };
    case "shutdown/graceful":
      return { command: message.command, data: { wants_shutdown: message.wanted } };
    case "actions/reregister_all":
    case "shutdown/immediate":
      return { command: message.command };
    case "other":
      return message.data === undefined
        ? { command: message.name }
        : { command: message.name, data: withoutNulls(message.data) };
  }
}

const withoutNulls = (data: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
