/** `#sha256` on Bun. Why not `node:crypto`: loading it takes longer than all that the relay hashes while it starts. */

/** The SHA-256 of some bytes, or of a text's UTF-8 bytes: 64 lower-case hex digits. */
export const sha256 = (data: string | Uint8Array): string => Bun.SHA256.hash(data, "hex");
