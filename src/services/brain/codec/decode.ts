/**
 * Decodes a frame to a request: a JSON object of bounded depth and size whose numbers are finite.
 *
 * Bytes are read as UTF-8 text. The fields of a request are checked where they are used, because clients see the order in which
 * the errors of a request are found.
 */
import { type Frame, isNumber, isObject, isShallow, type Json, type JsonObject, parseJson } from "../../../core/json.ts";
import { BRAIN_VALUES_MAX } from "../../../core/limits.ts";
import { utf8 } from "../../../core/text.ts";
import { jsonError } from "./json-error.ts";
import { typeName } from "./python-repr.ts";
import { badParams, invalid, limitExceeded, type RequestError, valid, type Validated } from "./request-error.ts";

/** Decodes one frame. */
export function decode(frame: Frame, depthMax: number): Validated<JsonObject> {
  const text = typeof frame === "string" ? frame : utf8(frame, "strip");
  if (text === undefined) return invalid({ message: "invalid JSON: a binary frame must hold UTF-8 text" });
  const message = parse(text, depthMax);
  if (!message.ok) return message;
  const error = contentError(countValues(message.value, { values: 0, isFinite: true }));
  if (error !== undefined) return invalid(error);
  if (isObject(message.value)) return withRequestId(message.value);
  const reason = `'${typeName(message.value)}' object has no attribute 'get'`;
  return invalid({ message: `message must be an object: ${reason}` });
}

/** A request whose id cannot be repeated would get a reply that its sender cannot assign to it. */
function withRequestId(request: JsonObject): Validated<JsonObject> {
  const { request_id: id } = request;
  if (id === undefined || id === null || typeof id === "string" || isNumber(id)) return valid(request);
  return invalid(badParams("request_id", "a text or a number"));
}

const tooDeep = (max: number): RequestError => ({
  ...limitExceeded("depth", max),
  message: `maximum recursion depth exceeded: JSON may be nested ${max} levels deep`,
});

function parse(text: string, depthMax: number): Validated<Json> {
  const value = parseJson(text, depthMax);
  if (value !== undefined) return valid(value);
  return invalid(isShallow(text, depthMax) ? { message: `invalid JSON: ${jsonError(text)}` } : tooDeep(depthMax));
}

interface ValueCount {
  values: number;
  isFinite: boolean;
}

/** Visits every value. The nesting has been checked before, so the recursion is bounded. */
function countValues(value: Json, count: ValueCount): ValueCount {
  count.values++;
  if (isNumber(value)) count.isFinite &&= Number.isFinite(Number(value));
  else if (Array.isArray(value)) { for (const item of value) countValues(item, count); }
  else if (isObject(value)) { for (const name in value) countValues(value[name] ?? null, count); }
  return count;
}

function contentError({ values, isFinite }: ValueCount): RequestError | undefined {
  if (values > BRAIN_VALUES_MAX) return limitExceeded("values", BRAIN_VALUES_MAX);
  if (isFinite) return undefined;
  return { message: "a number is out of range: numbers must be finite", code: "BadParams", details: { path: "" } };
}
