/**
 * Messages of the Neuro API as facts by which two runs can be compared: the type and the content of each message.
 *
 * Reads leniently: what a game sent is replayed as it was, errors included. A frame that is not a message is a fact of its own.
 */
import { type Frame, isObject, type Json, type JsonObject, parseJson } from "../core/json.ts";
import { lenientText } from "../core/text.ts";

/** Deeper values are not messages. */
const DEPTH_MAX = 128;
/** Characters of a frame that is not a message. */
const SHOWN_CHARS_MAX = 120;

/** A message, or a frame that is not a valid message. */
export interface ApiMessage {
  readonly command: string | undefined;
  readonly game: string | undefined;
  readonly data: JsonObject;
  readonly text: string;
}

/** Two runs agree when each has the same facts with the same content. */
export interface Fact {
  /** Identifies the fact in both runs. */
  readonly key: string;
  readonly content: Json;
  /** True where later messages of the other side may depend on it. */
  readonly matters: boolean;
}

/** Reads any frame. A frame that is not a message of the Neuro API has no command. */
export function readMessage(frame: Frame): ApiMessage {
  const text = lenientText(frame);
  const value = parseJson(text, DEPTH_MAX);
  if (!isObject(value) || typeof value.command !== "string") return { command: undefined, game: undefined, data: {}, text };
  const { command, game, data } = value;
  return {
    command,
    game: typeof game === "string" && game !== "" ? game : undefined,
    data: isObject(data) ? data : {},
    text,
  };
}

/** An action that a backend requests. */
export interface RequestedAction {
  readonly id: string;
  readonly name: string;
}

/** The action that a message of a backend requests; undefined for other messages. */
export function requestedAction({ command, data }: ApiMessage): RequestedAction | undefined {
  if (command !== "action" || data.id === undefined || data.id === null) return undefined;
  return { id: textOf(data.id), name: textOf(data.name) };
}

/** The id of the action that a result answers; undefined for other messages. */
export const answeredActionId = ({ command, data }: ApiMessage): string | undefined =>
  command === "action/result" && data.id !== undefined && data.id !== null ? textOf(data.id) : undefined;

/** The facts in a message of a game. Each registered action is a fact, because its distribution over messages does not matter. */
export function factsOfGame(message: ApiMessage, nameOf: (id: string) => string | undefined): readonly Fact[] {
  const { command, data, text } = message;
  switch (command) {
    case undefined:
      return [{ key: "no message", content: text.slice(0, SHOWN_CHARS_MAX), matters: false }];
    case "startup":
      return [{ key: "startup", content: null, matters: true }];
    case "actions/register":
      return listOf(data.actions).map((action) => ({
        key: `registration of ${isObject(action) ? textOf(action.name) : "no action"}`,
        content: isObject(action) ? definitionOf(action) : action,
        matters: true,
      }));
    case "actions/unregister":
      return listOf(data.action_names).map((name) => ({
        key: `unregistration of ${textOf(name)}`,
        content: null,
        matters: true,
      }));
    case "actions/force": {
      const { action_names, ...rest } = data;
      const names = listOf(action_names).map(textOf).sort().join(", ");
      return [{ key: `force over ${names}`, content: withoutNulls(rest), matters: true }];
    }
    case "action/result": {
      const id = answeredActionId(message) ?? "";
      const { success = null, message: text = null } = data;
      return [{
        key: `result of ${nameOf(id) ?? "an unknown action"} (${id})`,
        content: { success, message: text },
        matters: true,
      }];
    }
    default:
      // Why not `assertNever`: a recording can contain any command.
      return [{ key: command, content: withoutNulls(data), matters: false }];
  }
}

/** The facts in a message of a backend. Action ids and session names differ between runs, so they are ignored. */
export function factsOfBackend({ command, data, text }: ApiMessage): readonly Fact[] {
  switch (command) {
    case undefined:
      return [{ key: "no message", content: text.slice(0, SHOWN_CHARS_MAX), matters: false }];
    case "action":
      return [{ key: `action ${textOf(data.name)}`, content: parsed(data.data), matters: true }];
    case "startup":
      return [{ key: "startup", content: null, matters: false }];
    default:
      // Why not `assertNever`: a recording can contain any command.
      return [{ key: command, content: withoutNulls(data), matters: false }];
  }
}

/** Why not `String`: an object from JSON may have a `toString` that is not a function. */
const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const definitionOf = ({ description = null, schema = null }: JsonObject): Json => ({
  description,
  schema: isObject(schema) && Object.keys(schema).length === 0 ? null : schema,
});

const withoutNulls = (data: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined));

/** The data of an action is JSON in a string, whose spacing does not matter. */
function parsed(data: Json | undefined): Json {
  return typeof data === "string" ? parseJson(data, DEPTH_MAX) ?? data : data ?? null;
}
