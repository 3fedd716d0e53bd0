/**
 * What is wrong with a text that is not JSON, and where.
 *
 * The messages of runtimes differ from each other, so they are not passed on; these are the ones that the original relay gave,
 * with line and column counted in characters. Asked only once a text is known to be no JSON, and not nested deeply.
 */

/** Thrown and caught in this file only: the scan is recursive and its end may come anywhere. */
class Found extends Error {
  readonly at: number;
  constructor(what: string, at: number) {
    super(what);
    this.at = at;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const BLANK = /[ \t\n\r]*/y;
const LITERAL = /null|true|false/y;
/** What the original took for numbers, and every JavaScript client then could not read. */
const NOT_FINITE = /NaN|-?Infinity/y;
const HEX = /[0-9a-fA-F]{4}/y;

/** `Expecting value: line 1 column 5 (char 4)` and its like. */
export function diagnose(text: string): string {
  if (text.startsWith("\ufeff")) return located(text, new Found("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
  try {
    const end = blanks(text, value(text, blanks(text, 0)));
    return located(text, new Found(end < text.length ? "Extra data" : "Expecting value", end));
  } catch (found) {
    if (found instanceof Found) return located(text, found);
    throw found;
  }
}

function located(text: string, { message, at }: Found): string {
  const before = [...text.slice(0, at)];
  const lines = text.slice(0, at).split("\n");
  const column = [...(lines.at(-1) ?? "")].length + 1;
  return `${message}: line ${lines.length} column ${column} (char ${before.length})`;
}

/** The index after what matches here, or undefined. */
function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

const blanks = (text: string, at: number): number => match(BLANK, text, at) ?? at;

function value(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return string(text, at);
  if (first === "{") return object(text, at + 1);
  if (first === "[") return array(text, at + 1);
  if (match(NOT_FINITE, text, at) !== undefined) throw new Found("NaN and Infinity are not JSON", at);
  const end = match(LITERAL, text, at) ?? match(NUMBER, text, at);
  if (end === undefined) throw new Found("Expecting value", at);
  return end;
}

function object(text: string, start: number): number {
  let at = blanks(text, start);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] !== '"') throw new Found("Expecting property name enclosed in double quotes", at);
    at = blanks(text, string(text, at));
    if (text[at] !== ":") throw new Found("Expecting ':' delimiter", at);
    at = blanks(text, value(text, blanks(text, at + 1)));
    if (text[at] === "}") return at + 1;
    if (text[at] !== ",") throw new Found("Expecting ',' delimiter", at);
    at = blanks(text, at + 1);
  }
}

function array(text: string, start: number): number {
  let at = blanks(text, start);
  if (text[at] === "]") return at + 1;
  for (;;) {
    at = blanks(text, value(text, at));
    if (text[at] === "]") return at + 1;
    if (text[at] !== ",") throw new Found("Expecting ',' delimiter", at);
    at = blanks(text, at + 1);
  }
}

function string(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) return at + 1;
    if (code < 32) throw new Found("Invalid control character at", at);
    if (code === 92) at = escape(text, { start, at });
  }
  throw new Found("Unterminated string starting at", start);
}

/** The index of the last character of the escape that begins at `at`. */
function escape(text: string, { start, at }: { readonly start: number; readonly at: number }): number {
  const kind = text[at + 1];
  if (kind === undefined) throw new Found("Unterminated string starting at", start);
  if (kind === "u") {
    if (match(HEX, text, at + 2) === undefined) throw new Found("Invalid \\uXXXX escape", at + 1);
    return at + 5;
  }
  if (!'"\\/bfnrt'.includes(kind)) throw new Found("Invalid \\escape", at);
  return at + 1;
}
