/**
 * Sockets that keep their Durable Object awake. For a link, because a connection to Neuro that passes through it is lost when the object
 * hibernates. Their backlog is hidden.
 */
import type { Frame } from "../../core/json.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";

/** Accepts the socket and connects it to its handler. */
export function acceptAwake(socket: WebSocket, handler: ConnectionHandler): void {
  socket.accept();
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => handler.message(typeof data === "string" ? data : new Uint8Array(data)));
  socket.addEventListener("close", ({ code, reason }) => handler.close(code, reason));
  socket.addEventListener("error", ({ message }) => handler.close(1006, message));
  handler.open(new AwakeSocket(socket));
}

class AwakeSocket implements ServerSocket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  write(frames: readonly Frame[]): number {
    try {
      for (const frame of frames) this.#socket.send(frame);
    } catch {
      return 0; // Why: the socket has just closed, which is reported separately.
    }
    return 0;
  }

  close(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      return; // Why: the peer closed it first.
    }
  }

  /** The platform cannot terminate a socket. */
  terminate(): void {}

  /** The platform answers pings, but sends none. */
  ping(): void {}
}
