/** JSON values, and the checks before and after parsing. */

// Why the cast: the compiler does not know this function yet.
const rawJson = (JSON as unknown as { readonly rawJSON?: (text: string) => unknown }).rawJSON;

/** Why false on Node 20, where only clients run: `JSON.stringify` cannot write such a number there. */
const KEEPS_NUMBERS: boolean = rawJson !== undefined;

/**
 * A number whose text JavaScript would change: `1183749237498237443`, `1.10`, `1e2`, `-0`, `1E400`. `JSON.stringify` writes the text of
 * the peer. It is neither an object (`isObject`) nor a number of JavaScript: read it with `numberOf`.
 */
export class ExactNumber {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The nearest number; infinite, if it is too large. */
  valueOf(): number {
    return Number(this.#text);
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): unknown {
    return rawJson?.(this.#text);
  }
}

/** True for every number of a peer. `String` writes the text that the peer wrote. */
export const isNumber = (value: unknown): value is number | ExactNumber =>
  typeof value === "number" || value instanceof ExactNumber;

/** A number of a peer, as JavaScript calculates with it; undefined if it is not a number. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return value instanceof ExactNumber ? value.valueOf() : undefined;
}

/** What a boolean, 1, 0, or the word for one in any letter case means, because Python writes `True`; otherwise undefined. */
export function truthOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  const given = typeof value === "string" ? value.toLowerCase() : numberOf(value);
  return given === "true" || given === 1 ? true : given === "false" || given === 0 ? false : undefined;
}

/** Any JSON value. */
export type Json = null | boolean | number | string | ExactNumber | readonly Json[] | JsonObject;
/** A JSON object. Keys may be absent. Never use a string from a peer as the key of a plain object. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
/** A frame as it is on the wire: text, or bytes. */
export type Frame = string | Uint8Array;

/** True for `{...}`; false for arrays, numbers and null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const [ZERO, NINE] = [48, 57];
/** Digits of a whole number that JavaScript always writes as it read them. */
const DIGITS_EXACT = 15;

/** True when no array or object in the text is nested deeper than `depthMax`. */
export const isShallow = (text: string, depthMax: number): boolean =>
  text.length <= depthMax || scan(text, depthMax) !== "tooDeep";

const NO_SPANS: readonly number[] = [];

/**
 * A linear scan before `JSON.parse`: "tooDeep", because deep nesting overflows the stack of the code that handles the value, or the
 * start and the end of each number whose text JavaScript would change.
 */
function scan(text: string, depthMax: number): readonly number[] | "tooDeep" {
  let depth = 0;
  let spans: number[] | undefined;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === 123 || code === 91) {
      if (++depth > depthMax) return "tooDeep";
    } else if (code === 125 || code === 93) depth--;
    else if (code >= MINUS && code <= NINE) {
      let end = at + 1;
      while (isDigit(text.charCodeAt(end))) end++;
      if (end - at > DIGITS_EXACT || code === MINUS || isNumberPart(text.charCodeAt(end))) {
        while (isNumberPart(text.charCodeAt(end))) end++;
        if (KEEPS_NUMBERS && needsMark(text.slice(at, end))) (spans ??= []).push(at, end);
      }
      at = end - 1;
    }
  }
  return spans ?? NO_SPANS;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/** True for a digit, a point, a sign or the letter before an exponent. */
const isNumberPart = (code: number): boolean =>
  isDigit(code) || code === 46 || code === MINUS || code === 43 || code === 69 || code === 101;

/** The index of the quote that closes the string opened at `start`, or the last index when none does. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** Marks stand for numbers while the text is parsed. They are even numbers from `MARK_MIN`, and below `MARK_LIMIT`. */
const MARK_MIN = 2 ** 53;
const MARK_LIMIT = 2 ** 54;
const isMark = (number: number): boolean => number >= MARK_MIN && number < MARK_LIMIT;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** True for a number that `parseMarked` has to read: its text would change, or it looks like a mark. Errors are left to the parser. */
function needsMark(text: string): boolean {
  const value = Number(text);
  return (String(value) !== text || isMark(value)) && NUMBER.test(text);
}

/**
 * Parses JSON in which the given spans (start, end, start, end, ...) are the numbers that need a mark. Throws like `JSON.parse`.
 *
 * Why no reviver with the source text: for each value of a message it costs ten times as much as the parser.
 */
function parseMarked(text: string, spans: readonly number[]): Json {
  const texts: string[] = [];
  const parts: string[] = [];
  let end = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const start = spans[at] ?? end;
    parts.push(text.slice(end, start), String(MARK_MIN + at));
    end = spans[at + 1] ?? end;
    texts.push(text.slice(start, end));
  }
  const value: Json = JSON.parse(parts.join("") + text.slice(end));
  // Why parsed: a part of a text keeps the whole of it in memory.
  const copies: readonly string[] = JSON.parse(`["${texts.join('","')}"]`);
  return withoutMarks(
    value,
    copies.map((number) => String(Number(number)) === number ? Number(number) : new ExactNumber(number)),
  );
}

/** The value with its numbers in place of the marks. The nesting has been checked before, so the recursion is bounded. */
function withoutMarks(value: Json, numbers: readonly Json[]): Json {
  if (typeof value === "number") return isMark(value) ? numbers[(value - MARK_MIN) / 2] ?? value : value;
  // Why the casts: the value was just parsed, so nobody else has it.
  if (Array.isArray(value)) restoreItems(value as Json[], numbers);
  else if (typeof value === "object" && value !== null) restoreMembers(value as Record<string, Json>, numbers);
  return value;
}

function restoreItems(list: Json[], numbers: readonly Json[]): void {
  for (let at = 0; at < list.length; at++) list[at] = withoutMarks(list[at] ?? null, numbers);
}

function restoreMembers(object: Record<string, Json>, numbers: readonly Json[]): void {
  for (const key in object) {
    const member = object[key] ?? null;
    const restored = withoutMarks(member, numbers);
    if (restored === member) continue;
    // Why not always an assignment: that would set the prototype.
    if (key === "__proto__") Object.defineProperty(object, key, { value: restored });
    else object[key] = restored;
  }
}

/** A text up to this length is parsed before its nesting is checked: it has no room for more than any parser can handle. */
const PARSED_FIRST_LENGTH = 8_192;

/**
 * The parsed value. Undefined if the text is not JSON or is nested too deeply.
 *
 * A number whose text JavaScript would change is an `ExactNumber`, so that it can be passed on unchanged.
 */
export function parseJson(text: string, depthMax: number): Json | undefined {
  try {
    let value: Json | undefined;
    // Why: nearly all messages are short and have no number, and a look at their few values costs less than a scan of the text.
    if (text.length <= PARSED_FIRST_LENGTH) {
      value = JSON.parse(text) as Json;
      const content = contentOf(value, depthMax);
      if (content === "tooDeep") return undefined;
      if (content === "plain" || JSON.stringify(value) === text) return value;
    }
    const scanned = scan(text, depthMax);
    if (scanned === "tooDeep") return undefined;
    return scanned.length === 0 ? value ?? JSON.parse(text) : parseMarked(text, scanned);
  } catch {
    return undefined;
  }
}

/** Whether a value is nested too deeply, has numbers, or neither. */
function contentOf(value: Json, depthMax: number): "plain" | "numbers" | "tooDeep" {
  if (typeof value === "number") return "numbers";
  if (typeof value !== "object" || value === null) return "plain";
  if (depthMax === 0) return "tooDeep";
  let all: "plain" | "numbers" = "plain";
  // Why not `Object.values`: nothing is inherited here, and the list would take most of the time.
  for (const key in value) {
    const member = (value as JsonObject)[key];
    if (typeof member === "string") continue;
    const content = contentOf(member ?? null, depthMax - 1);
    if (content === "tooDeep") return content;
    if (content === "numbers") all = content;
  }
  return all;
}

/** The same, where numbers are only calculated with: each of them is a number of JavaScript. */
export function parsePlainJson(text: string, depthMax: number): Json | undefined {
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
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return JSON.stringify(value);
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

/** What JSON writes as it is, between quotes: printable ASCII without quotes and backslashes. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** The longest text that is looked at. Why: `JSON.stringify` is faster for a long one. */
const PLAIN_LENGTH_MAX = 256;

/** True for a short text whose JSON is the text between quotes. */
export const isPlain = (text: string): boolean => text.length <= PLAIN_LENGTH_MAX && PLAIN.test(text);

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
