/**
 * Standard WebSockets say how much waits in them, but not when it is gone: while something does, they are asked.
 *
 * Invariant: nothing is asked while nothing waits.
 */
import { EASED_BYTES } from "../websocket-client/guest.ts";

const POLL_MS = 20;

export class Backlogs {
  readonly #watched = new Map<WebSocket, (waiting: number) => void>();
  #poll: ReturnType<typeof setTimeout> | undefined;

  /** Says so, once, when little is left of what waits now; nothing when it is little already. */
  watch(socket: WebSocket, eased: (waiting: number) => void): void {
    if (socket.bufferedAmount <= EASED_BYTES) return;
    this.#watched.set(socket, eased);
    this.#poll ??= setTimeout(() => this.#ask(), POLL_MS);
  }

  forget(socket: WebSocket): void {
    this.#watched.delete(socket);
  }

  close(): void {
    clearTimeout(this.#poll);
    this.#watched.clear();
  }

  #ask(): void {
    this.#poll = undefined;
    for (const [socket, eased] of [...this.#watched]) {
      if (socket.bufferedAmount > EASED_BYTES) continue;
      this.#watched.delete(socket);
      eased(socket.bufferedAmount);
    }
    if (this.#watched.size > 0) this.#poll = setTimeout(() => this.#ask(), POLL_MS);
  }
}
