/** Makes texts from peers safe for the log: one line, quoted, and of limited length. */

import { printable } from "../core/json.ts";

const LINE_CHARS_MAX = 2_000;
const TEXT_CHARS_MAX = 200;
const NAMES_MAX = 8;

/** A whole line, in which characters that would break or disguise it are escaped. */
export const oneLine = (text: string): string => printable(cut(text, LINE_CHARS_MAX));

/** A text from a peer in quotes, so that it cannot pass for a message of the relay. */
export const quoted = (text: string): string =>
  `"${printable(cut(text, TEXT_CHARS_MAX).replaceAll("\\", "\\\\").replaceAll('"', '\\"'))}"`;

/** A property of an observation: texts are cut and made printable, within lists as well. */
export function shown(value: unknown): unknown {
  if (typeof value === "string") return printable(cut(value, TEXT_CHARS_MAX));
  return Array.isArray(value) ? value.slice(0, NAMES_MAX).map(shown) : value;
}

const cut = (text: string, max: number): string =>
  text.length > max ? `${text.slice(0, max)}... (${text.length} characters)` : text;

/** At most `NAMES_MAX` names in quotes, and the number of the others. */
export function list(names: readonly string[]): string {
  const some = names.slice(0, NAMES_MAX).map(quoted).join(", ");
  return names.length > NAMES_MAX ? `${some} and ${names.length - NAMES_MAX} more` : some || "none";
}
