/** What Bun's native WebSocket handlers do with a socket: hand each thing that happens to whoever owns it. */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { Frame } from "../core/json.ts";

/** The owner of one accepted socket, which carries it as its `data`. None of these throws. */
export interface Guest {
  opened(socket: GuestSocket): void;
  heard(frame: Frame): void;
  /** Something of the backlog was taken. */
  drained(socket: GuestSocket): void;
  ponged(): void;
  closed(code: number): void;
}

export type GuestSocket = ServerWebSocket<Guest>;

const IDLE_SECONDS = 120;
/** Far above the bound at which the outbox closes a peer: Bun drops frames beyond it without a word. */
const BACKPRESSURE_BYTES = 512 * 1_024 * 1_024;

/** The handlers of one listener. `bytesMax` is the largest frame that is read at all; a dead peer is found by pings. */
export const guestHandlers = (bytesMax: number): WebSocketHandler<Guest> => ({
  maxPayloadLength: bytesMax,
  idleTimeout: IDLE_SECONDS,
  sendPings: true,
  perMessageDeflate: false,
  backpressureLimit: BACKPRESSURE_BYTES,
  open: (socket) => socket.data.opened(socket),
  message: ({ data }, frame) => data.heard(frame),
  drain: (socket) => socket.data.drained(socket),
  pong: ({ data }) => data.ponged(),
  close: ({ data }, code, reason) => data.closed(isTooBig(reason) ? 1009 : code),
});

/** Why by its words: Bun tells the peer 1009, and us 1006. */
const isTooBig = (reason: string): boolean => reason === "Received too big message";
