/** Reads frames as the strictest known backend does: an unknown key, a null or a binary frame is a violation. */
import { type Frame, isObject, type Json, type JsonObject } from "../../core/json.ts";

/** A valid message. */
export interface StrictMessage {
  readonly command: StrictCommand;
  readonly data: JsonObject;
}

/** A command that a client may send to Neuro. */
export type StrictCommand =
  | "startup"
  | "context"
  | "actions/register"
  | "actions/unregister"
  | "actions/force"
  | "action/result"
  | "shutdown/ready";

interface StrictKeys {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The keys of each command's data; `undefined`: no data. */
const COMMANDS: Readonly<Record<StrictCommand, StrictKeys | undefined>> = {
  startup: undefined,
  context: { required: ["message", "silent"], optional: [] },
  "actions/register": { required: ["actions"], optional: [] },
  "actions/unregister": { required: ["action_names"], optional: [] },
  "actions/force": { required: ["query", "action_names"], optional: ["state", "ephemeral_context", "priority"] },
  "action/result": { required: ["id", "success"], optional: ["message"] },
  "shutdown/ready": undefined,
};

const isCommand = (command: Json | undefined): command is StrictCommand =>
  typeof command === "string" && Object.hasOwn(COMMANDS, command);

const NAME = /^[a-z0-9_-]{1,64}$/;

/** The message in a frame, or the violation. */
export function readStrictly(frame: Frame): StrictMessage | string {
  if (typeof frame !== "string") return "a binary frame";
  const message: Json = JSON.parse(frame);
  if (!isObject(message)) return `not an object: ${frame}`;
  const { command, game, data } = message;
  if (!isCommand(command)) return `an unknown command: ${frame}`;
  if (typeof game !== "string" || game === "") return `no game: ${frame}`;
  const surplus = Object.keys(message).filter((name) => !["command", "game", "data"].includes(name));
  if (surplus.length > 0) return `unknown keys ${surplus} in ${frame}`;
  if (hasNull(message)) return `a null in ${frame}`;
  const keys = COMMANDS[command];
  if (keys === undefined) return data === undefined ? { command, data: {} } : `data with ${command}`;
  if (!isObject(data)) return `no data: ${frame}`;
  const { required, optional } = keys;
  if (required.some((name) => !(name in data))) return `a required key is missing in ${frame}`;
  const unknown = Object.keys(data).filter((name) => !required.includes(name) && !optional.includes(name));
  if (unknown.length > 0) return `unknown keys ${unknown} in ${frame}`;
  return violationIn(data) ?? { command, data };
}

/** The violation in the names and definitions of a message's data, if any. */
function violationIn({ actions, action_names: names }: JsonObject): string | undefined {
  const defined = Array.isArray(actions) ? actions : [];
  for (const action of defined) {
    if (!isObject(action)) return "an action that is not an object";
    const unknown = Object.keys(action).filter((name) => !["name", "description", "schema"].includes(name));
    if (unknown.length > 0) return `unknown keys ${unknown} in an action`;
    if (typeof action.description !== "string") return `${action.name} has no description`;
    if (action.schema !== undefined && !isObject(action.schema)) return `${action.name} has a schema that is not an object`;
  }
  const all = [
    ...defined.map((action) => (isObject(action) ? action.name : undefined)),
    ...(Array.isArray(names) ? names : []),
  ];
  const odd = all.find((name) => typeof name !== "string" || !NAME.test(name));
  return odd === undefined ? undefined : `an invalid name: ${JSON.stringify(odd)}`;
}

function hasNull(value: Json | undefined): boolean {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  return (Array.isArray(value) ? value : Object.values(value)).some(hasNull);
}
