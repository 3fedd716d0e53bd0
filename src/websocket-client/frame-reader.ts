/**
 * Reads WebSocket frames (RFC 6455): turns bytes, in pieces of any size, into whole messages. A server's reader unmasks them in place.
 *
 * Invariants: F1 nothing is read after a protocol error or a close; F2 an incomplete message occupies one buffer of at most twice its
 * bytes, however many fragments it has; F3 every byte is copied a constant number of times, however small the pieces are.
 * Knows nothing of: sockets.
 */
import { Buffer } from "node:buffer";
import type { Frame } from "../core/json.ts";
import { utf8 } from "../core/text.ts";
import { isCloseCode, NO_CODE } from "./close.ts";
import { OPCODE } from "./frame-writer.ts";

export interface FrameListener {
  message(frame: Frame): void;
  pingReceived(payload: Uint8Array): void;
  pongReceived(): void;
  closeReceived(code: number, reason: string): void;
  /** The peer violated the protocol; the connection has to be closed with this code. Called once, and last. */
  protocolError(code: number, reason: string): void;
  /** 16 fragments (`TINY_FRAGMENTS_PER_REPORT`) of less than 16 bytes came, which are work but hardly add to a message. */
  tinyFragments?(): void;
}

const TINY_FRAGMENT_BYTES = 16;
const TINY_FRAGMENTS_PER_REPORT = 16;

const CONTROL_BYTES_MAX = 125;
/** Two bytes, and up to eight for the length; a client's frames have a mask as well. */
const HEADER_BYTES_MAX = 14;
const MASK_BYTES = 4;
const FIRST_BYTES = 1_024;
const NO_BYTES = Buffer.alloc(0);

/** A message buffer up to this size is kept for the next message in fragments. */
const KEPT_BYTES = 65_536;

/** A frame whose header has been read. */
interface OpenFrame {
  opcode: number;
  isFinal: boolean;
  size: number;
  remaining: number;
  /** The bytes of the mask, the first in the lowest bits. 0 for a frame of a server. */
  mask: number;
}

export class FrameReader {
  readonly #listener: FrameListener;
  readonly #bytesMax: number;
  readonly #maskBytes: number;
  readonly #header = new Uint8Array(HEADER_BYTES_MAX);
  #headerLength = 0;
  #frame: OpenFrame | undefined;
  /** One object, used again for every frame, because each message would otherwise allocate one. */
  readonly #reused: OpenFrame = { opcode: 0, isFinal: true, size: 0, remaining: 0, mask: 0 };
  readonly #control = new Uint8Array(CONTROL_BYTES_MAX);
  /** The payloads of the current message so far. */
  #message: Buffer = NO_BYTES;
  #messageLength = 0;
  /** Fragments of less than `TINY_FRAGMENT_BYTES` so far. */
  #tinyFragments = 0;
  /** The opcode of an incomplete message in fragments. */
  #messageOpcode: number | undefined;
  #isDone = false;
  /** Frames of the last `feed`. */
  framesTaken = 0;

  constructor(listener: FrameListener, bytesMax: number, side: "client" | "server" = "client") {
    this.#listener = listener;
    this.#bytesMax = bytesMax;
    this.#maskBytes = side === "client" ? 0 : MASK_BYTES;
  }

  /** Bytes that are kept of an incomplete message. */
  get incompleteBytes(): number {
    return this.#messageLength;
  }

  /** Reads nothing any more, and keeps nothing. */
  stop(): void {
    this.#isDone = true;
    this.#message = NO_BYTES;
  }

  /** Takes the next bytes, at most `framesMax` frames of them, and returns how many bytes it took. They are not kept. */
  feed(bytes: Uint8Array, framesMax: number = Infinity): number {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    this.framesTaken = 0;
    while (!this.#isDone && (at < chunk.length || this.#frame?.remaining === 0)) {
      if (this.#frame !== undefined) at = this.#readPayload(this.#frame, chunk, at);
      else if (this.framesTaken++ < framesMax) at = this.#readHeader(chunk, at);
      else return at;
    }
    return chunk.length;
  }

  /** Returns where the payload begins, or the end of the chunk if the header is not complete. */
  #readHeader(chunk: Buffer, start: number): number {
    if (this.#headerLength === 0 && start + HEADER_BYTES_MAX <= chunk.length) {
      this.#beginFrame(chunk, start);
      return start + this.#headerBytes(chunk, start);
    }
    const header = this.#header;
    let at = start;
    while (at < chunk.length) {
      header[this.#headerLength++] = chunk[at++] ?? 0;
      if (this.#headerLength < 2 || this.#headerLength < this.#headerBytes(header, 0)) continue;
      this.#headerLength = 0;
      this.#beginFrame(header, 0);
      break;
    }
    return at;
  }

  #beginFrame(header: Uint8Array, at: number): void {
    const first = header[at] ?? 0;
    const second = header[at + 1] ?? 0;
    if ((first & 0x70) !== 0) return this.#fail(1002, "reserved bits");
    const isMasked = (second & 0x80) !== 0;
    if (isMasked !== this.#maskBytes > 0) {
      return this.#fail(1002, isMasked ? "a masked frame from a server" : "a frame without a mask from a client");
    }
    const size = payloadBytes(header, at);
    if (size === undefined) return this.#fail(1002, "a length that is not in its shortest form");
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    const isControl = opcode >= OPCODE.close;
    if (isControl && (!isFinal || size > CONTROL_BYTES_MAX)) return this.#fail(1002, "a control frame in fragments");
    if (opcode > OPCODE.pong || (!isControl && opcode > OPCODE.binary)) return this.#fail(1002, "an unknown opcode");
    const isContinuation = opcode === 0;
    if (!isControl && isContinuation === (this.#messageOpcode === undefined)) {
      return this.#fail(1002, "a fragment out of order");
    }
    if (!isControl && this.#messageLength + size > this.#bytesMax) {
      return this.#fail(1009, `a message of more than ${this.#bytesMax} bytes`);
    }
    const frame = this.#reused;
    frame.opcode = opcode;
    frame.isFinal = isFinal;
    frame.size = size;
    frame.remaining = size;
    frame.mask = isMasked ? maskAt(header, at + headBytes(header, at)) : 0;
    this.#frame = frame;
  }

  /** Why the mask bit: a frame that must not have a mask, or must have one, is refused as soon as that can be seen. */
  #headerBytes(header: Uint8Array, at: number): number {
    return headBytes(header, at) + (((header[at + 1] ?? 0) & 0x80) === 0 ? 0 : this.#maskBytes);
  }

  #readPayload(frame: OpenFrame, chunk: Buffer, at: number): number {
    const end = Math.min(at + frame.remaining, chunk.length);
    if (frame.mask !== 0) unmask(chunk.subarray(at, end), frame.mask, frame.size - frame.remaining);
    frame.remaining -= end - at;
    const isWhole = end - at === frame.size;
    if (frame.opcode >= OPCODE.close) this.#readControl(frame, chunk.subarray(at, end));
    else if (isWhole && frame.isFinal && this.#messageOpcode === undefined) {
      this.#frame = undefined;
      this.#deliver(frame.opcode, chunk, at, end); // Why: most messages are one frame in one chunk, which needs no copy.
    } else this.#readFragment(frame, chunk.subarray(at, end));
    return end;
  }

  #readControl(frame: OpenFrame, part: Uint8Array): void {
    this.#control.set(part, frame.size - frame.remaining - part.length);
    if (frame.remaining > 0) return;
    this.#frame = undefined;
    const payload = this.#control.slice(0, frame.size);
    if (frame.opcode === OPCODE.ping) return this.#listener.pingReceived(payload);
    if (frame.opcode === OPCODE.pong) return this.#listener.pongReceived();
    this.#readClose(payload);
  }

  #readClose(payload: Uint8Array): void {
    const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    const hasCode = payload.length > 0;
    if (hasCode && (payload.length === 1 || !isCloseCode(code))) return this.#fail(1002, "an invalid close code");
    const reason = utf8(payload.subarray(2));
    if (reason === undefined) return this.#fail(1007, "a close reason that is not UTF-8");
    this.#isDone = true;
    this.#listener.closeReceived(hasCode ? code : NO_CODE, reason);
  }

  #readFragment(frame: OpenFrame, part: Uint8Array): void {
    this.#messageOpcode ??= frame.opcode;
    this.#append(part);
    if (frame.remaining > 0) return;
    this.#frame = undefined;
    if (!frame.isFinal) {
      if (frame.size < TINY_FRAGMENT_BYTES && ++this.#tinyFragments % TINY_FRAGMENTS_PER_REPORT === 0) {
        this.#listener.tinyFragments?.();
      }
      return;
    }
    const [opcode, message, length] = [this.#messageOpcode, this.#message, this.#messageLength];
    this.#messageOpcode = undefined;
    this.#messageLength = 0;
    if (this.#message.length > KEPT_BYTES) this.#message = NO_BYTES;
    this.#deliver(opcode, message, 0, length);
  }

  #append(part: Uint8Array): void {
    const length = this.#messageLength + part.length;
    if (length > this.#message.length) {
      const grown = Buffer.alloc(Math.max(length, Math.min(this.#message.length * 2, this.#bytesMax), FIRST_BYTES));
      grown.set(this.#message.subarray(0, this.#messageLength));
      this.#message = grown;
    }
    this.#message.set(part, this.#messageLength);
    this.#messageLength = length;
  }

  /** The payload is what `bytes` contains from `start` to `end`. */
  #deliver(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODE.binary) return this.#listener.message(new Uint8Array(bytes.subarray(start, end)));
    const text = textOf(bytes, start, end);
    if (text === undefined) this.#fail(1007, "text that is not UTF-8");
    else this.#listener.message(text);
  }

  #fail(code: number, reason: string): void {
    this.stop();
    this.#listener.protocolError(code, reason);
  }
}

const REPLACEMENT = "\ufffd";

/**
 * The text of UTF-8 bytes; undefined if they are not valid UTF-8.
 *
 * Why not at once by a strict decoder: that needs a view of the bytes, which takes as long as decoding a short message.
 */
function textOf(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString("utf8", start, end);
  return text.includes(REPLACEMENT) ? utf8(bytes.subarray(start, end)) : text;
}

/** The size of a header whose first two bytes are known, without its mask. */
function headBytes(header: Uint8Array, at: number): number {
  const short = (header[at + 1] ?? 0) & 0x7f;
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}

const maskAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);

/** Parts up to this size are unmasked byte by byte, because words need an object of their own. */
const UNMASKED_BYTEWISE_MAX = 64;

/** Unmasks a part of a payload in place. `offset`: the bytes of the payload before it. */
function unmask(part: Uint8Array, frameMask: number, offset: number): void {
  const turned = (offset & 3) * 8;
  let mask = turned === 0 ? frameMask : (frameMask >>> turned) | (frameMask << (32 - turned));
  let at = 0;
  if (part.length > UNMASKED_BYTEWISE_MAX) {
    const odd = -part.byteOffset & 3;
    unmaskBytes(part, mask, 0, odd);
    if (odd > 0) mask = (mask >>> (odd * 8)) | (mask << (32 - odd * 8));
    const words = new Int32Array(part.buffer, part.byteOffset + odd, (part.length - odd) >> 2);
    for (let word = 0; word < words.length; word++) words[word] = (words[word] ?? 0) ^ mask;
    at = odd + words.length * 4;
  }
  unmaskBytes(part, mask, at, part.length);
}

/** `mask`: its lowest byte belongs to the byte at `from`. */
function unmaskBytes(part: Uint8Array, mask: number, from: number, end: number): void {
  for (let at = from; at < end; at++) part[at] = (part[at] ?? 0) ^ (mask >>> (((at - from) & 3) * 8));
}

/** The length in a header, or undefined if it is not in its shortest form, which RFC 6455 requires. */
function payloadBytes(header: Uint8Array, start: number): number | undefined {
  const short = (header[start + 1] ?? 0) & 0x7f;
  if (short < 126) return short;
  const end = start + headBytes(header, start);
  let size = 0;
  for (let at = start + 2; at < end; at++) size = size * 256 + (header[at] ?? 0);
  if (((header[start + 2] ?? 0) & 0x80) !== 0 && short === 127) return undefined;
  return size >= (short === 126 ? 126 : 65_536) ? size : undefined;
}
