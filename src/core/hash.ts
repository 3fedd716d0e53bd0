/**
 * Synchronous hashes with the same result on every runtime.
 *
 * `#sha256` is the fastest implementation of each runtime, and the only thing that a runtime provides to `core`. package.json
 * (`imports`) selects the file from `runtimes/hashing`.
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
