/**
 * Sanitizes text that peers wrote: a name must not hide, reverse or displace the text beside it.
 *
 * The page never interprets such text as markup. This file removes characters that change how neighbouring text looks.
 */
import { escaped, type Json, parseJson } from "../../core/json.ts";

/** Control characters, bidirectional overrides, and characters without width. */
// deno-lint-ignore no-control-regex -- Why: these are the characters to be removed.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
const INVISIBLE_EXCEPT_NEWLINE = new RegExp(
  INVISIBLE.source.replace("\\u0000-\\u001f", "\\u0000-\\u0009\\u000b-\\u001f"),
  "gu",
);
/** More than three combining marks on one letter. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
const REPLACEMENT = "\ufffd";
/** Deeper JSON is shown as text. */
const DEPTH_MAX = 64;

/** One line of at most `charactersMax` characters. */
export function sanitize(text: string, charactersMax = 200): string {
  return clean(text, charactersMax, INVISIBLE);
}

/** Several lines of at most `charactersMax` characters together. */
export function sanitizeLines(text: string, charactersMax = 4_000): string {
  return clean(text.replace(/\r\n?/g, "\n"), charactersMax, INVISIBLE_EXCEPT_NEWLINE);
}

function clean(text: string, charactersMax: number, invisible: RegExp): string {
  // Why cut first: text that is not shown need not be examined. Four times, because a character has up to two code units and some are
  // removed.
  const part = text.length > 4 * charactersMax ? text.slice(0, 4 * charactersMax) : text;
  const fit = part.toWellFormed().replace(invisible, REPLACEMENT).replace(STACKED_MARKS, "$1");
  const characters = [...fit];
  if (characters.length <= charactersMax && part === text) return fit;
  return `${characters.slice(0, charactersMax - 1).join("")}…`;
}

/** A value as indented JSON, with invisible characters as JSON escapes. */
export function sanitizeJson(value: Json | undefined, charactersMax = 20_000): string {
  const text = JSON.stringify(value, null, 2) ?? "";
  const part = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
  return part.toWellFormed().replace(INVISIBLE_EXCEPT_NEWLINE, escaped);
}

/** Text that may be JSON; if it is, it is indented. */
export function sanitizeData(text: string, charactersMax = 20_000): string {
  const value = parseJson(text, DEPTH_MAX);
  return value === undefined ? sanitizeLines(text, charactersMax) : sanitizeJson(value, charactersMax);
}
