/**
 * Text of strangers, made fit to be seen: a name must not hide, turn round or push away what stands beside it.
 *
 * What is shown is text wherever it is shown; this is about characters that change how other text looks.
 */
import { escaped, type Json } from "../../core/json.ts";

/** Control characters, those that turn the direction of writing, those without width, lone halves. */
// deno-lint-ignore no-control-regex -- Why: these are what must not come through.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
const INVISIBLE_EXCEPT_NEWLINE = new RegExp(
  INVISIBLE.source.replace("\\u0000-\\u001f", "\\u0000-\\u0009\\u000b-\\u001f"),
  "gu",
);
/** Marks that pile up over one letter. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
const REPLACEMENT = "\ufffd";

/** One line of at most so many characters. */
export function sanitize(text: string, charactersMax = 200): string {
  return clean(text, charactersMax, INVISIBLE);
}

/** Several lines of at most so many characters together. */
export function sanitizeLines(text: string, charactersMax = 4_000): string {
  return clean(text.replace(/\r\n?/g, "\n"), charactersMax, INVISIBLE_EXCEPT_NEWLINE);
}

function clean(text: string, charactersMax: number, unseen: RegExp): string {
  // Why cut first: what is not shown need not be looked through. A character has at most two units, and a pile is no character.
  const part = text.length > 4 * charactersMax ? text.slice(0, 4 * charactersMax) : text;
  const fit = part.toWellFormed().replace(unseen, REPLACEMENT).replace(STACKED_MARKS, "$1");
  const characters = [...fit];
  if (characters.length <= charactersMax && part === text) return fit;
  return `${characters.slice(0, charactersMax - 1).join("")}…`;
}

/** A value as JSON in lines; what could not be seen in it is written as JSON writes it. */
export function sanitizeJson(value: Json | undefined, charactersMax = 20_000): string {
  const text = JSON.stringify(value, null, 2) ?? "";
  const part = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
  return part.toWellFormed().replace(INVISIBLE_EXCEPT_NEWLINE, escaped);
}

/** Text that may be JSON: in lines if it is. */
export function sanitizeData(text: string, charactersMax = 20_000): string {
  try {
    return sanitizeJson(JSON.parse(text), charactersMax);
  } catch {
    return sanitizeLines(text, charactersMax);
  }
}
