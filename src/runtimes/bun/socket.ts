/** Accepted sockets on Bun. */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import { edenGC } from "bun:jsc";
import { addressGroup, isLoopback } from "../../core/access.ts";
import type { Frame } from "../../core/json.ts";
import { PING_PAYLOAD } from "../../websocket-client/frame-writer.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";
import { type Keepalive, type KeptSocket, receivePong } from "../keepalive.ts";

/** Far above the backlog at which the outbox closes a peer, because Bun drops frames beyond this bound without an error. */
const BACKPRESSURE_BYTES = 512 * 1_024 * 1_024;

/** Bun's WebSocket handlers for one listener. A frame of more than `frameBytesMax` closes its peer with 1009. */
export function websocketHandlers(frameBytesMax: number, keepalive: Keepalive): WebSocketHandler<BunConnection> {
  const collector = new ConnectionCollector();
  return {
    maxPayloadLength: frameBytesMax,
    idleTimeout: 0, // Why: `keepalive` disconnects, except clients that do not answer pings.
    sendPings: false,
    perMessageDeflate: false,
    backpressureLimit: BACKPRESSURE_BYTES,
    open: (socket) => {
      collector.connectionOpened();
      const { data } = socket;
      data.opened(socket);
      keepalive.add(data);
      data.handler.open(data);
    },
    message: ({ data }, frame) => {
      data.silentIntervals = 0;
      data.handler.message(frame);
    },
    drain: (socket) => socket.data.handler.drain(socket.getBufferedAmount()),
    ping: ({ data }) => data.handler.controlFrame(),
    pong: ({ data }) => receivePong(data, data.handler),
    close: ({ data }, code, reason) => {
      keepalive.remove(data);
      data.handler.close(isTooBig(reason) ? 1009 : code, reason);
    },
  };
}

/** A socket, and the data that Bun keeps for it. Why one object: there may be ten thousand. */
export class BunConnection implements ServerSocket, KeptSocket {
  readonly handler: ConnectionHandler;
  silentIntervals = 0;
  canPong = false;
  pingsUnanswered = 0;
  readonly stranger: WebStranger | undefined;
  /** Undefined until the upgrade is done. */
  #socket: ServerWebSocket<BunConnection> | undefined;

  constructor(handler: ConnectionHandler) {
    this.handler = handler;
    this.stranger = handler.greets ? new WebStranger(handler.address ?? "") : undefined;
  }

  opened(socket: ServerWebSocket<BunConnection>): void {
    this.#socket = socket;
  }

  write(frames: readonly Frame[]): number {
    const socket = this.#socket;
    if (socket === undefined) return 0;
    let isSent = true;
    const send = (): void => {
      for (const frame of frames) if (socket.send(frame) < 0) isSent = false;
    };
    if (frames.length > 1) socket.cork(send);
    else send();
    return isSent ? 0 : socket.getBufferedAmount();
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  ping(): void {
    this.pingsUnanswered++;
    this.#socket?.ping(PING_PAYLOAD);
  }
}

/** A client of the Intermediary whose first message is not complete. */
export class WebStranger {
  readonly group: string;
  readonly isLocal: boolean;
  socket: Pick<ServerSocket, "terminate"> | undefined;

  constructor(address: string) {
    this.group = addressGroup(address);
    this.isLocal = isLoopback(address);
  }
}

/** Why by its text: Bun sends 1009 to the peer, but reports 1006. */
const isTooBig = (reason: string): boolean => reason === "Received too big message";

/** The young generation is collected after this many new connections, which takes about a millisecond. */
const YOUNG_EVERY = 64;
/**
 * With many connections it is collected when their number has grown by this part, because each collection visits every open socket.
 * For 10,000 games 1/32 takes a twentieth more CPU time, and 3 MB less.
 */
const YOUNG_GROWTH = 1 / 16;
/** The whole heap is collected when the number of connections since the start has grown by this factor, and no more of them come. */
const FULL_GROWTH = 1.25;
/** How long it takes until no more of them come: time enough to write what the first ones registered. */
const SETTLED_MS = 500;

/**
 * Collects garbage while many connections open at once.
 *
 * Why: the objects of an upgrade are garbage as soon as it is done, but lie between objects that live as long as the connection.
 * JavaScriptCore does not return a block that contains both. Collecting early lets the next connection reuse the space. Collecting the
 * whole heap afterwards returns it.
 *
 * Measured with 10,000 games (Bun 1.4.5): they take 128 MB with both, 149 MB with the young one only, 182 MB without. Collecting the whole heap
 * also in between, whenever their number had grown by half, took a tenth more CPU time and no less memory. The last collection takes 45 ms.
 */
class ConnectionCollector {
  #opened = 0;
  #youngAt = YOUNG_EVERY;
  #fullAt = 2 * YOUNG_EVERY;
  #settling: ReturnType<typeof setTimeout> | undefined;

  connectionOpened(): void {
    if (++this.#opened < this.#youngAt) return;
    this.#youngAt = this.#opened + Math.max(YOUNG_EVERY, this.#opened * YOUNG_GROWTH);
    edenGC();
    if (this.#opened < this.#fullAt) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settled(), SETTLED_MS);
    this.#settling.unref();
  }

  #settled(): void {
    this.#fullAt = this.#opened * FULL_GROWTH;
    Bun.gc(true);
  }
}
