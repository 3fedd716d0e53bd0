/** Words of peers, made fit for a log: on one line, within quotes, and not without end. */

import { printable } from "../core/json.ts";

const LINE_MAX = 2_000;
const WORDS_MAX = 200;
const NAMES_MAX = 8;

/** The text with whatever would break its line, or disguise it, shown as an escape. */
export const oneLine = (text: string): string => printable(cut(text, LINE_MAX));

/** Something a peer said or is called, in quotes, so that it cannot pass for words of ours. */
export const quoted = (text: string): string =>
  `"${printable(cut(text, WORDS_MAX).replaceAll("\\", "\\\\").replaceAll('"', '\\"'))}"`;

/** A value of a note as a property: texts are cut and made printable, also within lists. */
export function shown(value: unknown): unknown {
  if (typeof value === "string") return printable(cut(value, WORDS_MAX));
  return Array.isArray(value) ? value.slice(0, NAMES_MAX).map(shown) : value;
}

const cut = (text: string, max: number): string =>
  text.length > max ? `${text.slice(0, max)}... (${text.length} characters)` : text;

/** A list of names, in short. */
export function list(names: readonly string[]): string {
  const some = names.slice(0, NAMES_MAX).map(quoted).join(", ");
  return names.length > NAMES_MAX ? `${some} and ${names.length - NAMES_MAX} more` : some || "none";
}

/** A URL as it may be shown: without credentials, and without what may be a token in it. */
export function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return "(no URL)";
  const { protocol, host, pathname } = new URL(url);
  const path = pathname === "/" && !url.endsWith("/") ? "" : pathname.replace(/\/t\/[^/]+/, "/t/...");
  return `${protocol}//${host}${path}`;
}
