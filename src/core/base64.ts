/** Base64, for the pure zone, which cannot use the functions of the runtimes. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const VALUES: Uint8Array = new Uint8Array(128).fill(255);
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** The decoded bytes. Undefined if the text is not base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  const end = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : text.length;
  if (text.length % 4 !== 0) return undefined;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let [held, bits, at] = [0, 0, 0];
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index);
    const value = code < 128 ? VALUES[code] ?? 255 : 255;
    if (value === 255) return undefined;
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (held >> bits) & 255;
  }
  return bytes;
}

/** The bytes as base64 text. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3);
    const triple = (first << 16) | (second << 8) | third;
    const given = Math.min(3, bytes.length - at);
    for (let digit = 0; digit < 4; digit++) {
      parts.push(digit <= given ? ALPHABET.charAt((triple >> (18 - 6 * digit)) & 63) : "=");
    }
  }
  return parts.join("");
}
