/** The part of a message that is kept with a diagnostic: its beginning, without credentials. */
import type { Frame, Json } from "../../../core/json.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { REDACTED, type Secrets } from "../../../core/secrets.ts";
import { lenientText, shorten } from "../../../core/text.ts";

/** UTF-16 units of a message that are kept. */
export const EXCERPT_LENGTH_MAX = 512;
/** UTF-16 units that are searched for credentials, so that no part of one is left at the end. */
const SEARCHED_LENGTH_MAX = 8 * EXCERPT_LENGTH_MAX;
/** Items of a list. */
const ITEMS_MAX = 16;

/** The value of a member with a name that stands for a credential. Why: a wrong token is often a right one with a typo. */
const CREDENTIAL_VALUE =
  /("(?:auth_?token|access_?token|token|authorization|api_?key|secret|password)\\*"\s*:\s*\\*")(?:[^"\\]|\\[^"])+/gi;

/** The beginning of a frame, or of a message that was read from one. */
export function excerptOf(message: Frame | GameMessage | Json | undefined, secrets: Secrets): string {
  if (message === undefined) return "";
  const isFrame = typeof message === "string" || message instanceof Uint8Array;
  return redactedText(isFrame ? frameText(message) : JSON.stringify(message, bounded), EXCERPT_LENGTH_MAX, secrets);
}

/** The beginning of a text, without credentials. */
export function redactedText(text: string, lengthMax: number, secrets: Secrets): string {
  const redacted = secrets.redact(text.slice(0, SEARCHED_LENGTH_MAX)).replace(CREDENTIAL_VALUE, `$1${REDACTED}`);
  return redacted.length > lengthMax ? `${shorten(redacted, lengthMax)}...` : shorten(redacted, lengthMax);
}

const frameText = (frame: Frame): string =>
  typeof frame === "string" ? frame : lenientText(frame.subarray(0, SEARCHED_LENGTH_MAX));

/** Why: only the beginning is kept, and a message can have hundreds of long texts. */
function bounded(key: string, value: unknown): unknown {
  if (key === "schema") return undefined;
  if (typeof value === "string") return value.slice(0, SEARCHED_LENGTH_MAX);
  return Array.isArray(value) ? value.slice(0, ITEMS_MAX) : value;
}
