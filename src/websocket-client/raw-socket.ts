/**
 * A WebSocket client over a byte stream. All frames of one turn of the event loop are written at once.
 *
 * Why not the runtime's client: it makes a system call for each frame, which is most of the work of a busy relay; on some runtimes it
 * leaves Nagle's algorithm on; and none of them finds a silent peer.
 *
 * Invariants: C1 `closed` is reported once, last, and never after `close`; C2 a connection on which nothing arrives within `answerMs` after
 * a ping is terminated; C3 `close` releases the connection in every state, also while TCP or TLS are being established; C4 however much
 * arrives, other connections get their turn after `FRAMES_PER_TURN_MAX` frames, and nothing is read meanwhile.
 */
import type { Millis } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { KeepaliveOptions } from "../core/link.ts";
import { closePayload, CLOSING_MS } from "./close.ts";
import type { ClientSocket, ClientSocketListener, Dialer, DialRequest } from "./dialer.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter, OPCODE, type Opcode, PING_PAYLOAD } from "./frame-writer.ts";
import { RELIEVED_BYTES } from "./backpressure.ts";
import { type ClientHandshake, createHandshake, handshakeError } from "./handshake.ts";

/** One TCP or TLS connection. */
export interface ByteStream {
  /** Returns how many bytes were accepted; `drained` follows if that was not all. */
  write(bytes: Uint8Array<ArrayBuffer>): number;
  /** Closes once everything is written. */
  end(): void;
  /** Closes now. */
  terminate(): void;
  /** Nothing is received until `resume`, except what the runtime has read already. */
  pause(): void;
  resume(): void;
}

export interface ByteStreamListener {
  connected(stream: ByteStream): void;
  received(bytes: Uint8Array): void;
  drained(): void;
  /** The connection is closed, or could not be opened. */
  closed(reason: string): void;
}

export interface Endpoint {
  readonly hostname: string;
  readonly port: number;
  readonly isEncrypted: boolean;
}

export interface RawDialerPorts {
  /**
   * Connects without Nagle's algorithm. A certificate that does not match the host is a failure. Returns a function that gives the attempt
   * up, with or without a call of `closed`; once `connected` was called, it does nothing.
   */
  connect(endpoint: Endpoint, listener: ByteStreamListener): () => void;
  /** Calls `run` at the end of this turn of the event loop. */
  afterTurn(run: () => void): void;
}

const MESSAGE_BYTES_MAX = 8 * 1_024 * 1_024;
const HEAD_BYTES_MAX = 16_384;
/** Frames that are handled in one turn of the event loop. Why not fewer: a busy backend sends some hundred at once. */
const FRAMES_PER_TURN_MAX = 1_024;
const ABNORMAL = 1006;

const KEEPALIVE_DEFAULTS: KeepaliveOptions = { idleMs: 30_000, answerMs: 90_000 };

export const createRawDialer =
  (ports: RawDialerPorts, keepalive: KeepaliveOptions = KEEPALIVE_DEFAULTS): Dialer => (request, listener) =>
    new RawWebSocket(request, listener, ports, keepalive);

class RawWebSocket implements ClientSocket {
  readonly #listener: ClientSocketListener;
  readonly #ports: RawDialerPorts;
  readonly #keepalive: KeepaliveOptions;
  readonly #handshake: ClientHandshake;
  readonly #writer = new FrameWriter();
  readonly #reader: FrameReader;
  #state: "dialing" | "open" | "closing" | "closed" = "dialing";
  #stream: ByteStream | undefined;
  readonly #cancelConnect: () => void;
  /** The response's head so far; undefined once it was read. */
  #head: Uint8Array | undefined = new Uint8Array(HEAD_BYTES_MAX);
  #headLength = 0;
  /** The code and reason of the close, as far as they are known. */
  #end = { code: ABNORMAL, reason: "" };
  /** False once `close` was called. */
  #isReported = true;
  #isWriteScheduled = false;
  /** The stream did not accept everything; `drained` follows. */
  #isBlocked = false;
  /** `send` has returned more than `RELIEVED_BYTES`. */
  #isCongested = false;
  /** Bytes that were received and wait for the next turn; the stream is paused. */
  #unread: Uint8Array | undefined;
  #receivedAt = performance.now();
  #pingedAt: Millis | undefined;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    request: DialRequest,
    listener: ClientSocketListener,
    ports: RawDialerPorts,
    keepalive: KeepaliveOptions,
  ) {
    this.#listener = listener;
    this.#ports = ports;
    this.#keepalive = keepalive;
    this.#handshake = createHandshake(request);
    this.#reader = new FrameReader({
      message: (frame) => this.#isReported && listener.received(frame),
      pingReceived: (payload) => {
        // Why not when blocked: a peer that does not read could fill the buffer with pongs.
        if (!this.#isBlocked) this.#write(OPCODE.pong, payload);
      },
      pongReceived: () => {},
      closeReceived: (code, reason) => this.#closeReceived(code, reason),
      protocolError: (code, reason) => {
        // Why not its code: that stands for what the peer says of our frames.
        this.#end = { code: ABNORMAL, reason };
        this.#close(code);
      },
    }, MESSAGE_BYTES_MAX);
    this.#cancelConnect = ports.connect(endpointOf(request.url), {
      connected: (stream) => this.#connected(stream),
      received: (bytes) => this.#received(bytes),
      drained: () => {
        this.#isBlocked = false;
        this.flush();
      },
      closed: (reason) => this.#closed(reason),
    });
  }

  send(frame: Frame): number {
    if (this.#state !== "open") return 0;
    this.#write(typeof frame === "string" ? OPCODE.text : OPCODE.binary, frame);
    if (this.#writer.length > RELIEVED_BYTES) {
      this.#isCongested = true;
      this.flush();
    }
    return this.#writer.length;
  }

  close(code = 1000, reason = ""): void {
    this.#isReported = false;
    if (this.#state === "open") this.#close(code, reason);
    else if (this.#state === "dialing") this.#terminate();
  }

  #connected(stream: ByteStream): void {
    this.#stream = stream;
    if (this.#state === "closed") return stream.terminate();
    stream.write(new TextEncoder().encode(this.#handshake.text)); // Why unchecked: an empty send buffer has space for this.
  }

  #received(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#receivedAt = performance.now();
    this.#pingedAt = undefined;
    if (this.#state === "dialing") this.#readHandshake(bytes);
    else this.#read(bytes);
  }

  #read(bytes: Uint8Array): void {
    if (this.#unread !== undefined) {
      this.#unread = joined(this.#unread, bytes);
      return;
    }
    const taken = this.#reader.feed(bytes, FRAMES_PER_TURN_MAX);
    if (taken === bytes.length) return;
    this.#unread = bytes.slice(taken); // Why a copy: the runtime uses its buffer again.
    this.#stream?.pause();
    this.#ports.afterTurn(() => this.#readOn());
  }

  #readOn(): void {
    const bytes = this.#unread;
    this.#unread = undefined;
    if (bytes === undefined || this.#state === "closed") return;
    this.#read(bytes);
    if (this.#unread === undefined) this.#stream?.resume();
  }

  /** Looks for the end of the response's head. Bytes after it are frames. */
  #readHandshake(bytes: Uint8Array): void {
    const head = this.#head;
    if (head === undefined) return;
    const known = this.#headLength;
    const taken = bytes.subarray(0, HEAD_BYTES_MAX - known);
    head.set(taken, known);
    this.#headLength += taken.length;
    const end = endOfHead(head, known, this.#headLength);
    if (end === undefined && this.#headLength < HEAD_BYTES_MAX) return;
    this.#head = undefined;
    const error = end === undefined
      ? `no end of the headers within ${HEAD_BYTES_MAX} bytes`
      : handshakeError(new TextDecoder("latin1").decode(head.subarray(0, end - 4)), this.#handshake);
    if (end === undefined || error !== undefined) {
      this.#end.reason = error ?? "";
      return this.#terminate();
    }
    this.#state = "open";
    this.#scheduleSilenceCheck(this.#keepalive.idleMs);
    if (this.#isReported) this.#listener.opened();
    this.#read(bytes.subarray(end - known));
  }

  #write(opcode: Opcode, payload: Frame): void {
    this.#writer.add(opcode, payload);
    if (this.#isWriteScheduled || this.#isBlocked) return;
    this.#isWriteScheduled = true;
    this.#ports.afterTurn(this.#endTurn);
  }

  /** Why a property: one function for all turns. */
  readonly #endTurn = (): void => {
    this.#isWriteScheduled = false;
    this.flush();
  };

  flush(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isBlocked || this.#state === "closed") return;
    this.#writer.drain((bytes) => stream.write(bytes));
    this.#isBlocked = this.#writer.length > 0;
    if (!this.#isCongested || this.#writer.length > RELIEVED_BYTES) return;
    this.#isCongested = false;
    if (this.#isReported) this.#listener.relieved();
  }

  /** The peer closes, or answers our close. */
  #closeReceived(code: number, reason: string): void {
    this.#end = { code, reason };
    this.#close(code);
    this.#stream?.end();
  }

  #close(code: number, reason = ""): void {
    if (this.#state !== "open") return;
    this.#write(OPCODE.close, closePayload(code, reason));
    this.flush();
    this.#state = "closing";
    this.#closeTimer = setTimeout(() => this.#terminate(), CLOSING_MS);
  }

  #terminate(): void {
    if (this.#stream === undefined) this.#cancelConnect();
    else this.#stream.terminate();
    this.#closed("");
  }

  #closed(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#silenceTimer);
    clearTimeout(this.#closeTimer);
    const { code, reason: known } = this.#end;
    if (this.#isReported) this.#listener.closed(code, known || reason);
  }

  #scheduleSilenceCheck(ms: Millis): void {
    this.#silenceTimer = setTimeout(() => this.#checkSilence(), ms);
  }

  #checkSilence(): void {
    const { idleMs, answerMs } = this.#keepalive;
    const now = performance.now();
    if (this.#pingedAt !== undefined && now - this.#pingedAt >= answerMs) {
      this.#end.reason = `no answer to a ping within ${answerMs} ms`;
      return this.#terminate();
    }
    if (this.#pingedAt === undefined && now - this.#receivedAt >= idleMs) {
      this.#pingedAt = now;
      this.#write(OPCODE.ping, PING_PAYLOAD);
    }
    const due = this.#pingedAt === undefined ? this.#receivedAt + idleMs : this.#pingedAt + answerMs;
    this.#scheduleSilenceCheck(Math.max(1, due - now));
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** The position after the first empty line whose last byte is at or after `known`. */
function endOfHead(bytes: Uint8Array, known: number, length: number): number | undefined {
  for (let at = Math.max(0, known - 3); at + 4 <= length; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at + 4;
  }
  return undefined;
}

function endpointOf(url: string): Endpoint {
  const { protocol, hostname, port, hash } = new URL(url);
  if (hash !== "") throw new Error(`the URL of a WebSocket has no fragment: ${hash}`);
  if (protocol !== "ws:" && protocol !== "wss:") throw new Error(`expected ws:// or wss://, not ${protocol}//`);
  const isEncrypted = protocol === "wss:";
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (isEncrypted ? 443 : 80), isEncrypted };
}
