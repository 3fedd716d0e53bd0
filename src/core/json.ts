/** JSON values, and the checks before and after parsing. */

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A JSON object. Keys may be absent. Never use a string from a peer as the key of a plain object. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
/** A frame as it is on the wire: text, or bytes. */
export type Frame = string | Uint8Array;

/** True for `{...}`; false for arrays and null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * True when no array or object in the text is nested deeper than `depthMax`.
 *
 * A linear scan before `JSON.parse`, because deep nesting overflows the stack of the code that handles the value.
 * A text shorter than the depth cannot exceed it, so ordinary messages cost nothing.
 */
export function isShallow(text: string, depthMax: number): boolean {
  if (text.length <= depthMax) return true;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === 123 || code === 91) {
      if (++depth > depthMax) return false;
    } else if (code === 125 || code === 93) depth--;
  }
  return true;
}

/** The index of the quote that closes the string opened at `start`, or the last index when none does. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** The parsed value. Undefined if the text is not JSON or is nested too deeply. */
export function parseJson(text: string, depthMax: number): Json | undefined {
  if (!isShallow(text, depthMax)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The same text for equal values: object keys sorted, absent keys left out.
 *
 * Used to compare and hash definitions, never in messages. A value with sorted keys, which is the common case, is serialised directly.
 */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined) return "null";
  return isSorted(value) ? JSON.stringify(value) : sorted(value);
}

/** True if the keys of every object are sorted: `JSON.stringify` then writes the canonical text. */
export function isSorted(value: Json): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (!isSorted(item)) return false;
    return true;
  }
  let before = "";
  // Why not `Object.keys`: nothing is inherited here, and creating the list doubles the time.
  for (const key in value) {
    if (key < before) return false;
    const member = (value as JsonObject)[key]; // Why: `isArray` does not narrow a readonly array.
    if (typeof member === "object" && member !== null && !isSorted(member)) return false;
    before = key;
  }
  return true;
}

/** With the keys of every object in order. */
function sorted(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "" : ","}${item === undefined ? "null" : sorted(item)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const member = (value as JsonObject)[key]; // Why: `isArray` does not narrow a readonly array.
    if (member !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${sorted(member)}`;
  }
  return `{${text}}`;
}

/** The type of a view as JSON. */
export type Plain<Value> = Value extends Json ? Value
  : Value extends object ? { readonly [Key in keyof Value]: Plain<Value[Key]> }
  : Value;

/** A view, typed as the JSON that it consists of. */
// Why the cast: an interface has no index signature. The type checker verifies at each use of the result that it consists of JSON.
export const plain = <Value>(view: Value): Plain<Value> => view as Plain<Value>;

/** Control characters, line separators, and characters that change the direction of text. */
// deno-lint-ignore no-control-regex -- Why: control characters are exactly what is meant.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text of a peer, with every character escaped that could break a line, move a cursor or disguise the text. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

/** One UTF-16 unit as JSON escapes it. */
export const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
