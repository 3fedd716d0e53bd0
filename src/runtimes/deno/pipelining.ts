/**
 * Disconnects connections whose requests arrive in one piece.
 *
 * Why: Deno's HTTP server reads 64 KiB at once, and handles all requests in it before anything else. No browser and no common client
 * sends a request before it has the answer to the one before.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { PIPELINED_MAX } from "../upgrade.ts";

const REQUEST_LINE_END = " HTTP/1.";

/** Call this before the HTTP server gets the connection. */
export function limitPipelining(socket: Socket): void {
  // Why: otherwise the server's parser reads from the connection directly. If this field ever has no effect, nothing is limited.
  const { _handle: handle } = socket as Socket & { readonly _handle?: { _consumed?: boolean } };
  if (handle !== undefined) handle._consumed = true;
  socket.on("data", checkChunk);
}

/** The connection is not HTTP any more. */
export const endPipeliningLimit = (socket: Socket): void => void socket.off("data", checkChunk);

function checkChunk(this: Socket, chunk: Uint8Array): void {
  if (!hasTooMany(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) return;
  chunk.fill(0); // Why: the parser gets the same chunk, and stops at the first byte that begins no request.
  this.destroy();
}

function hasTooMany(chunk: Buffer): boolean {
  let count = 0;
  for (let at = chunk.indexOf(REQUEST_LINE_END); at >= 0; at = chunk.indexOf(REQUEST_LINE_END, at + 1)) {
    if (++count > PIPELINED_MAX) return true;
  }
  return false;
}
