/**
 * WebSocket frames (RFC 6455), as a client reads them: whole messages out of bytes in pieces of any size.
 *
 * Invariants: F1 nothing more is read after a breach; F2 a message, and what is kept of one that is not whole, has a bound.
 * Knows nothing of: sockets.
 */
import type { Frame } from "../core/json.ts";
import { utf8 } from "../core/text.ts";
import { OPCODE } from "./frame-writer.ts";

/** Whoever reads. `breached` comes once, and last. */
export interface FrameListener {
  message(frame: Frame): void;
  pingReceived(payload: Uint8Array): void;
  pongReceived(): void;
  closeReceived(code: number, reason: string): void;
  /** The other end broke the protocol; `code` is what it is closed with. */
  protocolError(code: number, why: string): void;
}

const CONTROL_BYTES_MAX = 125;
const NO_CODE = 1005;

export class FrameReader {
  readonly #listener: FrameListener;
  readonly #bytesMax: number;
  #rest: Uint8Array = new Uint8Array(0);
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  #partsOp: number | undefined;
  #isOver = false;

  constructor(listener: FrameListener, bytesMax: number) {
    this.#listener = listener;
    this.#bytesMax = bytesMax;
  }

  /** Takes the next bytes. They may be kept. */
  feed(chunk: Uint8Array): void {
    if (this.#isOver) return;
    const bytes = this.#rest.length === 0 ? chunk : joined([this.#rest, chunk]);
    let at = 0;
    while (!this.#isOver) {
      const size = this.#frame(bytes, at);
      if (size === 0) break;
      at += size;
    }
    this.#rest = bytes.subarray(at);
  }

  /** Reads one frame and returns its size; 0 when it is not there as a whole. */
  #frame(bytes: Uint8Array, at: number): number {
    const [first, second] = [bytes[at], bytes[at + 1]];
    if (first === undefined || second === undefined) return 0;
    if ((first & 0x70) !== 0) return this.#fail(1002, "reserved bits");
    if ((second & 0x80) !== 0) return this.#fail(1002, "a masked frame from a server");
    const length = lengthAt(bytes, at + 1, second);
    if (length === undefined) return 0;
    const { size, head } = length;
    const [op, isFinal] = [first & 0x0f, (first & 0x80) !== 0];
    const isControl = op >= OPCODE.close;
    if (isControl && (!isFinal || size > CONTROL_BYTES_MAX)) return this.#fail(1002, "a control frame in pieces");
    if (!isControl && this.#partsBytes + size > this.#bytesMax) return this.#fail(1009, "message too big");
    const start = at + 1 + head;
    if (bytes.length < start + size) return 0;
    const payload = bytes.subarray(start, start + size);
    if (isControl) this.#control(op, payload);
    else this.#data(op, isFinal, payload);
    return 1 + head + size;
  }

  #control(op: number, payload: Uint8Array): void {
    if (op === OPCODE.ping) return this.#listener.pingReceived(payload);
    if (op === OPCODE.pong) return this.#listener.pongReceived();
    if (op !== OPCODE.close) return void this.#fail(1002, "an unknown kind of frame");
    this.#isOver = true;
    const code = payload.length < 2 ? NO_CODE : ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    this.#listener.closeReceived(code, this.#text(payload.subarray(2)) ?? "");
  }

  #data(op: number, isFinal: boolean, payload: Uint8Array): void {
    const isNext = op === 0;
    if (isNext === (this.#partsOp === undefined) || op > OPCODE.binary) {
      return void this.#fail(1002, "a frame out of place");
    }
    if (isFinal && !isNext) return this.#deliver(op, payload);
    this.#partsOp ??= op;
    this.#parts.push(payload.slice());
    this.#partsBytes += payload.length;
    if (!isFinal) return;
    const [of, whole] = [this.#partsOp, joined(this.#parts)];
    this.#partsOp = undefined;
    this.#parts = [];
    this.#partsBytes = 0;
    this.#deliver(of, whole);
  }

  #deliver(op: number, payload: Uint8Array): void {
    if (op === OPCODE.binary) return this.#listener.message(payload.slice());
    const text = this.#text(payload);
    if (text === undefined) this.#fail(1007, "text that is not UTF-8");
    else this.#listener.message(text);
  }

  #text(payload: Uint8Array): string | undefined {
    return utf8(payload);
  }

  #fail(code: number, why: string): 0 {
    this.#isOver = true;
    this.#listener.protocolError(code, why);
    return 0;
  }
}

/** The length that begins at the second byte of a frame, and the bytes it takes; undefined when it is not there as a whole. */
function lengthAt(bytes: Uint8Array, at: number, second: number): { size: number; head: number } | undefined {
  const short = second & 0x7f;
  if (short < 126) return { size: short, head: 1 };
  const wide = short === 126 ? 2 : 8;
  if (bytes.length < at + 1 + wide) return undefined;
  let size = 0;
  for (let byte = 0; byte < wide; byte++) size = size * 256 + (bytes[at + 1 + byte] ?? 0);
  return { size, head: 1 + wide };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
