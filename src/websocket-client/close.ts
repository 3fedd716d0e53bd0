/** Close codes and reasons. An invalid code makes some runtimes throw, and others send an invalid frame. */
import { CLOSE_REASON_BYTES_MAX } from "../core/limits.ts";
import { lenientText } from "../core/text.ts";

/** A peer that has not answered a close after this time is disconnected. */
export const CLOSING_MS = 5_000;

/** Reported for a close without a code. Never in a frame. */
export const NO_CODE = 1005;

/** True for a code that a close frame may contain (RFC 6455, section 7.4, and the IANA registry). */
export function isCloseCode(code: number): boolean {
  const isProtocols = code >= 1000 && code <= 1014 && ![1004, NO_CODE, 1006].includes(code);
  return isProtocols || (code >= 3000 && code <= 4999);
}

/** The code if a close frame may contain it, otherwise 1011. */
export const closeCode = (code: number): number => isCloseCode(code) ? code : 1011;

/** The reason, shortened to the 123 bytes of a close frame, between two characters. */
export function closeReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= CLOSE_REASON_BYTES_MAX) return reason;
  let end = CLOSE_REASON_BYTES_MAX;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return lenientText(bytes.subarray(0, end));
}

/** The payload of a close frame. */
export const closePayload = (code: number, reason: string): Uint8Array =>
  code === NO_CODE
    ? new Uint8Array(0)
    : Uint8Array.of(code >> 8, code & 255, ...new TextEncoder().encode(closeReason(reason)));
