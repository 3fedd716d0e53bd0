/**
 * The part of a frame that may be recorded: everything except credentials.
 *
 * Known secrets are hidden wherever they occur. The value of a JSON member with a name such as `token` is hidden as well, because a
 * wrong token is often a right one with a typo.
 */
import { toBase64 } from "../core/base64.ts";
import { type Frame, isNumber, isObject, type Json, parseJson } from "../core/json.ts";
import { REDACTED, type Secrets } from "../core/secrets.ts";
import { utf8 } from "../core/text.ts";

/** Names of members that contain credentials. */
const CREDENTIAL_NAME = /^(?:auth_?token|access_?token|token|authorization|api_?key|secret|password)$/i;
/** Matches every text that may contain such a member. A name may be written with JSON escapes. */
const MAY_CONTAIN_CREDENTIAL = /token|authorization|api_?key|secret|password|\\[u/]/i;
/** Deeper values are replaced as a whole. */
const DEPTH_MAX = 64;

/** Bytes of a binary frame that are recorded. */
const RECORDED_BYTES_MAX = 65_536;

/** A frame as it is written on a line. */
export interface RedactedFrame {
  readonly text?: string;
  readonly base64?: string;
  readonly bytes?: number;
}

/** The frame without secrets. A binary frame is reduced to its first `RECORDED_BYTES_MAX` bytes and its size. */
export function redactFrame(frame: Frame, secrets: Secrets): RedactedFrame {
  if (typeof frame === "string") return { text: redactText(frame, secrets) };
  const recorded = redactBytes(frame, secrets).subarray(0, RECORDED_BYTES_MAX);
  return { base64: toBase64(recorded), bytes: frame.length };
}

function redactText(text: string, secrets: Secrets): string {
  return secrets.redact(MAY_CONTAIN_CREDENTIAL.test(text) ? redactJson(text, secrets) : text);
}

/** Bytes may be text, which may contain a token like any text. */
function redactBytes(bytes: Uint8Array, secrets: Secrets): Uint8Array {
  const text = utf8(bytes);
  if (text !== undefined) {
    const redacted = redactText(text, secrets);
    return redacted === text ? bytes : new TextEncoder().encode(redacted);
  }
  const beginning = bytes.subarray(0, 2 * RECORDED_BYTES_MAX);
  const latin1 = Array.from(beginning, (byte) => String.fromCharCode(byte)).join("");
  const redacted = secrets.redact(latin1);
  return redacted === latin1 ? bytes : Uint8Array.from(redacted, (letter) => letter.charCodeAt(0));
}

/** The same JSON without secrets, including those written with escapes. Text that is not JSON is returned unchanged. */
function redactJson(text: string, secrets: Secrets): string {
  const value = parseJson(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, Infinity);
  if (value === undefined) return text;
  const redaction = { secrets, isChanged: false };
  const redacted = redactValue(value, redaction, 0);
  return redaction.isChanged ? JSON.stringify(redacted) : text;
}

interface Redaction {
  readonly secrets: Secrets;
  isChanged: boolean;
}

function redactValue(value: Json, redaction: Redaction, depth: number): Json {
  if (typeof value === "string") return changed(value, redaction.secrets.redact(value), redaction);
  if (typeof value !== "object" || value === null || isNumber(value)) return value;
  if (depth === DEPTH_MAX) return changed(value, REDACTED, redaction);
  if (Array.isArray(value)) return value.map((inner) => redactValue(inner, redaction, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner = null]) => [
      name,
      CREDENTIAL_NAME.test(name) && typeof inner === "string" && inner !== ""
        ? changed(inner, REDACTED, redaction)
        : redactValue(inner, redaction, depth + 1),
    ]),
  );
}

function changed(from: Json, to: Json, redaction: Redaction): Json {
  if (from !== to) redaction.isChanged = true;
  return to;
}
