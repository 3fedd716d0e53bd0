/** A socket that the platform has accepted for a Durable Object. */
import { FAULTS } from "../../core/fault.ts";
import type { Frame } from "../../core/json.ts";
import type { ServerSocket } from "../connections.ts";

/** Its backlog is hidden. */
export class PlatformSocket implements ServerSocket {
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

  /** Why a close frame: the platform cannot disconnect a peer without one. */
  terminate(): void {
    this.close(FAULTS.leaving.close, "");
  }

  /** The platform answers pings, but sends none. */
  ping(): void {}
}
