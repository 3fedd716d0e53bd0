/**
 * Sockets that keep their Durable Object awake. For a link, because a connection to Neuro that passes through it is lost when the object
 * hibernates.
 */
import type { ConnectionHandler } from "../connections.ts";
import { PlatformSocket } from "./platform-socket.ts";

/** Accepts the socket and connects it to its handler. */
export function acceptAwake(socket: WebSocket, handler: ConnectionHandler): void {
  socket.accept();
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => handler.message(typeof data === "string" ? data : new Uint8Array(data)));
  socket.addEventListener("close", ({ code, reason }) => handler.close(code, reason));
  socket.addEventListener("error", ({ message }) => handler.close(1006, message));
  handler.open(new PlatformSocket(socket));
}
