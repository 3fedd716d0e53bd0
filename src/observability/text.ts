/** Words of peers, made fit for a log: on one line, within quotes, and not without end. */

/** Control characters, line separators, and what turns the direction of text. */
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const LINE_MAX = 2_000;
const WORDS_MAX = 200;

/** The text with whatever would break its line, or disguise it, shown as an escape. */
export function oneLine(text: string, max: number = LINE_MAX): string {
  const cut = text.length > max ? `${text.slice(0, max)}... (${text.length} characters)` : text;
  return cut.replace(UNPRINTABLE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Something a peer said or is called, in quotes, so that it cannot pass for words of ours. */
export const quoted = (text: string): string =>
  `"${oneLine(text, WORDS_MAX).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** A list of names, in short. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(quoted).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown || "none";
}

/** A URL as it may be shown: without credentials, and without what may be a token in it. */
export function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return "(no URL)";
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/t\/[^/]+/, "/t/...")}`;
}
