/**
 * Bounds the connections of one listener that are not WebSockets: those that have sent nothing, that are between two requests, and that
 * have a request in progress.
 *
 * Invariant: there are at most `HTTP_CONNECTIONS_MAX`. One more closes the one that has been without a request for the longest time; if
 * all have requests, it is closed itself.
 */
import type { Socket } from "node:net";

export const HTTP_CONNECTIONS_MAX = 256;

export class HttpConnections {
  /** Connections without a request, in the order in which they became idle. */
  readonly #idle = new Set<Socket>();
  readonly #busy = new Set<Socket>();

  opened(socket: Socket): void {
    socket.once("close", () => this.left(socket));
    this.#idle.add(socket);
    if (this.#idle.size + this.#busy.size <= HTTP_CONNECTIONS_MAX) return;
    const [longest = socket] = this.#idle;
    this.left(longest); // Why now: its `close` event comes later.
    longest.destroy();
  }

  requestBegan(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.add(socket);
  }

  requestEnded(socket: Socket): void {
    if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
  }

  /** The connection is a WebSocket, or closed. */
  left(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }
}
