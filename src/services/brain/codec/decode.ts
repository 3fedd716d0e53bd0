/**
 * From a frame to a request: JSON, of bounded depth and size, finite, and an object.
 *
 * Bytes are read as UTF-8 text. What a field of a request has to be is decided where it is used, because the order in which a
 * request's faults are found shows on the wire.
 */
import { type Frame, isObject, isShallow, type Json, type JsonObject } from "../../../core/json.ts";
import { BRAIN_VALUES_MAX } from "../../../core/limits.ts";
import { jsonError } from "./json-error.ts";
import { typeName } from "./python-repr.ts";
import { invalid, limitExceeded, type RequestError, valid, type Validated } from "./request-error.ts";

/** Reads one frame. */
export function decode(frame: Frame, depthMax: number): Validated<JsonObject> {
  const text = typeof frame === "string" ? frame : textOf(frame);
  if (text === undefined) return invalid({ message: "invalid JSON: a binary frame must hold UTF-8 text" });
  if (!isShallow(text, depthMax)) return invalid(tooDeep(depthMax));
  const message = parse(text);
  if (!message.ok) return message;
  const problem = problemWith(look(message.value, { values: 0, isFinite: true }));
  if (problem !== undefined) return invalid(problem);
  if (isObject(message.value)) return valid(message.value);
  return invalid({ message: `message must be an object: '${typeName(message.value)}' object has no attribute 'get'` });
}

const tooDeep = (max: number): RequestError => ({
  ...limitExceeded("depth", max),
  message: `maximum recursion depth exceeded: JSON may be nested ${max} deep`,
});

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parse(text: string): Validated<Json> {
  try {
    return valid(JSON.parse(text));
  } catch {
    return invalid({ message: `invalid JSON: ${jsonError(text)}` });
  }
}

/** What was found in a message. */
interface Look {
  values: number;
  isFinite: boolean;
}

/** Looks at every value; how deep they lie is bounded already. */
function look(value: Json, found: Look): Look {
  found.values++;
  if (typeof value === "number") found.isFinite &&= Number.isFinite(value);
  else if (Array.isArray(value)) { for (const item of value) look(item, found); }
  else if (isObject(value)) { for (const name in value) look(value[name] ?? null, found); }
  return found;
}

/** What a message may not have in it, though it is JSON: too many values, and numbers beyond the finite ones. */
function problemWith({ values, isFinite }: Look): RequestError | undefined {
  if (values > BRAIN_VALUES_MAX) return limitExceeded("values", BRAIN_VALUES_MAX);
  if (isFinite) return undefined;
  return { message: "a number is out of range: only finite numbers are taken", code: "BadParams", details: { path: "" } };
}
