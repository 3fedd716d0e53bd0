/**
 * The messages between a command and the answer to its fence, collected into the command's reply.
 *
 * Trevor sends replies to every client, and no field names the client that they answer. The last message of each kind is used: this
 * client's own, or another client's of the same kind. `trevor.ts` ensures that a state is not an older one; for other kinds see
 * `README.md`.
 */
import { assertNever } from "../../core/assert.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { CLASS_CODE, type ReplyShape, USED_ADDRESSES } from "./commands.ts";
import { isSessionState, type SessionState } from "./session-state.ts";

/** Lines of output that are kept for one reply. */
const LINES_MAX = 10_000;

export interface ReplyParts {
  /** Characters of the parts other than the state, also of those beyond `TREVOR_TEXT_MAX`, which are dropped. */
  length: number;
  state: SessionState | undefined;
  /** States since the command, or since the state was requested again. */
  states: number;
  notification: JsonObject | undefined;
  errors: readonly Json[];
  diagnostic: Json | undefined;
  patches: readonly Json[];
  text: string | undefined;
  readonly lines: string[];
  /** The `arg` of messages by their `command`. */
  readonly args: Map<string, Json | undefined>;
}

export const createReplyParts = (): ReplyParts => ({
  length: 0,
  state: undefined,
  states: 0,
  notification: undefined,
  errors: [],
  diagnostic: undefined,
  patches: [],
  text: undefined,
  lines: [],
  args: new Map(),
});

export function collectPart(parts: ReplyParts, message: Json): void {
  if (typeof message === "string") parts.text = message;
  if (!isObject(message)) return;
  if (isSessionState(message)) {
    parts.state = message;
    parts.states++;
  } else if (Array.isArray(message.errors)) parts.errors = message.errors;
  else if (Array.isArray(message.knownPatches)) parts.patches = message.knownPatches;
  else if (message.command === "notification") parts.notification = message;
  else if (message.command === "error") parts.diagnostic = message.details;
  else if (message.command === "stdout") {
    if (parts.lines.length < LINES_MAX) parts.lines.push(String(message.line));
  } else if (typeof message.command === "string") parts.args.set(message.command, message.arg);
}

/** The reply of this shape, typed by `Commands`. Undefined if the command may stay silent, `NO_REPLY` if it must reply but did not. */
export function replyOf(shape: ReplyShape, parts: ReplyParts, options: readonly Json[]): unknown | NoReply {
  if (typeof shape === "object") return parts.args.get(shape.arg);
  const { state, notification, diagnostic, errors, lines, args } = parts;
  switch (shape) {
    case "nothing":
      return undefined;
    case "notification":
      return notification;
    case "text":
      return parts.text;
    case "patches":
      return parts.patches;
    case "options":
      return options;
    case "maybeState":
      return { state, notification };
    case "addresses":
      return { addresses: args.get(USED_ADDRESSES) ?? null, notification };
    case "state":
      return state ?? NO_REPLY;
    case "stateAndErrors":
      return state === undefined ? NO_REPLY : { state, errors };
    case "stateAndCode":
      return state === undefined ? NO_REPLY : { state, code: args.get(CLASS_CODE) };
    case "execution":
      return state === undefined ? NO_REPLY : { state, diagnostic, lines };
    default:
      return assertNever(shape);
  }
}

/** Trevor sent no state in reply to a command whose reply is always a state. */
export const NO_REPLY: unique symbol = Symbol("no reply");
export type NoReply = typeof NO_REPLY;
