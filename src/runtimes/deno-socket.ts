/** Sockets as Deno has them: the standard ones, whose backlog has no bound and no event. */
import type { Frame } from "../core/json.ts";
import { Backlogs } from "./backlog.ts";
import type { Guest, GuestSocket } from "../websocket-client/guest.ts";

const backlogs = new Backlogs();

/** Lets the owner have what happens to a socket. */
export function seat(socket: WebSocket, owner: Guest): void {
  socket.binaryType = "arraybuffer";
  socket.onopen = () => owner.opened(new DenoSocket(socket, owner));
  socket.onmessage = ({ data }) => owner.heard(typeof data === "string" ? data : new Uint8Array(data));
  // Why nothing: `close` follows, and an error that nobody hears ends the process.
  socket.onerror = () => {};
  socket.onclose = ({ code }) => {
    backlogs.forget(socket);
    owner.closed(code === 0 ? 1006 : code); // Why: a torn connection has the code 0 here.
  };
}

class DenoSocket implements GuestSocket {
  readonly #socket: WebSocket;
  readonly #owner: Guest;

  constructor(socket: WebSocket, owner: Guest) {
    this.#socket = socket;
    this.#owner = owner;
  }

  write(frames: readonly Frame[]): number {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return 0;
    for (const frame of frames) socket.send(typeof frame === "string" ? frame : Uint8Array.from(frame));
    backlogs.watch(socket, (waiting) => this.#owner.drained(waiting));
    return socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Deno cannot: a connection whose other end does not read stays until TCP gives it up. */
  cut(): void {
    this.#socket.close();
  }

  /** Deno pings by itself, and tells nobody. */
  ping(): void {}
}
