/** Frames as text and JSON, and the text of replies and errors. */
import { utf8 } from "../../../core/text.ts";
import type { FaultName } from "../../../core/fault.ts";
import {
  type ExactNumber,
  type Frame,
  isNumber,
  isObject,
  type Json,
  type JsonObject,
  parseJson,
} from "../../../core/json.ts";
import { REQUEST_ID_MAX } from "../../../core/limits.ts";

/** The id that a watcher gave its request. The reply brings it back. */
export type WatcherRequestId = string | number | ExactNumber | undefined;

/** The text of a frame. Bytes are read as UTF-8; undefined if they are not valid UTF-8. */
export const textOf = (frame: Frame): string | undefined => typeof frame === "string" ? frame : utf8(frame, "strip");

/** The JSON in a frame, or undefined if there is none. A byte order mark is ignored. */
export function jsonOf(frame: Frame, depthMax: number): Json | undefined {
  const text = textOf(frame);
  return text === undefined ? undefined : parseJson(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, depthMax);
}

/** The `request_id` of a message, if it is one. */
export function requestIdOf(message: Json): WatcherRequestId {
  const id = isObject(message) ? message.request_id : undefined;
  return isRequestId(id) ? id : undefined;
}

export const isRequestId = (id: Json | undefined): id is string | number | ExactNumber =>
  (isNumber(id) || typeof id === "string") && String(id).length <= REQUEST_ID_MAX;

/** A reply as text, with the `request_id` if there is one. */
export const replyText = (reply: JsonObject, requestId?: WatcherRequestId): string =>
  JSON.stringify(requestId === undefined ? reply : { ...reply, request_id: requestId });

/** An error reply as text. */
export const errorReplyText = (error: string, code: FaultName, fields: JsonObject = {}): string =>
  JSON.stringify({ error, ...fields, code });
