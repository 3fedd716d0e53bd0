/** Accepted sockets on Deno: standard WebSockets, which neither limit their backlog nor report when it has been sent. */
import type { Frame } from "../../core/json.ts";
import { RELIEVED_BYTES } from "../../websocket-client/backpressure.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";

const POLL_MS = 20;

/** Connects a socket to its handler. */
export function handleSocket(socket: WebSocket, handler: ConnectionHandler): void {
  socket.binaryType = "arraybuffer";
  socket.onopen = () => handler.open(new DenoSocket(socket, handler));
  socket.onmessage = ({ data }) => handler.message(typeof data === "string" ? data : new Uint8Array(data));
  // Why empty: `close` follows, and an error without a listener ends the process.
  socket.onerror = () => {};
  socket.onclose = ({ code, reason }) => {
    backlogs.forget(socket);
    handler.close(code === 0 ? 1006 : code, reason); // Why: Deno reports 0 for a connection that broke.
  };
}

/**
 * Polls the sockets that have a backlog, because `bufferedAmount` has no event.
 *
 * Invariant: no timer runs while no socket has a backlog.
 */
class BacklogPoll {
  readonly #sockets = new Map<WebSocket, ConnectionHandler>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `drain` once, when the backlog has fallen to `RELIEVED_BYTES`. Not called if the backlog is that small already. */
  watch(socket: WebSocket, handler: ConnectionHandler): void {
    if (socket.bufferedAmount <= RELIEVED_BYTES) return;
    this.#sockets.set(socket, handler);
    this.#timer ??= setTimeout(() => this.#poll(), POLL_MS);
  }

  forget(socket: WebSocket): void {
    this.#sockets.delete(socket);
  }

  #poll(): void {
    this.#timer = undefined;
    for (const [socket, handler] of [...this.#sockets]) {
      if (socket.bufferedAmount > RELIEVED_BYTES) continue;
      this.#sockets.delete(socket);
      handler.drain(socket.bufferedAmount);
    }
    if (this.#sockets.size > 0) this.#timer = setTimeout(() => this.#poll(), POLL_MS);
  }
}

const backlogs = new BacklogPoll();

class DenoSocket implements ServerSocket {
  readonly #socket: WebSocket;
  readonly #handler: ConnectionHandler;

  constructor(socket: WebSocket, handler: ConnectionHandler) {
    this.#socket = socket;
    this.#handler = handler;
  }

  write(frames: readonly Frame[]): number {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return 0;
    for (const frame of frames) socket.send(typeof frame === "string" ? frame : Uint8Array.from(frame));
    backlogs.watch(socket, this.#handler);
    return socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Deno cannot terminate a socket: a connection whose peer does not read stays until TCP gives it up. */
  terminate(): void {
    this.#socket.close();
  }

  /** Deno sends pings itself, and does not report the answers. */
  ping(): void {}
}
