/** Hashes, the same bytes on every runtime and without waiting. The one package that `core` uses lives here. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** The SHA-256 of a text's UTF-8 bytes: 64 lower-case hex digits. */
export const hashText = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** The SHA-256 of some bytes: 64 lower-case hex digits. */
export const hashBytes = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));

/** True when two digests are equal; the time taken does not depend on where they differ. */
export function sameDigest(left: string, right: string): boolean {
  let differing = left.length ^ right.length;
  for (let at = 0; at < left.length; at++) differing |= left.charCodeAt(at) ^ right.charCodeAt(at % (right.length || 1));
  return differing === 0;
}
