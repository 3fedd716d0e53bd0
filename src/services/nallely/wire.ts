/** JSON on the bus: the registration that opens a socket, and values that come as text. */
import { isObject, type Json, parseJson } from "../../core/json.ts";
import { VALUE_TEXT_MAX } from "../../core/limits.ts";

const DEPTH_MAX = 64;

/** A parameter as the bus is told of it. It has no direction there: each is an input and an output. */
export interface WireParameter {
  readonly name: string;
  readonly range?: readonly [number | null, number | null];
  /** Values routed to it are not de-duplicated. */
  readonly stream?: true;
}

/** The first message on `/NAME/autoconfig`. */
export const encodeRegistration = (parameters: readonly WireParameter[]): string =>
  JSON.stringify({ kind: "external", parameters });

/**
 * The first message on a further socket to `/NAME/autoconfig`, of a neuron that is registered. Where it is not, the bus takes
 * it for its registration.
 */
export const encodeAddition = (parameters: readonly WireParameter[]): string =>
  JSON.stringify({ kind: "external", type: "add_parameters", parameters });

/** A value, and the plain name of the parameter that it is for. */
export interface NamedValue {
  readonly name: string;
  readonly value: number;
}

/** The value in a text message (the bus sends one where a name is too long for a frame), or undefined when there is none in it. */
export function decodeText(text: string): NamedValue | undefined {
  if (text.length > VALUE_TEXT_MAX) return undefined;
  const message = parseTolerantJson(text);
  if (!isObject(message) || typeof message.on !== "string" || typeof message.value !== "number") return undefined;
  return { name: message.on, value: message.value };
}

/**
 * JSON as the session writes it: bare `NaN`, `Infinity` and `-Infinity` occur in it as soon as one such value was sent by
 * anybody. NaN reads as null, since nothing can be compared with it; the infinities read as what they are.
 */
export function parseTolerantJson(text: string): Json | undefined {
  const strict = parseJson(text, DEPTH_MAX);
  if (strict !== undefined) return strict;
  if (!text.includes("NaN") && !text.includes("Infinity")) return undefined;
  // Why: strings are matched first, so that words within them stay as they are.
  const mended = text.replace(
    /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g,
    (token) => token === "NaN" ? "null" : token === "Infinity" ? "1e999" : token === "-Infinity" ? "-1e999" : token,
  );
  return parseJson(mended, DEPTH_MAX);
}
