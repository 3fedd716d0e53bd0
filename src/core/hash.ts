/**
 * Hashes, the same bytes on every runtime and without waiting.
 *
 * `#sha256` is the one thing that the foundation is lent: what computes it quickest where this runs. Which file that is stands in
 * package.json (`imports`), and all of them are in `runtimes/hashing`.
 */
import { sha256 } from "#sha256";

/** The SHA-256 of a text's UTF-8 bytes: 64 lower-case hex digits. */
export const hashText = (text: string): string => sha256(text);

/** The SHA-256 of some bytes: 64 lower-case hex digits. */
export const hashBytes = (bytes: Uint8Array): string => sha256(bytes);

/** True when two digests are equal; the time taken does not depend on where they differ. */
export function sameDigest(left: string, right: string): boolean {
  let differing = left.length ^ right.length;
  for (let at = 0; at < left.length; at++) differing |= left.charCodeAt(at) ^ right.charCodeAt(at % (right.length || 1));
  return differing === 0;
}
