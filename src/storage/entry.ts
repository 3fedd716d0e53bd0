/** What one entry looks like in a backend: a JSON object with the version of its layout, as UTF-8. */
import type { Key } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";

/** The newest layout that any room of this program writes. */
const ENTRY_VERSION = 1;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** True for what the rooms make: segments of lower-case letters, digits, `-` and `_`, safe on every backend. */
export const isKey = (text: string): text is Key =>
  /^[a-z0-9_-]+(?:\/[a-z0-9_-]+)+$/.test(text) && !text.startsWith("quarantine/");

/** The entry as text; throws when it is none, or larger than the backend takes. */
export function encodeEntry(value: Json, bytesMax: number | undefined): string | Uint8Array {
  if (!isEntry(value)) throw new Error("an entry is an object with a version `v`");
  const text = JSON.stringify(value);
  if (bytesMax === undefined) return text;
  // Why: such a backend counts bytes, and would store the text in two of them for each letter if one is not Latin.
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= bytesMax) return bytes;
  throw new Error(`an entry of ${bytes.length} bytes; this backend takes at most ${bytesMax}`);
}

/** The entry, or why it is none. */
export function decodeEntry(content: unknown): { readonly value: JsonObject } | { readonly why: string } {
  const text = textOf(content);
  if (text === undefined) return { why: "not text" };
  if (text === "") return { why: "empty: the write was cut off" };
  const value = parse(text);
  if (!isEntry(value)) return { why: value === undefined ? "torn: not JSON" : "not an entry" };
  if (value.v > ENTRY_VERSION) return { why: `written by a newer program: version ${value.v}` };
  return { value };
}

function textOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!(content instanceof Uint8Array)) return undefined;
  try {
    return utf8.decode(content);
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is JsonObject & { readonly v: number } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "v" in value &&
    Number.isSafeInteger(value.v);
}
