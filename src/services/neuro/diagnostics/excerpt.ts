/** The part of a message that is kept with a diagnostic: its beginning, without credentials. */
import type { Frame, Json } from "../../../core/json.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { redactedBeginning, type Secrets } from "../../../core/secrets.ts";
import { lenientText } from "../../../core/text.ts";

/** UTF-16 units of a message that are kept. */
export const EXCERPT_LENGTH_MAX = 512;
/** UTF-16 units that are searched for credentials, so that no part of one is left at the end. */
const SEARCHED_LENGTH_MAX = 8 * EXCERPT_LENGTH_MAX;
/** Items of a list. */
const ITEMS_MAX = 16;

/** The beginning of a frame, or of a message that was read from one. */
export function excerptOf(message: Frame | GameMessage | Json | undefined, secrets: Secrets): string {
  if (message === undefined) return "";
  const isFrame = typeof message === "string" || message instanceof Uint8Array;
  return redactedText(isFrame ? frameText(message) : JSON.stringify(message, bounded), EXCERPT_LENGTH_MAX, secrets);
}

/** The beginning of a text, without credentials. */
export const redactedText = (text: string, lengthMax: number, secrets: Secrets): string =>
  redactedBeginning(
    text.slice(0, SEARCHED_LENGTH_MAX),
    { lengthMax, isCut: text.length > SEARCHED_LENGTH_MAX },
    secrets,
  );

const frameText = (frame: Frame): string =>
  typeof frame === "string" ? frame : lenientText(frame.subarray(0, SEARCHED_LENGTH_MAX));

/** Why: only the beginning is kept, and a message can have hundreds of long texts. */
function bounded(key: string, value: unknown): unknown {
  if (key === "schema") return undefined;
  if (typeof value === "string") return value.slice(0, SEARCHED_LENGTH_MAX);
  return Array.isArray(value) ? value.slice(0, ITEMS_MAX) : value;
}
