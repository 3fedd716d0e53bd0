/**
 * The Intermediary's protocol as it is on the wire: greetings, what watchers send, errors.
 *
 * Everything a peer sends is read here and in `words.ts`, into closed unions; nothing of it throws. What a reply says is made here.
 */
import type { FaultName } from "../../core/fault.ts";
import { type Frame, isObject, type Json, type JsonObject, parseJson } from "../../core/json.ts";
import { NAME_CODE_POINTS_MAX, REQUEST_ID_MAX } from "../../core/limits.ts";
import { failed, ok, type Result } from "../../core/result.ts";

/** Control characters, and those that turn the direction of what is printed after them. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
/** Longer than any name in any form. */
const TARGET_LENGTH_MAX = 4 * NAME_CODE_POINTS_MAX;

/** The first frame of a peer. */
export interface Greeting {
  readonly type: Json | undefined;
  readonly name: Result<string | undefined>;
  readonly token: Json | undefined;
  readonly acks: boolean;
}

/** Whatever a watcher may answer to: its own text for a request, given back with the reply. */
export type RequestId = string | number | undefined;

/** What a watcher asks for. */
export type WatcherRequest =
  | { readonly is: "direct"; readonly payload: Json | undefined }
  | { readonly is: "command"; readonly target: string; readonly cmd: Json }
  | { readonly is: "peers" }
  | { readonly is: "actions" }
  | {
    readonly is: "subscribe";
    readonly events: readonly string[] | undefined;
    readonly after: string | undefined;
    readonly rate: number | undefined;
    readonly snapshot: boolean;
  }
  | { readonly is: "choice"; readonly name: string; readonly data: string }
  | { readonly is: "unknown" };

/** Text of a frame; bytes are read as UTF-8. Undefined when they are not. */
export function textOf(frame: Frame): string | undefined {
  if (typeof frame === "string") return frame;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(frame);
  } catch {
    return undefined;
  }
}

/** The JSON in a frame, or undefined when there is none. A byte order mark is ignored. */
export function jsonOf(frame: Frame, depthMax: number): Json | undefined {
  const text = textOf(frame);
  return text === undefined ? undefined : parseJson(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, depthMax);
}

/** Reads a greeting. Its token and type are checked by whoever knows the settings. */
export function readGreeting(frame: Frame, limits: { bytesMax: number; depthMax: number }): Result<Greeting> {
  const text = textOf(frame);
  if (text !== undefined && isLonger(text, limits.bytesMax)) {
    return failed("badGreeting", `registration must be at most ${limits.bytesMax} bytes`);
  }
  const message = text === undefined ? undefined : jsonOf(text, limits.depthMax);
  if (!isObject(message)) return failed("badGreeting", "registration must be JSON");
  const { type, name, auth_token: token, ack } = message;
  return ok({ type, name: readName(name), token, acks: ack === true });
}

/** The name as it is known from now on (normal form C); undefined when none is given. */
export function readName(raw: Json | undefined): Result<string | undefined> {
  if (raw === undefined || raw === null || raw === "") return ok(undefined);
  if (typeof raw !== "string") return failed("badGreeting", "name must be a text");
  // Why: normalising at most triples a text, so one that is far too long is refused before that work is done.
  const name = raw.length > 4 * NAME_CODE_POINTS_MAX ? raw : raw.normalize("NFC");
  if (name.length > 2 * NAME_CODE_POINTS_MAX || [...name].length > NAME_CODE_POINTS_MAX) {
    return failed("badGreeting", `name must have at most ${NAME_CODE_POINTS_MAX} characters`);
  }
  if (!name.isWellFormed() || UNPRINTABLE.test(name)) return failed("badGreeting", "name must be printable text");
  return name === "*" ? failed("badGreeting", "this name means everybody") : ok(name);
}

const isLonger = (text: string, bytesMax: number): boolean =>
  text.length > bytesMax || (text.length * 3 > bytesMax && new TextEncoder().encode(text).length > bytesMax);

/** Reads what a watcher sends, once it is known to be JSON. */
export function readRequest(message: Json): WatcherRequest {
  if (!isObject(message)) return { is: "unknown" };
  if (message.direct_to_neuro === true) return { is: "direct", payload: message.payload };
  if (message.query === "peers") return { is: "peers" };
  if (message.query === "get_registered_actions") return { is: "actions" };
  if (isObject(message.subscribe)) return readSubscription(message.subscribe);
  const choice = readChoice(message.choice);
  if (choice !== undefined) return { is: "choice", ...choice };
  const { target, cmd } = message;
  if (typeof target !== "string" || cmd === undefined || cmd === null) return { is: "unknown" };
  if (target.length > TARGET_LENGTH_MAX) return { is: "unknown" };
  return { is: "command", target: target.normalize("NFC"), cmd };
}

function readSubscription({ events, after, rate, snapshot }: JsonObject): WatcherRequest {
  const names = Array.isArray(events) ? events.filter((name) => typeof name === "string") : undefined;
  const cursor = typeof after === "string" ? after : undefined;
  return { is: "subscribe", events: names, after: cursor, rate: rateOf(rate), snapshot: snapshot === true };
}

/** Events a second; what is no such number asks for all. */
export const rateOf = (rate: Json | undefined): number | undefined =>
  typeof rate === "number" && Number.isSafeInteger(rate) && rate > 0 ? rate : undefined;

/** `{"selected":"<name>","data":<text|object>}` */
export function readChoice(choice: Json | undefined): { name: string; data: string } | undefined {
  if (!isObject(choice) || typeof choice.selected !== "string") return undefined;
  const { selected: name, data } = choice;
  if (data === undefined || data === null) return { name, data: "{}" };
  return { name, data: typeof data === "string" ? data : JSON.stringify(data) };
}

/** The id that a watcher gave its request, where it is a usable one. */
export function requestIdOf(message: Json): RequestId {
  const id = isObject(message) ? message.request_id : undefined;
  if (typeof id === "number") return id;
  return typeof id === "string" && id.length <= REQUEST_ID_MAX ? id : undefined;
}

/** A reply as text; `request` is left out where there is none. */
export const replyText = (reply: JsonObject, request?: RequestId): string =>
  JSON.stringify(request === undefined ? reply : { ...reply, request_id: request });

/** An error as text. */
export const errorText = (error: string, code: FaultName, more: JsonObject = {}): string =>
  JSON.stringify({ error, ...more, code });
