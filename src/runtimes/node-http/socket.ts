/**
 * Accepted WebSockets over connections of Node's HTTP server.
 *
 * Why not the runtime's own: Bun does not tell how much of a message it has read, and Deno cannot disconnect a socket whose peer does not
 * read.
 *
 * Invariants: N1 `close` of the handler is called once, last, and as soon as the peer has closed or violated the protocol; N2 after that,
 * or after `terminate`, nothing that arrives is handled; N3 a peer that does not end its connection is disconnected after `CLOSING_MS`;
 * N4 however much all peers send, a turn of the event loop handles a bounded number of frames.
 */
import type { Socket } from "node:net";
import type { Frame } from "../../core/json.ts";
import { closePayload, CLOSING_MS } from "../../websocket-client/close.ts";
import { FrameReader } from "../../websocket-client/frame-reader.ts";
import { FrameWriter, OPCODE, type Opcode, PING_PAYLOAD } from "../../websocket-client/frame-writer.ts";
import { CLOSING_BYTES_MAX, type ConnectionHandler, type ServerSocket } from "../connections.ts";
import { type Keepalive, type KeptSocket, receivePong } from "../keepalive.ts";
import { TurnBudget } from "./turn-budget.ts";

const ABNORMAL = 1006;

export interface AcceptedConnection {
  readonly stream: Socket;
  readonly handler: ConnectionHandler;
  readonly keepalive: Keepalive;
  /** A larger message closes its peer with 1009. */
  readonly frameBytesMax: number;
}

/** Writes the frames of all sockets, one socket after the other. */
const writer = new FrameWriter("server");
/** Shared by all sockets of the process. */
const turn = new TurnBudget();

export class StreamSocket implements ServerSocket, KeptSocket {
  pingsUnanswered = 0;
  silentIntervals = 0;
  canPong = false;
  readonly #stream: Socket;
  readonly #handler: ConnectionHandler;
  readonly #keepalive: Keepalive;
  readonly #reader: FrameReader;
  #state: "open" | "closing" | "closed" = "open";
  #isGreeted = false;
  /** The payloads of pings that are answered at the end of this turn, because each write is a system call. */
  #pongs: Uint8Array[] = [];
  #bytesAfterClose = 0;

  constructor({ stream, handler, keepalive, frameBytesMax }: AcceptedConnection) {
    this.#stream = stream;
    this.#handler = handler;
    this.#keepalive = keepalive;
    this.#reader = new FrameReader(
      {
        message: (frame) => this.#received(frame),
        pingReceived: (payload) => this.#pinged(payload),
        pongReceived: () => receivePong(this, handler),
        tinyFragments: () => handler.controlFrame(),
        closeReceived: (code, reason) => this.#closeReceived(code, reason),
        protocolError: (code, reason) => {
          this.#write(OPCODE.close, closePayload(code, ""));
          this.#end(code === 1009 ? code : ABNORMAL, reason);
        },
      },
      frameBytesMax,
      "server",
    );
    stream.setNoDelay(true);
    stream.setTimeout(0);
    stream.on("data", (bytes: Uint8Array) => this.#read(bytes));
    stream.on("drain", () => this.#state === "open" && handler.drain(stream.writableLength));
    stream.on("end", () => stream.destroy());
    stream.on("error", () => stream.destroy());
    stream.on("close", () => this.#end(ABNORMAL, ""));
  }

  /** `head`: what was read after the request. */
  open(head: Uint8Array): void {
    this.#keepalive.add(this);
    this.#handler.open(this);
    if (head.length > 0) this.#read(head);
  }

  write(frames: readonly Frame[]): number {
    if (this.#state !== "open") return 0;
    for (const frame of frames) writer.add(typeof frame === "string" ? OPCODE.text : OPCODE.binary, frame);
    this.#flush();
    return this.#stream.writableLength;
  }

  close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#write(OPCODE.close, closePayload(code, reason));
    this.#state = "closing";
  }

  terminate(): void {
    this.#reader.stop();
    this.#stream.destroy();
  }

  ping(): void {
    if (this.#state !== "open") return;
    this.pingsUnanswered++;
    this.#write(OPCODE.ping, PING_PAYLOAD);
  }

  #read(bytes: Uint8Array): void {
    if (this.#state === "closed") {
      this.#bytesAfterClose += bytes.length;
      if (this.#bytesAfterClose > CLOSING_BYTES_MAX) this.#stream.destroy();
      return;
    }
    this.#feed(bytes, turn.left);
    if (!this.#isGreeted) this.#handler.buffered(this.#reader.incompleteBytes);
  }

  /** Handles at most this many frames of the bytes now, and the others in later turns. */
  #feed(bytes: Uint8Array, framesMax: number): void {
    const taken = this.#reader.feed(bytes, framesMax);
    turn.spend(this.#reader.framesTaken);
    if (taken === bytes.length) {
      if (this.#stream.isPaused()) this.#stream.resume();
      return;
    }
    this.#stream.pause();
    turn.wait((most) => this.#feed(bytes.subarray(taken), most));
  }

  #received(frame: Frame): void {
    this.#isGreeted = true;
    this.silentIntervals = 0;
    this.#handler.message(frame);
  }

  #pinged(payload: Uint8Array): void {
    this.#handler.controlFrame();
    // Why not while it does not read: it could fill the memory with pongs.
    if (this.#state !== "open" || this.#stream.writableNeedDrain) return;
    if (this.#pongs.push(payload) > 1) return;
    setImmediate(() => {
      const pongs = this.#pongs;
      this.#pongs = [];
      if (this.#state !== "open") return;
      for (const pong of pongs) writer.add(OPCODE.pong, pong);
      this.#flush();
    });
  }

  /** The peer closes, or answers the relay's close. */
  #closeReceived(code: number, reason: string): void {
    if (this.#state === "open") this.#write(OPCODE.close, closePayload(code, ""));
    this.#end(code, reason);
  }

  #write(opcode: Opcode, payload: Uint8Array): void {
    if (this.#state === "closed" || this.#stream.destroyed) return;
    writer.add(opcode, payload);
    this.#flush();
  }

  #flush(): void {
    writer.drain((bytes) => {
      this.#stream.write(bytes.slice());
      return bytes.length;
    });
  }

  #end(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#reader.stop();
    this.#keepalive.remove(this);
    this.#handler.close(code, reason);
    if (this.#stream.destroyed) return;
    this.#stream.end();
    const timer = setTimeout(() => this.#stream.destroy(), CLOSING_MS);
    this.#stream.once("close", () => clearTimeout(timer));
  }
}
