/** `#sha256` where the runtime has no synchronous SHA-256: in browsers and on Workers. */
import { sha256 as digest } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** The SHA-256 of bytes, or of a text in UTF-8, as 64 lower-case hex digits. */
export const sha256 = (data: string | Uint8Array): string =>
  bytesToHex(digest(typeof data === "string" ? utf8ToBytes(data) : data));
