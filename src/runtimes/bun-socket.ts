/** Sockets as Bun has them: its native handlers, and what can be done with one. */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import { edenGC } from "bun:jsc";
import type { Frame } from "../core/json.ts";
import type { Guest, GuestSocket } from "../websocket-client/guest.ts";

const IDLE_SECONDS = 120;
/** Far above the bound at which the outbox closes a peer: Bun drops frames beyond it without a word. */
const BACKPRESSURE_BYTES = 512 * 1_024 * 1_024;

/** After so many peers the young garbage is collected, which takes about a millisecond. */
const YOUNG_EVERY = 64;
/** After so many times as many as the last time, all of it is. */
const ALL_GROWTH = 1.5;

/** The handlers of one listener. `bytesMax` is the largest frame that is read at all; a dead peer is found by pings. */
export function guestHandlers(bytesMax: number): WebSocketHandler<Guest> {
  const crowd = new Crowd();
  return {
    maxPayloadLength: bytesMax,
    idleTimeout: IDLE_SECONDS,
    sendPings: true,
    perMessageDeflate: false,
    backpressureLimit: BACKPRESSURE_BYTES,
    open: (socket) => {
      crowd.came();
      socket.data.opened(new BunSocket(socket));
    },
    message: ({ data }, frame) => data.heard(frame),
    drain: (socket) => socket.data.drained(socket.getBufferedAmount()),
    pong: ({ data }) => data.ponged(),
    close: ({ data }, code, reason) => data.closed(isTooBig(reason) ? 1009 : code),
  };
}

/** Why by its words: Bun tells the peer 1009, and us 1006. */
const isTooBig = (reason: string): boolean => reason === "Received too big message";

class BunSocket implements GuestSocket {
  readonly #socket: ServerWebSocket<Guest>;

  constructor(socket: ServerWebSocket<Guest>) {
    this.#socket = socket;
  }

  write(frames: readonly Frame[]): number {
    const socket = this.#socket;
    let isTaken = true;
    const send = (frame: Frame): void => {
      if (socket.send(frame) < 0) isTaken = false;
    };
    const [first] = frames;
    if (frames.length > 1) socket.cork(() => frames.forEach(send));
    else if (first !== undefined) send(first);
    return isTaken ? 0 : socket.getBufferedAmount();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  cut(): void {
    this.#socket.terminate();
  }

  ping(): void {
    this.#socket.ping();
  }
}

/**
 * Many that come at once. Between what stays of each lies what was only needed to let it in, and a block of memory that holds some
 * of both is never given back: ten thousand games took a third more than they need. Where garbage lay that is collected at once,
 * there is place for the next. It costs a part of what it costs to let them in, and nothing while nobody comes.
 */
class Crowd {
  #came = 0;
  #allAt = 2 * YOUNG_EVERY;

  /** One more peer. */
  came(): void {
    if (++this.#came % YOUNG_EVERY !== 0) return;
    if (this.#came < this.#allAt) return void edenGC();
    this.#allAt = this.#came * ALL_GROWTH;
    Bun.gc(true);
  }
}
