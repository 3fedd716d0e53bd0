/**
 * Messages of the Neuro API as facts that can be compared: what is the same message in two runs, and does it say the same.
 *
 * Read liberally: what a game sent is played again as it was, mistakes and all; what is no message is a fact of its own.
 */
import { type Frame, isObject, type Json, type JsonObject, parseJson } from "../core/json.ts";

/** What is nested more deeply is no message to anybody. */
const DEPTH_MAX = 128;
/** Characters of what is no message. */
const SHOWN_MAX = 120;

/** A message, or what was sent in place of one. */
export interface Message {
  readonly command: string | undefined;
  readonly game: string | undefined;
  readonly data: JsonObject;
  readonly text: string;
}

/** Something that was said. Two runs agree when each has the same facts with the same content. */
export interface Fact {
  /** What it is about: the same in both runs. */
  readonly key: string;
  /** What it says about it. */
  readonly says: Json;
  /** Whether what the other side said later may depend on it. */
  readonly matters: boolean;
}

/** Reads any frame. What is no message of the Neuro API has no command. */
export function readMessage(frame: Frame): Message {
  const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame);
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

/** An action that a backend asks for. */
export interface Asked {
  readonly id: string;
  readonly name: string;
}

/** The action that a message of a backend asks for; undefined where it asks for none. */
export function askedIn({ command, data }: Message): Asked | undefined {
  if (command !== "action" || data.id === undefined || data.id === null) return undefined;
  return { id: worded(data.id), name: worded(data.name) };
}

/** The id of the action that a game's result is for. */
export const answeredIn = ({ command, data }: Message): string | undefined =>
  command === "action/result" && data.id !== undefined && data.id !== null ? worded(data.id) : undefined;

/** What a game said. A registration is a fact for each of its actions: in how many messages they come does not matter. */
export function factsOfGame(message: Message, nameOf: (id: string) => string | undefined): readonly Fact[] {
  const { command, data, text } = message;
  switch (command) {
    case undefined:
      return [{ key: "no message", says: text.slice(0, SHOWN_MAX), matters: false }];
    case "startup":
      return [{ key: "startup", says: null, matters: true }];
    case "actions/register":
      return listOf(data.actions).map((action) => ({
        key: `registration of ${isObject(action) ? worded(action.name) : "no action"}`,
        says: isObject(action) ? definitionOf(action) : action,
        matters: true,
      }));
    case "actions/unregister":
      return listOf(data.action_names).map((name) => ({
        key: `unregistration of ${worded(name)}`,
        says: null,
        matters: true,
      }));
    case "actions/force": {
      const { action_names, ...rest } = data;
      const names = listOf(action_names).map(worded).sort().join(", ");
      return [{ key: `force over ${names}`, says: withoutNulls(rest), matters: true }];
    }
    case "action/result": {
      const id = answeredIn(message) ?? "";
      const { success = null, message: says = null } = data;
      return [{
        key: `result of ${nameOf(id) ?? "an unknown action"} (${id})`,
        says: { success, message: says },
        matters: true,
      }];
    }
    default:
      return [{ key: command, says: withoutNulls(data), matters: false }];
  }
}

/** What a backend said. Ids and names of sessions are its own affair. */
export function factsOfBackend({ command, data, text }: Message): readonly Fact[] {
  switch (command) {
    case undefined:
      return [{ key: "no message", says: text.slice(0, SHOWN_MAX), matters: false }];
    case "action":
      return [{ key: `action ${worded(data.name)}`, says: parsed(data.data), matters: true }];
    case "startup":
      return [{ key: "startup", says: null, matters: false }];
    default:
      return [{ key: command, says: withoutNulls(data), matters: false }];
  }
}

/** Why not `String`: an object from JSON may bring a `toString` that is no function. */
const worded = (value: Json | undefined): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const definitionOf = ({ description = null, schema = null }: JsonObject): Json => ({
  description,
  schema: isObject(schema) && Object.keys(schema).length === 0 ? null : schema,
});

const withoutNulls = (data: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null && value !== undefined));

/** Data of an action is JSON in a text, by whose spacing nobody means anything. */
function parsed(data: Json | undefined): Json {
  return typeof data === "string" ? parseJson(data, DEPTH_MAX) ?? data : data ?? null;
}
