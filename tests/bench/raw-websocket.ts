/**
 * WebSocket framing over plain TCP, for the load generator only: it must use less CPU than the relay under measurement.
 *
 * All frames that one chunk of input causes are sent in one write. Outgoing frames of the client side are masked with zeros, which
 * is legal and saves the generator the work.
 */
import type { Socket } from "bun";

const TEXT = 0x81;
const CLOSE = 0x88;
const PONG = 0x8a;

/** One connection, either side. */
export class RawWebSocket {
  readonly #isClient: boolean;
  readonly #onText: (text: string, socket: RawWebSocket) => void;
  #socket: Socket<RawWebSocket> | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #out: Buffer = Buffer.allocUnsafe(1 << 14);
  #outBytes = 0;
  #isUpgraded = false;
  #isBlocked = false;
  isClosed = false;
  readonly opened: Promise<void>;
  #open: () => void = () => {};

  constructor(isClient: boolean, onText: (text: string, socket: RawWebSocket) => void) {
    this.#isClient = isClient;
    this.#onText = onText;
    this.opened = new Promise((resolve) => (this.#open = resolve));
  }

  attach(socket: Socket<RawWebSocket>, request?: string): void {
    this.#socket = socket;
    socket.setNoDelay(true);
    if (request !== undefined) socket.write(request);
  }

  /** Queues a text frame; `flush` writes it. ASCII only, so that characters are bytes. */
  send(text: string): void {
    const length = text.length;
    const need = length + 14;
    if (this.#outBytes + need > this.#out.length) {
      this.#out = Buffer.concat(
        [this.#out.subarray(0, this.#outBytes)],
        Math.max(this.#out.length * 2, this.#outBytes + need),
      );
    }
    this.#outBytes = this.#header(TEXT, length, this.#outBytes);
    this.#out.write(text, this.#outBytes, length, "latin1");
    this.#outBytes += length;
    flushLater(this);
  }

  flush(): void {
    if (this.#outBytes === 0 || this.#isBlocked || this.#socket === undefined) return;
    const written = this.#socket.write(this.#out.subarray(0, this.#outBytes));
    this.#out.copyWithin(0, written, this.#outBytes);
    this.#outBytes -= written;
    this.#isBlocked = this.#outBytes > 0;
  }

  /** Bytes that the socket has not accepted yet. */
  get backlog(): number {
    return this.#outBytes;
  }

  drained(): void {
    this.#isBlocked = false;
    this.flush();
  }

  end(): void {
    this.#socket?.end();
  }

  received(chunk: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.#isUpgraded) data = this.#upgrade(data);
    if (!this.#isUpgraded) return;
    let at = 0;
    for (let frame = frameAt(data, at); frame !== undefined; frame = frameAt(data, at)) {
      at = frame.end;
      this.#handle(frame.opcode, data.subarray(frame.start, frame.end));
    }
    this.#rest = at < data.length ? Buffer.from(data.subarray(at)) : EMPTY;
    flushPending();
  }

  #handle(opcode: number, payload: Buffer): void {
    if (opcode === 1) this.#onText(payload.toString("latin1"), this);
    else if (opcode === 9) this.#control(PONG, payload);
    else if (opcode === 8) this.#control(CLOSE, payload);
  }

  #control(first: number, payload: Buffer): void {
    this.#outBytes = this.#header(first, payload.length, this.#outBytes);
    payload.copy(this.#out, this.#outBytes);
    this.#outBytes += payload.length;
    flushLater(this);
  }

  #header(first: number, length: number, at: number): number {
    const mask = this.#isClient ? 0x80 : 0;
    this.#out[at++] = first;
    if (length < 126) this.#out[at++] = mask | length;
    else if (length < 65_536) {
      this.#out[at++] = mask | 126;
      at = this.#out.writeUInt16BE(length, at);
    } else {
      this.#out[at++] = mask | 127;
      at = this.#out.writeBigUInt64BE(BigInt(length), at);
    }
    return this.#isClient ? this.#out.writeUInt32BE(0, at) : at;
  }

  #upgrade(data: Buffer): Buffer {
    const end = data.indexOf("\r\n\r\n");
    if (end < 0) {
      this.#rest = Buffer.from(data);
      return EMPTY;
    }
    const head = data.toString("latin1", 0, end);
    if (!this.#isClient) {
      const key = /sec-websocket-key:\s*(\S+)/i.exec(head)?.[1] ?? "";
      const accept = new Bun.CryptoHasher("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      this.#socket?.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    } else if (!head.startsWith("HTTP/1.1 101")) throw new Error(`no upgrade: ${head.slice(0, 60)}`);
    this.#isUpgraded = true;
    this.#open();
    return data.subarray(end + 4);
  }
}

const EMPTY = Buffer.alloc(0);
const pendingFlush: RawWebSocket[] = [];

/** Marks a connection for the flush at the end of the chunk. */
function flushLater(socket: RawWebSocket): void {
  if (pendingFlush[pendingFlush.length - 1] !== socket) pendingFlush.push(socket);
}

export function flushPending(): void {
  for (const socket of pendingFlush) socket.flush();
  pendingFlush.length = 0;
}

function frameAt(data: Buffer, at: number): { opcode: number; start: number; end: number } | undefined {
  if (data.length - at < 2) return undefined;
  const first = data.readUInt8(at);
  const second = data.readUInt8(at + 1);
  let start = at + 2;
  let length = second & 127;
  if (length === 126) {
    if (data.length - start < 2) return undefined;
    length = data.readUInt16BE(start);
    start += 2;
  } else if (length === 127) {
    if (data.length - start < 8) return undefined;
    length = Number(data.readBigUInt64BE(start));
    start += 8;
  }
  const isMasked = second >= 128;
  if (isMasked) start += 4;
  if (data.length - start < length) return undefined;
  if (isMasked) unmask(data, start, length);
  return { opcode: first & 15, start, end: start + length };
}

function unmask(data: Buffer, start: number, length: number): void {
  const mask = data.subarray(start - 4, start);
  if (mask.readUInt32LE(0) === 0) return;
  for (let at = 0; at < length; at++) data[start + at] = data.readUInt8(start + at) ^ mask.readUInt8(at & 3);
}

const handlers = {
  data: (socket: Socket<RawWebSocket>, chunk: Buffer) => socket.data.received(chunk),
  drain: (socket: Socket<RawWebSocket>) => socket.data.drained(),
  close: (socket: Socket<RawWebSocket>) => {
    socket.data.isClosed = true;
  },
  error: () => {},
};

/** Dials a WebSocket server on loopback. */
export async function dialRaw(
  port: number,
  path: string,
  onText: (text: string, socket: RawWebSocket) => void,
): Promise<RawWebSocket> {
  const socket = new RawWebSocket(true, onText);
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
  await Bun.connect<RawWebSocket>({
    hostname: "127.0.0.1",
    port,
    data: socket,
    socket: { ...handlers, open: (tcp) => socket.attach(tcp, request) },
  });
  await socket.opened;
  return socket;
}

/** Listens on a free port of loopback; every connection becomes a `RawWebSocket`. */
export function listenRaw(onText: (text: string, socket: RawWebSocket) => void): { readonly port: number; stop(): void } {
  const server = Bun.listen<RawWebSocket>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      ...handlers,
      open: (socket) => {
        socket.data = new RawWebSocket(false, onText);
        socket.data.attach(socket);
      },
    },
  });
  return { port: server.port, stop: () => server.stop(true) };
}
