/** The stored form of an entry: a JSON object with the version of its layout, in UTF-8. */
import type { Key } from "../core/ids.ts";
import { type Json, type JsonObject, parseJson } from "../core/json.ts";
import { utf8 } from "../core/text.ts";

/** The newest layout that a service of this program writes. */
const ENTRY_VERSION = 1;

const SEGMENTS = /^[a-z0-9_-]+(?:\/[a-z0-9_-]+)+$/;

/** True for keys that services make: segments of lower-case letters, digits, `-` and `_`, which are safe on every backend. */
export const isKey = (text: string): text is Key => SEGMENTS.test(text) && !text.startsWith("quarantine/");

/** Encodes an entry. Throws for a value that is not an entry, or is larger than `bytesMax`. */
export function encodeEntry(value: Json, bytesMax: number | undefined): string | Uint8Array {
  if (!isEntry(value)) throw new Error("an entry must be an object with a version `v`");
  const text = JSON.stringify(value);
  if (bytesMax === undefined) return text;
  // Why bytes: a backend with a limit counts bytes, and would store text with a single non-Latin character as UTF-16.
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= bytesMax) return bytes;
  throw new Error(`the entry has ${bytes.length} bytes; this backend stores at most ${bytesMax}`);
}

/** Decodes an entry, or says why it is invalid. */
export function decodeEntry(content: unknown): { readonly value: JsonObject } | { readonly why: string } {
  const text = textOf(content);
  if (text === undefined) return { why: "not text" };
  if (text === "") return { why: "empty: the write was cut off" };
  const value = parseJson(text, Infinity);
  if (!isEntry(value)) return { why: value === undefined ? "torn: not JSON" : "not an entry" };
  if (value.v > ENTRY_VERSION) return { why: `written by a newer program: version ${value.v}` };
  return { value };
}

function textOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  return content instanceof Uint8Array ? utf8(content, "strip") : undefined;
}

function isEntry(value: unknown): value is JsonObject & { readonly v: number } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "v" in value &&
    Number.isSafeInteger(value.v);
}
