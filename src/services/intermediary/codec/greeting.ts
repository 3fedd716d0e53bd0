/** The greeting, which is the first frame of a peer. Never throws. */
import { type Frame, isObject, type Json } from "../../../core/json.ts";
import { NAME_CODE_POINTS_MAX } from "../../../core/limits.ts";
import { hasInvisible, normalized } from "../../../core/text.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { jsonOf, textOf } from "./frames.ts";
import { wrongField } from "./problems.ts";

export interface Greeting {
  readonly type: Json | undefined;
  readonly name: Result<string | undefined>;
  readonly token: Json | undefined;
  readonly acks: boolean;
  /** It wants the traces of its own messages. */
  readonly traces: boolean;
  /** A field that counts as absent, because it is wrong, and what follows from that. */
  readonly problem: string | undefined;
}

/** Reads a greeting. Its token and type are checked in `connections/greeting.ts`, which knows the settings. */
export function readGreeting(
  frame: Frame,
  limits: { readonly bytesMax: number; readonly depthMax: number },
): Result<Greeting> {
  const text = textOf(frame);
  if (text !== undefined && isLonger(text, limits.bytesMax)) {
    return failed("badGreeting", `registration must be at most ${limits.bytesMax} bytes`);
  }
  const message = text === undefined ? undefined : jsonOf(text, limits.depthMax);
  if (!isObject(message)) return failed("badGreeting", "registration must be JSON");
  const { type, name, auth_token: token, ack, trace } = message;
  const problem = wrongFlag("ack", ack, "no acks are expected") ??
    wrongFlag("trace", trace, "no traces are sent");
  return ok({ type, name: readName(name), token, acks: ack === true, traces: trace === true, problem });
}

const wrongFlag = (name: string, value: Json | undefined, instead: string): string | undefined =>
  value === undefined || value === null || typeof value === "boolean"
    ? undefined
    : `${wrongField(name, "true or false", value)}; ${instead}`;

/** True for a message that looks like a greeting. */
export const isGreeting = (message: Json): boolean =>
  isObject(message) && message.auth_token !== undefined && (message.type === "integration" || message.type === "neuro-os");

/** The name in normal form C, or undefined if there is none. */
export function readName(raw: Json | undefined): Result<string | undefined> {
  if (raw === undefined || raw === null || raw === "") return ok(undefined);
  if (typeof raw !== "string") return failed("badGreeting", "name must be a string");
  const name = normalized(raw, 4 * NAME_CODE_POINTS_MAX);
  if (name === undefined || name.length > 2 * NAME_CODE_POINTS_MAX || [...name].length > NAME_CODE_POINTS_MAX) {
    return failed("badGreeting", `name must have at most ${NAME_CODE_POINTS_MAX} characters`);
  }
  if (!name.isWellFormed() || hasInvisible(name)) {
    return failed("badGreeting", "name must not contain control characters, invisible characters or invalid Unicode");
  }
  return name === "*" ? failed("badGreeting", '"*" is reserved') : ok(name);
}

const isLonger = (text: string, bytesMax: number): boolean =>
  text.length > bytesMax || (text.length * 3 > bytesMax && new TextEncoder().encode(text).length > bytesMax);
