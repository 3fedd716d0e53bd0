/** JSON on the bus: the registration, and values that arrive as text. */
import { isObject, type Json, parsePlainJson } from "../../core/json.ts";
import { VALUE_TEXT_MAX } from "../../core/limits.ts";

const DEPTH_MAX = 64;

/** A parameter as it is registered. On the bus it has no direction. */
export interface RegisteredParameter {
  readonly name: string;
  readonly range?: readonly [number | null, number | null];
  /** True: every value that is routed to it arrives, including repetitions. */
  readonly stream?: true;
}

/** The first message on `/NAME/autoconfig`. */
export const encodeRegistration = (parameters: readonly RegisteredParameter[]): string =>
  JSON.stringify({ kind: "external", parameters });

/**
 * The first message on a second socket to `/NAME/autoconfig`, which adds parameters to a registered neuron. If the neuron is not
 * registered, the bus treats the frame as its registration.
 */
export const encodeAddition = (parameters: readonly RegisteredParameter[]): string =>
  JSON.stringify({ kind: "external", type: "add_parameters", parameters });

/** A value, and the name of its parameter without the neuron's name. */
export interface NamedValue {
  readonly name: string;
  readonly value: number;
}

/** The value in a text message, or undefined. The bus sends text where a name is too long for a frame. */
export function decodeText(text: string): NamedValue | undefined {
  if (text.length > VALUE_TEXT_MAX) return undefined;
  const message = parseTolerantJson(text);
  if (!isObject(message) || typeof message.on !== "string" || typeof message.value !== "number") return undefined;
  return { name: message.on, value: message.value };
}

/**
 * Parses JSON as the session writes it, with bare `NaN`, `Infinity` and `-Infinity` once any client has sent such a value. NaN becomes
 * null, since nothing can be compared with it; the infinities stay infinities.
 */
export function parseTolerantJson(text: string): Json | undefined {
  const strict = parsePlainJson(text, DEPTH_MAX);
  if (strict !== undefined) return strict;
  if (!text.includes("NaN") && !text.includes("Infinity")) return undefined;
  // Why strings first: the words within them must stay unchanged.
  const valid = text.replace(
    /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g,
    (token) => token === "NaN" ? "null" : token === "Infinity" ? "1e999" : token === "-Infinity" ? "-1e999" : token,
  );
  return parsePlainJson(valid, DEPTH_MAX);
}
