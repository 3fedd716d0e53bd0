/**
 * The messages between a command and its fence, gathered into that command's reply.
 *
 * Replies go to everybody, and nothing in them says whom they answer. What was gathered last of a kind is what is taken: this
 * client's own, or a later one of the same kind. Of states the later is the better; for the rest see `nallely/README.md`.
 */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { CLASS_CODE, type ReplyShape, USED_ADDRESSES } from "./commands.ts";
import { isSessionState, type SessionState } from "./state.ts";

/** Lines of output that are kept for one reply. */
const LINES_MAX = 10_000;

export interface Gathered {
  state: SessionState | undefined;
  notice: JsonObject | undefined;
  errors: readonly Json[];
  flaw: Json | undefined;
  patches: readonly Json[];
  text: string | undefined;
  readonly lines: string[];
  /** The `arg` of messages by their `command`. */
  readonly args: Map<string, Json | undefined>;
}

export const gathered = (): Gathered => ({
  state: undefined,
  notice: undefined,
  errors: [],
  flaw: undefined,
  patches: [],
  text: undefined,
  lines: [],
  args: new Map(),
});

export function gather(into: Gathered, message: Json): void {
  if (typeof message === "string") into.text = message;
  if (!isObject(message)) return;
  if (isSessionState(message)) into.state = message;
  else if (Array.isArray(message.errors)) into.errors = message.errors;
  else if (Array.isArray(message.knownPatches)) into.patches = message.knownPatches;
  else if (message.command === "notification") into.notice = message;
  else if (message.command === "error") into.flaw = message.details;
  else if (message.command === "stdout") {
    if (into.lines.length < LINES_MAX) into.lines.push(String(message.line));
  } else if (typeof message.command === "string") into.args.set(message.command, message.arg);
}

/**
 * The reply of this shape, typed by `Commands`; undefined where the command may be silent. `missing` when it may not, and was.
 */
export function shapeReply(shape: ReplyShape, from: Gathered, options: readonly Json[]): unknown | Missing {
  if (typeof shape === "object") return from.args.get(shape.arg);
  const { state } = from;
  switch (shape) {
    case "nothing":
      return undefined;
    case "notice":
      return from.notice;
    case "text":
      return from.text;
    case "patches":
      return from.patches;
    case "options":
      return options;
    case "changed":
      return { state, notice: from.notice };
    case "described":
      return { addresses: from.args.get(USED_ADDRESSES) ?? null, notice: from.notice };
    case "state":
      return state ?? missing;
    case "loaded":
      return state === undefined ? missing : { state, errors: from.errors };
    case "coded":
      return state === undefined ? missing : { state, code: from.args.get(CLASS_CODE) };
    case "executed":
      return state === undefined ? missing : { state, flaw: from.flaw, lines: from.lines };
  }
}

/** No state came where one had to. */
export const missing: unique symbol = Symbol("no reply");
export type Missing = typeof missing;
