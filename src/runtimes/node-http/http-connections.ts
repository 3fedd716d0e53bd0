/**
 * Bounds the connections of one listener that are not WebSockets: those that have sent nothing, that are between two requests, and that
 * have a request in progress.
 *
 * Invariants: there are at most `HTTP_CONNECTIONS_MAX`. One more closes the one that has been without a request for the longest time; if
 * all have requests, it is closed itself. A connection has at most `PIPELINED_MAX` requests without a response.
 */
import type { Socket } from "node:net";
import { PIPELINED_MAX } from "../upgrade.ts";

export const HTTP_CONNECTIONS_MAX = 256;
export class HttpConnections {
  /** Connections without a request, in the order in which they became idle. */
  readonly #idle = new Set<Socket>();
  /** The number of requests of the others. */
  readonly #busy = new Map<Socket, number>();

  opened(socket: Socket): void {
    socket.once("close", () => this.left(socket));
    this.#idle.add(socket);
    if (this.#idle.size + this.#busy.size <= HTTP_CONNECTIONS_MAX) return;
    const [longest = socket] = this.#idle;
    this.left(longest); // Why now: its `close` event comes later.
    longest.destroy();
  }

  /** Returns false if the connection has been closed, because it has more than `max` requests. */
  requestBegan(socket: Socket, max: number = PIPELINED_MAX): boolean {
    const unanswered = (this.#busy.get(socket) ?? 0) + 1;
    if (unanswered > max || socket.destroyed) {
      socket.destroy();
      return false;
    }
    this.#idle.delete(socket);
    this.#busy.set(socket, unanswered);
    return true;
  }

  requestEnded(socket: Socket): void {
    const unanswered = (this.#busy.get(socket) ?? 0) - 1;
    if (unanswered > 0) this.#busy.set(socket, unanswered);
    else if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
  }

  /** The connection is a WebSocket, or closed. */
  left(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }
}
