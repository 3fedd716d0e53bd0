/**
 * Keys of the store.
 *
 * A key is `<service>/<kind>/<segment>...`. Free text, such as the name of a peer, becomes a segment only through `segment`: lower-case
 * base32, which no file system, driver or case folding can merge or truncate, or a hash if it would be too long.
 * A key is written once: a changed value is written under a new key, and the old one is deleted.
 */
import { hashText } from "./hash.ts";
import { type Key, rawKey } from "./ids.ts";
import { parseJson } from "./json.ts";
import { SEGMENT_BYTES_MAX } from "./limits.ts";
import { lenientText } from "./text.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Joins segments: literals, `segment(...)` and `sequence(...)`. */
export const key = (...segments: readonly string[]): Key => rawKey(segments.join("/"));

/** The nth segment of a key, or an empty text. */
export const segmentAt = (of: Key, index: number): string => of.split("/")[index] ?? "";

/**
 * Any text as one segment. Two segments are equal only if their texts are.
 *
 * A lone surrogate has no encoding in UTF-8, so a text with one is encoded as its JSON, marked by another first letter.
 */
export function segment(text: string): string {
  if (!text.isWellFormed()) return fit(JSON.stringify(text), "j", "g");
  return fit(text, "b", "h");
}

function fit(text: string, plain: string, hashed: string): string {
  const encoded = plain + base32(new TextEncoder().encode(text));
  return encoded.length > SEGMENT_BYTES_MAX ? hashed + hashText(text) : encoded;
}

function base32(bytes: Uint8Array): string {
  let encoded = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      encoded += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) encoded += ALPHABET[(held << (5 - bits)) & 31];
  return encoded;
}

/** The text of a segment. Undefined for a segment that holds only a hash. */
export function segmentText(of: string): string | undefined {
  const bytes = of[0] === "b" || of[0] === "j" ? bytesOf(of.slice(1)) : undefined;
  if (bytes === undefined) return undefined;
  const text = lenientText(bytes);
  const made = of[0] === "j" ? parseJson(text, 1) : text;
  return typeof made === "string" && segment(made) === of ? made : undefined;
}

function bytesOf(base32: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of base32) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 255);
    held &= (1 << bits) - 1;
  }
  return Uint8Array.from(bytes);
}

/** A number as a segment of fixed width, so that keys sort as their numbers do. */
export const sequence = (value: number): string => String(value).padStart(16, "0");
