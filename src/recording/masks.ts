/**
 * What of a frame may be written down: everything but tokens.
 *
 * Those that the settings know are hidden wherever they stand. A member of a JSON message that is called a token is hidden
 * whatever its value: a wrong token is often a right one with a slip in it.
 */
import { toBase64 } from "../core/base64.ts";
import { type Frame, isObject, type Json } from "../core/json.ts";
import { REDACTED, type Secrets } from "../core/secrets.ts";

/** Names of members that hold secrets, in any spelling of their letters. */
const TELLING = /^(?:auth_?token|access_?token|token|authorization|api_?key|secret|password)$/i;
/** Whether a text may have such a member at all; an escape may hide one. */
const SUSPICIOUS = /token|authorization|api_?key|secret|password|\\[u/]/i;
/** Beyond this nesting a message is not looked into, but written as one that cannot be shown. */
const DEPTH_MAX = 64;

/** Of a frame of bytes, so many are kept. */
const BYTES_KEPT_MAX = 65_536;

/** A frame, as it stands in a line. */
export interface Masked {
  readonly text?: string;
  readonly base64?: string;
  readonly bytes?: number;
}

/** The frame with secrets hidden; of bytes the beginning, and how many there were. */
export function masked(frame: Frame, secrets: Secrets): Masked {
  if (typeof frame === "string") return { text: maskedText(frame, secrets) };
  const kept = maskedBytes(frame, secrets).subarray(0, BYTES_KEPT_MAX);
  return { base64: toBase64(kept), bytes: frame.length };
}

/** Credentials, the query, the fragment and `/t/<token>` may hold what no settings know. */
export const bareUrl = (url: string): string =>
  url.replace(/[?#].*$/s, "").replace(/\/\/[^@/]*@/, "//").replace(/\/t\/[^/]+/, "/t/...");

function maskedText(text: string, secrets: Secrets): string {
  return secrets.redact(SUSPICIOUS.test(text) ? withoutTelling(text, secrets) : text);
}

/** Bytes may be text, and then hold a token as any text may. */
function maskedBytes(bytes: Uint8Array, secrets: Secrets): Uint8Array {
  const text = textOf(bytes);
  if (text !== undefined) {
    const shown = maskedText(text, secrets);
    return shown === text ? bytes : new TextEncoder().encode(shown);
  }
  const beginning = bytes.subarray(0, 2 * BYTES_KEPT_MAX);
  const letters = Array.from(beginning, (byte) => String.fromCharCode(byte)).join("");
  const shown = secrets.redact(letters);
  return shown === letters ? bytes : Uint8Array.from(shown, (letter) => letter.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The same message with secrets hidden, also those that an escape disguises; a text that is no JSON as it is. */
function withoutTelling(text: string, secrets: Secrets): string {
  let value: Json;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    return text;
  }
  const found = { secrets, isChanged: false };
  const hidden = hide(value, found, 0);
  return found.isChanged ? JSON.stringify(hidden) : text;
}

interface Found {
  readonly secrets: Secrets;
  isChanged: boolean;
}

function hide(value: Json, found: Found, depth: number): Json {
  if (typeof value === "string") return changed(value, found.secrets.redact(value), found);
  if (typeof value !== "object" || value === null) return value;
  if (depth === DEPTH_MAX) return changed(value, REDACTED, found);
  if (Array.isArray(value)) return value.map((inner) => hide(inner, found, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner = null]) => [
      name,
      TELLING.test(name) && typeof inner === "string" && inner !== ""
        ? changed(inner, REDACTED, found)
        : hide(inner, found, depth + 1),
    ]),
  );
}

function changed(from: Json, to: Json, found: Found): Json {
  if (from !== to) found.isChanged = true;
  return to;
}
