/** Accepted sockets on Deno: those of `ws`, because Deno's own cannot be disconnected while their peer does not read. */
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Frame } from "../../core/json.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";
import { type Keepalive, type KeptSocket, type PingedSocket, receivePong } from "../keepalive.ts";

/** Connects a socket to its handler. `stream` is the connection below the socket. */
export function handleSocket(socket: WebSocket, stream: Duplex, handler: ConnectionHandler, keepalive: Keepalive): void {
  const accepted = new DenoSocket(socket, stream);
  const kept: KeptSocket = { silentIntervals: 0, canPong: false, socket: accepted };
  let isTooBig = false;
  keepalive.add(kept);
  socket.on("message", (data, isBinary) => {
    kept.silentIntervals = 0;
    // Why copied: the bytes are part of a larger buffer.
    handler.message(isBinary ? Uint8Array.from(data as Uint8Array) : String(data));
  });
  socket.on("ping", () => handler.controlFrame());
  socket.on("pong", () => receivePong(kept, handler));
  socket.on("error", (error) => (isTooBig = "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"));
  socket.on("close", (code, reason) => {
    keepalive.remove(kept);
    handler.close(isTooBig ? 1009 : code, String(reason));
  });
  stream.on("drain", () => handler.drain(socket.bufferedAmount));
  handler.open(accepted);
}

class DenoSocket implements ServerSocket, PingedSocket {
  pingsUnanswered = 0;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;

  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  write(frames: readonly Frame[]): number {
    const [socket, stream] = [this.#socket, this.#stream];
    if (socket.readyState !== WebSocket.OPEN) return 0;
    stream.cork();
    for (const frame of frames) socket.send(frame);
    stream.uncork();
    return socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  ping(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.pingsUnanswered++;
    this.#socket.ping();
  }
}
