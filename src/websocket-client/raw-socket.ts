/**
 * A WebSocket client over a byte stream. All frames of one turn of the event loop are written at once.
 *
 * Why not the runtime's client: it makes a system call for each frame, which is most of the work of a busy relay; on some runtimes it
 * leaves Nagle's algorithm on; and none of them finds a silent peer.
 *
 * Invariants: C1 `closed` is reported once, last, and never after `close`; C2 a connection on which nothing arrives within `answerMs` after
 * a ping is terminated.
 */
import type { Millis } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { KeepaliveOptions } from "../core/link.ts";
import { CLOSING_MS } from "./close.ts";
import type { ClientSocket, ClientSocketListener, Dialer, DialRequest } from "./dialer.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter, OPCODE, type Opcode } from "./frame-writer.ts";
import { EASED_BYTES } from "./guest.ts";
import { type ClientHandshake, createHandshake, handshakeError } from "./handshake.ts";

/** One TCP or TLS connection. */
export interface ByteStream {
  /** Returns how many bytes were accepted; `drained` follows if that was not all. */
  write(bytes: Uint8Array<ArrayBuffer>): number;
  /** Closes once everything is written. */
  end(): void;
  /** Closes now. */
  terminate(): void;
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
  /** Connects without Nagle's algorithm. A certificate that does not match the host is a failure. */
  connect(endpoint: Endpoint, listener: ByteStreamListener): void;
  /** Calls `run` at the end of this turn of the event loop. */
  afterTurn(run: () => void): void;
}

const MESSAGE_BYTES_MAX = 8 * 1_024 * 1_024;
const HEAD_BYTES_MAX = 16_384;
const ABNORMAL = 1006;
const NO_BYTES = new Uint8Array(0);

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
  #head: Uint8Array = NO_BYTES;
  /** The code and reason of the close, as far as they are known. */
  #end = { code: ABNORMAL, reason: "" };
  /** False once `close` was called. */
  #isReported = true;
  #isWriteScheduled = false;
  /** The stream did not accept everything; `drained` follows. */
  #isBlocked = false;
  /** `send` has returned more than `EASED_BYTES`. */
  #isCongested = false;
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
        this.#end = { code, reason };
        this.#close(code);
      },
    }, MESSAGE_BYTES_MAX);
    ports.connect(endpointOf(request.url), {
      connected: (stream) => this.#connected(stream),
      received: (bytes) => this.#received(bytes),
      drained: () => {
        this.#isBlocked = false;
        this.#flush();
      },
      closed: (reason) => this.#closed(reason),
    });
  }

  send(frame: Frame): number {
    if (this.#state !== "open") return 0;
    this.#write(typeof frame === "string" ? OPCODE.text : OPCODE.binary, frame);
    if (this.#writer.length > EASED_BYTES) {
      this.#isCongested = true;
      this.#flush();
    }
    return this.#writer.length;
  }

  close(code = 1000): void {
    this.#isReported = false;
    if (this.#state === "open") this.#close(code);
    else if (this.#state === "dialing") this.#terminate();
  }

  #connected(stream: ByteStream): void {
    this.#stream = stream;
    if (!this.#isReported) return this.#terminate();
    stream.write(new TextEncoder().encode(this.#handshake.text)); // Why unchecked: an empty send buffer has room for this.
  }

  #received(bytes: Uint8Array): void {
    this.#receivedAt = performance.now();
    this.#pingedAt = undefined;
    if (this.#state === "dialing") this.#readHandshake(bytes);
    else this.#reader.feed(bytes);
  }

  /** Looks for the end of the response's head. Bytes after it are frames. */
  #readHandshake(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#head.length + bytes.length);
    all.set(this.#head);
    all.set(bytes, this.#head.length);
    this.#head = all;
    const text = new TextDecoder("latin1").decode(all.subarray(0, HEAD_BYTES_MAX));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0 && all.length < HEAD_BYTES_MAX) return;
    const error = end < 0
      ? `no end of the headers within ${HEAD_BYTES_MAX} bytes`
      : handshakeError(text.slice(0, end), this.#handshake.key);
    if (error !== undefined) {
      this.#end.reason = error;
      return this.#terminate();
    }
    this.#head = NO_BYTES;
    this.#state = "open";
    this.#scheduleSilenceCheck(this.#keepalive.idleMs);
    if (this.#isReported) this.#listener.opened();
    if (end + 4 < all.length) this.#reader.feed(all.subarray(end + 4));
  }

  #write(opcode: Opcode, payload: Frame): void {
    this.#writer.add(opcode, payload);
    if (this.#isWriteScheduled || this.#isBlocked) return;
    this.#isWriteScheduled = true;
    this.#ports.afterTurn(() => {
      this.#isWriteScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isBlocked || this.#state === "closed") return;
    this.#writer.drain((bytes) => stream.write(bytes));
    this.#isBlocked = this.#writer.length > 0;
    if (!this.#isCongested || this.#writer.length > EASED_BYTES) return;
    this.#isCongested = false;
    if (this.#isReported) this.#listener.relieved();
  }

  /** The peer closes, or answers our close. */
  #closeReceived(code: number, reason: string): void {
    this.#end = { code, reason };
    if (this.#state === "open") this.#close(1000);
    this.#stream?.end();
  }

  #close(code: number): void {
    if (this.#state !== "open") return;
    this.#write(OPCODE.close, Uint8Array.of(code >> 8, code & 255));
    this.#flush();
    this.#state = "closing";
    this.#closeTimer = setTimeout(() => this.#terminate(), CLOSING_MS);
  }

  #terminate(): void {
    this.#stream?.terminate();
    if (this.#stream !== undefined) this.#closed("");
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
      this.#write(OPCODE.ping, NO_BYTES);
    }
    const due = this.#pingedAt === undefined ? this.#receivedAt + idleMs : this.#pingedAt + answerMs;
    this.#scheduleSilenceCheck(Math.max(1, due - now));
  }
}

function endpointOf(url: string): Endpoint {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "ws:" && protocol !== "wss:") throw new Error(`expected ws:// or wss://, not ${protocol}//`);
  const isEncrypted = protocol === "wss:";
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (isEncrypted ? 443 : 80), isEncrypted };
}
