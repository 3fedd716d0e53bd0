/** An outbound WebSocket, as every runtime provides it to the relay. */
import type { Frame } from "../core/json.ts";

/** An outbound socket. Its methods never throw, whatever its state. */
export interface ClientSocket {
  /** Returns the number of bytes that are not written yet; 0 on runtimes that do not know. */
  send(frame: Frame): number;
  /** Writes at once what would be written at the end of this turn of the event loop. Absent on sockets that cannot. */
  flush?(): void;
  /** Closes with this code and reason, if the runtime supports it. The listener is not called again. */
  close(code?: number, reason?: string): void;
}

/** Receives the events of a socket. `closed` is called once, and last. */
export interface ClientSocketListener {
  opened(): void;
  received(frame: Frame): void;
  /** Most of the bytes that `send` returned have been written. */
  relieved(): void;
  closed(code: number, reason: string): void;
}

export interface DialRequest {
  readonly url: string;
  /** May offer subprotocols: `Sec-WebSocket-Protocol`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Opens a socket. Throws only for a request that can never be sent. */
export type Dialer = (request: DialRequest, listener: ClientSocketListener) => ClientSocket;
