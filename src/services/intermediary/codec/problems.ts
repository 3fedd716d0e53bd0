/** What is wrong with a message, for its author: the field, what it must be, and what it is. */
import { type Frame, isNumber, isObject, isShallow, type Json, type JsonObject, printable } from "../../../core/json.ts";
import { REQUEST_ID_MAX } from "../../../core/limits.ts";
import { isRequestId, textOf } from "./frames.ts";

const SHOWN_MAX = 64;

/** The value of a field is missing or wrong. `wanted` completes "must be ...". */
export const wrongField = (field: string, wanted: string, found: Json | undefined): string =>
  found === undefined
    ? `\`${field}\` is missing: it must be ${wanted}`
    : `\`${field}\` must be ${wanted}, not ${inWords(found)}`;

/** A value in a few words. Why a long text is not shown in part: part of a token would not be recognised as one, and not be hidden. */
export function inWords(value: Json): string {
  if (value === "") return "an empty text";
  if (typeof value === "string") {
    return value.length > SHOWN_MAX ? `a text of ${value.length} characters` : `"${printable(value)}"`;
  }
  if (isNumber(value)) return "a number";
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : String(value);
}

/** Why the `request_id` of a message cannot be repeated in its reply; undefined if it can, or if there is none. */
export function requestIdProblem({ request_id: id }: JsonObject): string | undefined {
  if (id === undefined || id === null || isRequestId(id)) return undefined;
  return wrongField("request_id", `a number or a text of at most ${REQUEST_ID_MAX} characters`, id);
}

/** Why a frame contains no JSON. */
export function unreadable(frame: Frame, depthMax: number): string {
  const text = textOf(frame);
  if (text === undefined) return "the frame is not UTF-8";
  if (text.trim() === "") return "the frame is empty";
  if (!isShallow(text, depthMax)) return `the frame is nested deeper than \`limits.json_depth\` (${depthMax})`;
  return `the frame is not JSON: it begins with ${inWords(text.trimStart().slice(0, 1))}`;
}
