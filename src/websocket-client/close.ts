/** What may stand in a close frame. A wrong code makes some runtimes throw and others send a broken frame. */
import { CLOSE_REASON_BYTES_MAX } from "../core/limits.ts";
import { lenientText } from "../core/text.ts";

/** How long a peer has to answer a close before its connection is cut. */
export const CLOSING_MS = 5_000;

/** The code itself where it may be sent, else 1011. */
export function closeCode(code: number): number {
  const isProtocols = code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code);
  return isProtocols || (code >= 3000 && code <= 4999) ? code : 1011;
}

/** The reason, cut to what fits, between two characters. */
export function closeReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= CLOSE_REASON_BYTES_MAX) return reason;
  let end = CLOSE_REASON_BYTES_MAX;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return lenientText(bytes.subarray(0, end));
}
