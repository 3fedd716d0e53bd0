/** `#sha256` where there is `node:crypto`: on Deno, and for clients in Node. */
import { createHash } from "node:crypto";

/** The SHA-256 of some bytes, or of a text's UTF-8 bytes: 64 lower-case hex digits. */
export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
