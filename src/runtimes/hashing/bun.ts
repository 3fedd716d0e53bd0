/** `#sha256` on Bun. Why not `node:crypto`: loading it takes longer than everything that the relay hashes during its start. */

/** The SHA-256 of bytes, or of a text in UTF-8, as 64 lower-case hex digits. */
export const sha256 = (data: string | Uint8Array): string => Bun.SHA256.hash(data, "hex");
