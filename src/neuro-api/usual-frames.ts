/**
 * The usual frames: results and contexts of games, and actions of Neuro, in the order of keys in which SDKs write them, without a character
 * that JSON escapes. Nearly all frames are of these.
 *
 * Why patterns: they read such a frame in half the time of a parser, and leave nothing to be checked or repaired.
 * Invariant: UF1 the reader of all other frames reads a usual frame as the same message, and repairs nothing in it.
 */
import type { ContextMessage, NeuroMessage, ResultMessage } from "../core/neuro-messages.ts";
import { NO_REPAIRS } from "./repair.ts";

/** Printable ASCII without quotes and backslashes. */
const CHARACTER = String.raw`[ !#-[\]-~]`;
const NAME = `"(${CHARACTER}+)"`;
const TEXT = `"(${CHARACTER}*)"`;
/** JSON as a text: with the escapes that consist of two characters. */
const JSON_TEXT = String.raw`("(?:${CHARACTER}|\\["\\/bfnrt])+")`;
const BOOLEAN = "(true|false)";

/** A member of an object. Python writes a space after the colon, and after the comma between members. */
const member = (key: string, value: string): string => `"${key}": ?${value}`;
const members = (...list: readonly string[]): string => list.join(", ?");
const optional = (value: string): string => `(?:, ?${value})?`;
const frameOf = (...list: readonly string[]): RegExp => new RegExp(String.raw`^\{${members(...list)}\}$`);
const dataOf = (content: string): string => member("data", String.raw`\{${content}\}`);

const [ID, SUCCESS] = [member("id", NAME), member("success", BOOLEAN)];
const RESULT = frameOf(
  member("command", `"action/result"`),
  member("game", NAME),
  dataOf(`(?:${members(ID, SUCCESS)}|${members(SUCCESS, ID)})${optional(member("message", TEXT))}`),
);
const CONTEXT = frameOf(
  member("command", `"context"`),
  member("game", NAME),
  dataOf(members(member("message", TEXT), member("silent", BOOLEAN))),
);
const ACTION = frameOf(
  member("command", `"action"`),
  dataOf(members(ID, member("name", NAME)) + optional(member("data", JSON_TEXT))),
);

/** Characters of a frame. Why no more: what is kept of a message keeps its whole frame in memory. */
const LENGTH_MAX = 512;

/** The message in a usual frame of a game, and the name of that game, as `decodeGame` returns it. */
export interface UsualMessage {
  readonly ok: true;
  readonly game: string;
  readonly message: ResultMessage | ContextMessage;
  readonly repairs: typeof NO_REPAIRS;
}

/** The message of a game; undefined for a frame that is not usual. */
export function readUsualMessage(frame: string): UsualMessage | undefined {
  if (frame.length > LENGTH_MAX) return undefined;
  // Why by number: to take a match apart by name or as a list costs as much as the match.
  const result = RESULT.exec(frame);
  if (result !== null) {
    const id = result[2] ?? result[5] ?? "";
    const success = (result[3] ?? result[4]) === "true";
    const message = result[6];
    const command = "action/result";
    return {
      ok: true,
      game: result[1] ?? "",
      message: message === undefined ? { command, id, success } : { command, id, success, message },
      repairs: NO_REPAIRS,
    };
  }
  const context = CONTEXT.exec(frame);
  if (context === null) return undefined;
  return {
    ok: true,
    game: context[1] ?? "",
    message: { command: "context", message: context[2] ?? "", silent: context[3] === "true", isPlain: true },
    repairs: NO_REPAIRS,
  };
}

/** The action of Neuro; undefined for a frame that is not usual. */
export function readUsualAction(frame: string): NeuroMessage & { readonly command: "action" } | undefined {
  const action = frame.length > LENGTH_MAX ? null : ACTION.exec(frame);
  if (action === null) return undefined;
  const id = action[1] ?? "";
  const name = action[2] ?? "";
  const json = action[3];
  return json === undefined ? { command: "action", id, name } : { command: "action", id, name, data: JSON.parse(json) };
}
