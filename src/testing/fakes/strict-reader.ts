/** Reads frames as the strictest known backend does: it does not survive a key too many, a null, or a frame of bytes. */
import { type Frame, isObject, type Json, type JsonObject } from "../../core/json.ts";

/** What a frame said. */
export interface StrictMessage {
  readonly command: string;
  readonly data: JsonObject;
}

/** The keys of each command's data; those in `must` have to be there. `undefined`: no data at all. */
const COMMANDS: ReadonlyMap<
  string,
  { readonly required: readonly string[]; readonly optional: readonly string[] } | undefined
> = new Map([
  ["startup", undefined],
  ["context", { required: ["message", "silent"], optional: [] }],
  ["actions/register", { required: ["actions"], optional: [] }],
  ["actions/unregister", { required: ["action_names"], optional: [] }],
  ["actions/force", { required: ["query", "action_names"], optional: ["state", "ephemeral_context", "priority"] }],
  ["action/result", { required: ["id", "success"], optional: ["message"] }],
  ["shutdown/ready", undefined],
]);

const NAME = /^[a-z0-9_-]{1,64}$/;

/** The message in a frame, or what is wrong with it. */
export function readStrictly(frame: Frame): StrictMessage | string {
  if (typeof frame !== "string") return "a binary frame";
  const message: Json = JSON.parse(frame);
  if (!isObject(message)) return `not an object: ${frame}`;
  const { command, game, data } = message;
  if (typeof command !== "string" || !COMMANDS.has(command)) return `an unknown command: ${frame}`;
  if (typeof game !== "string" || game === "") return `no game: ${frame}`;
  const surplus = Object.keys(message).filter((name) => !["command", "game", "data"].includes(name));
  if (surplus.length > 0) return `unknown keys ${surplus} in ${frame}`;
  if (hasNull(message)) return `a null in ${frame}`;
  const keys = COMMANDS.get(command);
  if (keys === undefined) return data === undefined ? { command, data: {} } : `data with ${command}`;
  if (!isObject(data)) return `no data: ${frame}`;
  const { required, optional } = keys;
  if (required.some((name) => !(name in data))) return `a key is missing in ${frame}`;
  const unknown = Object.keys(data).filter((name) => !required.includes(name) && !optional.includes(name));
  if (unknown.length > 0) return `unknown keys ${unknown} in ${frame}`;
  return violationIn(data) ?? { command, data };
}

/** What is wrong with the names and definitions in a message's data. */
function violationIn({ actions, action_names: names }: JsonObject): string | undefined {
  const defined = Array.isArray(actions) ? actions : [];
  for (const action of defined) {
    if (!isObject(action)) return "an action that is no object";
    const unknown = Object.keys(action).filter((name) => !["name", "description", "schema"].includes(name));
    if (unknown.length > 0) return `unknown keys ${unknown} in an action`;
    if (typeof action.description !== "string") return `${action.name} has no description`;
    if (action.schema !== undefined && !isObject(action.schema)) return `${action.name} has a schema that is none`;
  }
  const all = [
    ...defined.map((action) => (isObject(action) ? action.name : undefined)),
    ...(Array.isArray(names) ? names : []),
  ];
  const odd = all.find((name) => typeof name !== "string" || !NAME.test(name));
  return odd === undefined ? undefined : `a name that is none: ${JSON.stringify(odd)}`;
}

function hasNull(value: Json | undefined): boolean {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  return (Array.isArray(value) ? value : Object.values(value)).some(hasNull);
}
