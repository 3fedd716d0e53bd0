/**
 * Describes the first syntax error of a text that is not JSON, and its position.
 *
 * The messages are those of the original relay, with line and column counted in characters. The messages of the JavaScript engines
 * differ from each other and are not passed on. `jsonError` is called only for texts that are known to be invalid and not deeply
 * nested.
 */

/** Thrown and caught in this file only: the parser is recursive and may find the error at any depth. */
class JsonSyntaxError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const BLANK = /[ \t\n\r]*/y;
const LITERAL = /null|true|false/y;
/** The original accepted these as numbers and sent them to clients that could not parse them. */
const NOT_FINITE = /NaN|-?Infinity/y;
const HEX = /[0-9a-fA-F]{4}/y;

/** The error of a text, for example `Expecting value: line 1 column 5 (char 4)`. */
export function jsonError(text: string): string {
  if (text.startsWith("\ufeff")) {
    return describe(text, new JsonSyntaxError("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
  }
  try {
    const end = skipBlanks(text, value(text, skipBlanks(text, 0)));
    return describe(text, new JsonSyntaxError(end < text.length ? "Extra data" : "Expecting value", end));
  } catch (found) {
    if (found instanceof JsonSyntaxError) return describe(text, found);
    throw found;
  }
}

function describe(text: string, { message, at }: JsonSyntaxError): string {
  const before = [...text.slice(0, at)];
  const lines = text.slice(0, at).split("\n");
  const column = [...(lines.at(-1) ?? "")].length + 1;
  return `${message}: line ${lines.length} column ${column} (char ${before.length})`;
}

/** The index after the match at `at`, or undefined if there is none. */
function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

const skipBlanks = (text: string, at: number): number => match(BLANK, text, at) ?? at;

function value(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return string(text, at);
  if (first === "{") return object(text, at + 1);
  if (first === "[") return array(text, at + 1);
  if (match(NOT_FINITE, text, at) !== undefined) throw new JsonSyntaxError("NaN and Infinity are not JSON", at);
  const end = match(LITERAL, text, at) ?? match(NUMBER, text, at);
  if (end === undefined) throw new JsonSyntaxError("Expecting value", at);
  return end;
}

function object(text: string, start: number): number {
  let at = skipBlanks(text, start);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] !== '"') throw new JsonSyntaxError("Expecting property name enclosed in double quotes", at);
    at = skipBlanks(text, string(text, at));
    if (text[at] !== ":") throw new JsonSyntaxError("Expecting ':' delimiter", at);
    at = skipBlanks(text, value(text, skipBlanks(text, at + 1)));
    if (text[at] === "}") return at + 1;
    if (text[at] !== ",") throw new JsonSyntaxError("Expecting ',' delimiter", at);
    at = skipBlanks(text, at + 1);
  }
}

function array(text: string, start: number): number {
  let at = skipBlanks(text, start);
  if (text[at] === "]") return at + 1;
  for (;;) {
    at = skipBlanks(text, value(text, at));
    if (text[at] === "]") return at + 1;
    if (text[at] !== ",") throw new JsonSyntaxError("Expecting ',' delimiter", at);
    at = skipBlanks(text, at + 1);
  }
}

function string(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) return at + 1;
    if (code < 32) throw new JsonSyntaxError("Invalid control character at", at);
    if (code === 92) at = escape(text, { start, at });
  }
  throw new JsonSyntaxError("Unterminated string starting at", start);
}

/** The index of the last character of the escape that begins at `at`. */
function escape(text: string, { start, at }: { readonly start: number; readonly at: number }): number {
  const kind = text[at + 1];
  if (kind === undefined) throw new JsonSyntaxError("Unterminated string starting at", start);
  if (kind === "u") {
    if (match(HEX, text, at + 2) === undefined) throw new JsonSyntaxError("Invalid \\uXXXX escape", at + 1);
    return at + 5;
  }
  if (!'"\\/bfnrt'.includes(kind)) throw new JsonSyntaxError("Invalid \\escape", at);
  return at + 1;
}
