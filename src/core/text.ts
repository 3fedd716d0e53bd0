/**
 * Text functions that every part of the relay shares: errors, redacted URLs, UTF-8, percent-encoding, patterns of names and time
 * stamps.
 */
import type { Millis } from "./ids.ts";
import type { Frame } from "./json.ts";

/** The message of an error, whatever was thrown. The reasons of an `AggregateError` are joined. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(errorText).join(", ");
  return error instanceof Error ? error.message : String(error);
}

const LINK_URL = /^link:([A-Za-z0-9_-]{1,64})$/;

/** The name in `link:<name>`, the URL of an upstream that a linked program connects; undefined for any other URL. */
export const linkNameOf = (url: string): string | undefined => LINK_URL.exec(url)?.[1];

/** A token in the path of a URL. */
export const PATH_TOKEN: RegExp = /(\/t\/)([^/?#]+)/g;
/** The value of a query parameter that is named like a secret. */
export const QUERY_SECRET: RegExp = /([?&][^=&#]*(?:token|key|secret|password)[^=&#]*=)([^&#]+)/gi;

/**
 * A URL without its secrets; `(invalid URL)` for anything else.
 *
 * "short", for logs and messages, has no credentials, query and fragment, and `/t/...` for a token in the path. "masked", for settings that
 * are printed as a configuration, keeps the query and replaces each secret with `***`.
 */
export function redactUrl(url: string, style: "short" | "masked" = "short"): string {
  if (linkNameOf(url) !== undefined) return url;
  const parts = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?([^/?#@]+)([^?#]*)(\?[^#]*)?/i.exec(url);
  if (parts === null) return "(invalid URL)";
  const [, scheme = "", credentials = "", host = "", path = "", query = ""] = parts;
  if (style === "short") return scheme + host + path.replace(PATH_TOKEN, "$1...");
  const masked = path.replace(PATH_TOKEN, "$1***") + query.replace(QUERY_SECRET, "$1***");
  return `${scheme}${credentials === "" ? "" : "***@"}${host}${masked}`;
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const STRICT_WITHOUT_BOM = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
const LENIENT = new TextDecoder();

/** The text of UTF-8 bytes; undefined if they are not valid UTF-8. A byte order mark is kept unless `bom` is "strip". */
export function utf8(bytes: Uint8Array, bom: "keep" | "strip" = "keep"): string | undefined {
  try {
    return (bom === "keep" ? STRICT : STRICT_WITHOUT_BOM).decode(bytes);
  } catch {
    return undefined;
  }
}

const ENCODER = new TextEncoder();

/** The length of the text in UTF-8, in bytes. */
export const utf8Length = (text: string): number => ENCODER.encode(text).length;

/** True when the text has at most that many bytes in UTF-8; they are counted only when its length leaves it open. */
export function fitsBytes(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return false;
  return text.length * 3 <= bytesMax || utf8Length(text) <= bytesMax;
}

/**
 * The text in Unicode normal form C; undefined if it is longer than `lengthMax`.
 *
 * Why a limit: the time of normalising grows with the square of the number of combining marks. No other file calls `normalize`.
 */
export const normalized = (text: string, lengthMax: number): string | undefined =>
  text.length > lengthMax ? undefined : text.normalize("NFC");

/** A character that can follow a joiner or select a form of: not ASCII, and visible. */
const VISIBLE = String.raw`[^\p{ASCII}\p{DI}]`;
const INVISIBLE = String.raw`[\p{Cc}\p{Zl}\p{Zp}\u2800\ufff9-\ufffb]|(?![\u200c\u200d\ufe0e\ufe0f])\p{DI}` +
  String.raw`|(?<!${VISIBLE}\ufe0f?)[\u200c\u200d]|(?<!${VISIBLE})[\ufe0e\ufe0f]`;
const ANY_INVISIBLE = new RegExp(INVISIBLE, "u");
const ALL_INVISIBLE = new RegExp(INVISIBLE, "gu");

/**
 * True if a name contains characters that cannot be seen, or that change the direction of text: with them it could look like another name.
 * Joiners are accepted in emoji and after letters that are not ASCII, because some scripts need them.
 */
export const hasInvisible = (name: string): boolean => ANY_INVISIBLE.test(name);

/** The name without such characters. */
export const withoutInvisible = (name: string): string => name.replace(ALL_INVISIBLE, "");

/** The number in a text of at most 15 digits, which a number holds exactly; undefined for any other text. */
export const wholeNumber = (text: string): number | undefined => /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/**
 * The first characters of a text, in memory of their own.
 *
 * Why the copy: V8 keeps the whole text as long as a part of it is used.
 */
export const shorten = (text: string, lengthMax: number): string =>
  text.length <= lengthMax ? text : JSON.parse(JSON.stringify(text.slice(0, lengthMax).toWellFormed()));

/** The text of a frame. Bytes that are not valid UTF-8 become U+FFFD. */
export const lenientText = (frame: Frame): string => typeof frame === "string" ? frame : LENIENT.decode(frame);

/** The text without percent-encoding; the text itself if its encoding is malformed. */
export function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** True when the name matches a pattern in which `*` stands for any run of characters. */
export const matchesPattern = (pattern: string, name: string): boolean =>
  wildcardsIn(pattern.split("*"), name) !== undefined;

/** The texts of the wildcards between the parts of a pattern, each as short as possible; undefined if the text does not match. */
export function wildcardsIn(parts: readonly string[], text: string): readonly string[] | undefined {
  const last = parts.length - 1;
  const [head = "", tail = ""] = [parts[0], parts[last]];
  if (last === 0) return text === head ? [] : undefined;
  if (!text.startsWith(head) || !text.endsWith(tail)) return undefined;
  const wildcards: string[] = [];
  let at = head.length;
  for (const part of parts.slice(1, last)) {
    const next = text.indexOf(part, at);
    if (next < 0) return undefined;
    wildcards.push(text.slice(at, next));
    at = next + part.length;
  }
  const end = text.length - tail.length;
  if (at > end) return undefined;
  wildcards.push(text.slice(at, end));
  return wildcards;
}

const DAY_MS = 86_400_000;
/** Days from 0000-03-01, where this calendar begins, to 1970-01-01. */
const EPOCH_DAYS = 719_468;
/** Days of 400, 100 and 4 years. */
const [DAYS_400, DAYS_100, DAYS_4] = [146_097, 36_524, 1_460] as const;

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

/** The last result, because many calls fall into one millisecond. */
const latest = { at: NaN, text: "" };

/** `2026-11-23T03:37:19.550Z`, for any instant of the years 1 to 9999. */
export function isoTime(at: Millis): string {
  if (latest.at !== at) {
    latest.at = at;
    latest.text = written(at);
  }
  return latest.text;
}

function written(at: Millis): string {
  const days = Math.floor(at / DAY_MS);
  const { year, month, day } = civil(days);
  const ms = at - days * DAY_MS;
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  return `${date}T${pad(hours, 2)}:${pad(minutes, 2)}:${pad(Math.floor(ms / 1_000) % 60, 2)}.${pad(ms % 1_000, 3)}Z`;
}

/** The Gregorian date of a day. Years are counted from March, so that the leap day is the last day of a year. */
function civil(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const since = days + EPOCH_DAYS;
  const era = Math.floor(since / DAYS_400);
  const dayOfEra = since - era * DAYS_400;
  const leapless = dayOfEra - Math.floor(dayOfEra / DAYS_4) + Math.floor(dayOfEra / DAYS_100) -
    Math.floor(dayOfEra / (DAYS_400 - 1));
  const yearOfEra = Math.floor(leapless / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}
