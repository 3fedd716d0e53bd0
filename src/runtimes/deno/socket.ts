/** Accepted sockets on Deno: those of `ws`, because Deno's own cannot be disconnected while their peer does not read. */
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Frame } from "../../core/json.ts";
import { FrameWriter, OPCODE } from "../../websocket-client/frame-writer.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";
import { type Keepalive, type KeptSocket, type PingedSocket, receivePong } from "../keepalive.ts";

/** Connects a socket to its handler. `stream` is the connection below the socket. */
export function handleSocket(socket: WebSocket, stream: Duplex, handler: ConnectionHandler, keepalive: Keepalive): void {
  const accepted = new DenoSocket(socket, stream);
  corkPongs(socket, stream);
  const kept: KeptSocket = { silentIntervals: 0, canPong: false, socket: accepted };
  let isTooBig = false;
  keepalive.add(kept);
  socket.on("message", (data, isBinary) => {
    kept.silentIntervals = 0;
    // Why copied: the bytes are part of a larger buffer.
    handler.message(isBinary ? Uint8Array.from(data as Uint8Array) : String(data));
  });
  countUnread(socket, stream, handler);
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

/** Reports how much is read before the first message is complete. `ws` has seen the same bytes before. */
function countUnread(socket: WebSocket, stream: Duplex, handler: ConnectionHandler): void {
  let bytes = 0;
  let isUnread = true;
  const count = (chunk: Uint8Array): void => {
    bytes += chunk.length;
    if (isUnread) handler.buffered(bytes);
  };
  stream.on("data", count);
  socket.once("message", () => {
    isUnread = false;
    stream.off("data", count);
  });
}

/** Writes the answers to all pings of one turn of the event loop at once, because each write is a system call. */
function corkPongs(socket: WebSocket, stream: Duplex): void {
  let isCorked = false;
  socket.on("ping", () => {
    if (isCorked) return;
    isCorked = true;
    stream.cork();
    setImmediate(() => {
      isCorked = false;
      stream.uncork();
    });
  });
}

/** The bytes that `ws` has read and not handled. If these fields ever have other names, setting them has no effect. */
interface ReadAhead {
  _buffers: readonly Uint8Array[];
  _bufferedBytes: number;
}

/** Writes the frames of all sockets, one socket after the other. */
const writer = new FrameWriter("server");

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
    // Why not `socket.send`: it makes several objects of each frame, which take five times the memory of a small one.
    for (const frame of frames) writer.add(typeof frame === "string" ? OPCODE.text : OPCODE.binary, frame);
    writer.drain((bytes) => {
      stream.write(bytes.slice());
      return bytes.length;
    });
    return socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
    // Why: `ws` would handle all frames that it has read already, which can be ten thousand pings.
    const { _receiver: receiver } = this.#socket as WebSocket & { readonly _receiver?: ReadAhead };
    if (receiver === undefined) return;
    receiver._buffers = [];
    receiver._bufferedBytes = 0;
  }

  ping(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.pingsUnanswered++;
    this.#socket.ping();
  }
}
