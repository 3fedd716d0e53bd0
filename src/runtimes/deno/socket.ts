/** Accepted sockets on Deno: those of `ws`, because Deno's own cannot be disconnected while their peer does not read. */
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Frame } from "../../core/json.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";
import type { Keepalive, KeptSocket } from "../keepalive.ts";

/** Connects a socket to its handler. `stream` is the connection below the socket. */
export function handleSocket(socket: WebSocket, stream: Duplex, handler: ConnectionHandler, keepalive: Keepalive): void {
  const kept: KeptSocket = { silentIntervals: 0, canPong: false, socket: new DenoSocket(socket, stream) };
  let isTooBig = false;
  keepalive.add(kept);
  socket.on("message", (data, isBinary) => {
    kept.silentIntervals = 0;
    // Why copied: the bytes are part of a larger buffer.
    handler.message(isBinary ? Uint8Array.from(data as Uint8Array) : String(data));
  });
  socket.on("pong", () => {
    kept.silentIntervals = 0;
    kept.canPong = true;
    handler.pong();
  });
  socket.on("error", (error) => (isTooBig = "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"));
  socket.on("close", (code, reason) => {
    keepalive.remove(kept);
    handler.close(isTooBig ? 1009 : code, String(reason));
  });
  stream.on("drain", () => handler.drain(socket.bufferedAmount));
  handler.open(kept.socket as DenoSocket);
}

class DenoSocket implements ServerSocket {
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
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }
}
