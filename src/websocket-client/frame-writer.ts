/**
 * Writes WebSocket frames (RFC 6455), unfragmented, into one buffer. Those of a client are masked.
 *
 * Knows nothing of: sockets.
 */
import { Buffer } from "node:buffer";
import type { Frame } from "../core/json.ts";

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Why not empty: lua-websockets reads three bytes of every frame at once, and so the first of the frame after an empty ping. */
export const PING_PAYLOAD: Uint8Array<ArrayBuffer> = new Uint8Array(1);
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

const FINAL = 0x80;
const MASKED = 0x80;
const HEADER_MAX = 14;
const MASKS_BYTES = 4_096;
/** A buffer that grew beyond this in a burst is released once it is empty. */
const KEPT_BYTES = 1_048_576;
const FIRST_BYTES = 16_384;

const encoder = new TextEncoder();

/** A buffer of Bun: it writes a text without a view of its end, which takes as long as the text. Deno's takes longer than a view. */
interface BunBuffer extends Uint8Array<ArrayBuffer> {
  utf8Write?(text: string, at: number, length: number): number;
}

const newBuffer = (size: number): BunBuffer =>
  "Bun" in globalThis ? Buffer.from(new ArrayBuffer(size)) as BunBuffer : new Uint8Array(size);

export class FrameWriter {
  #bytes = newBuffer(FIRST_BYTES);
  /** The same memory. */
  #words = new Int32Array(this.#bytes.buffer);
  #start = 0;
  #end = 0;
  readonly #masks = new Uint8Array(MASKS_BYTES);
  #nextMask = MASKS_BYTES;
  readonly #maskBytes = new Uint8Array(4);
  readonly #maskWord = new Int32Array(this.#maskBytes.buffer);
  readonly #isClient: boolean;

  constructor(side: "client" | "server" = "client") {
    this.#isClient = side === "client";
  }

  /** Bytes that have not been written yet. */
  get length(): number {
    return this.#end - this.#start;
  }

  add(opcode: Opcode, payload: Frame): void {
    // Why three: a UTF-16 unit becomes at most three bytes of UTF-8.
    const payloadMax = typeof payload === "string" ? payload.length * 3 : payload.length;
    this.#reserve(HEADER_MAX + payloadMax);
    const head = this.#end;
    const body = head + 2 + lengthBytes(payload.length) + (this.#isClient ? 4 : 0);
    const size = this.#writePayload(payload, body);
    // Why only then: nearly every text is ASCII, so that its length is that of its bytes.
    const missing = lengthBytes(size) - lengthBytes(payload.length);
    if (missing > 0) this.#bytes.copyWithin(body + missing, body, body + size);
    this.#bytes[head] = FINAL | opcode;
    const mask = this.#writeLength(head + 1, size);
    if (this.#isClient) this.#mask(mask, size);
    this.#end = body + missing + size;
  }

  /**
   * Passes the bytes to `write`, which returns how many it accepted. The remaining bytes are kept. The memory is used again: a `slice` of the
   * bytes can be kept. Why not a part of the buffer: on Bun that is a `Buffer`, whose `slice` copies nothing.
   */
  drain(write: (bytes: Uint8Array<ArrayBuffer>) => number): void {
    if (this.length === 0) return;
    this.#start += Math.max(0, write(new Uint8Array(this.#bytes.buffer, this.#start, this.length)));
    if (this.#start < this.#end) return;
    this.#start = this.#end = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#use(newBuffer(FIRST_BYTES));
  }

  #writePayload(payload: Frame, at: number): number {
    const bytes = this.#bytes;
    if (typeof payload === "string") {
      return bytes.utf8Write?.(payload, at, bytes.length - at) ?? encoder.encodeInto(payload, bytes.subarray(at)).written;
    }
    bytes.set(payload, at);
    return payload.length;
  }

  /** Returns the position after it. */
  #writeLength(at: number, size: number): number {
    const bytes = this.#bytes;
    const masked = this.#isClient ? MASKED : 0;
    if (size < 126) {
      bytes[at] = masked | size;
      return at + 1;
    }
    const length = lengthBytes(size);
    bytes[at] = masked | (length === 2 ? 126 : 127);
    for (let place = length, rest = size; place > 0; place--, rest = Math.floor(rest / 256)) bytes[at + place] = rest & 255;
    return at + 1 + length;
  }

  #mask(at: number, size: number): void {
    const [bytes, masks] = [this.#bytes, this.#masks];
    if (this.#nextMask === MASKS_BYTES) {
      crypto.getRandomValues(masks);
      this.#nextMask = 0;
    }
    const from = this.#nextMask;
    this.#nextMask += 4;
    for (let byte = 0; byte < 4; byte++) bytes[at + byte] = masks[from + byte] ?? 0;
    this.#maskBody(at + 4, at + 4 + size, from);
  }

  /** Four bytes at a time, between the first and the last whole word of the buffer, because that takes a fifth of the time. */
  #maskBody(start: number, end: number, from: number): void {
    const [bytes, words, masks] = [this.#bytes, this.#words, this.#masks];
    const firstWord = (start + 3) >> 2;
    const endWord = Math.max(firstWord, end >> 2);
    for (let at = start; at < Math.min(end, firstWord * 4); at++) {
      bytes[at] = (bytes[at] ?? 0) ^ (masks[from + ((at - start) & 3)] ?? 0);
    }
    for (let byte = 0; byte < 4; byte++) this.#maskBytes[byte] = masks[from + ((firstWord * 4 - start + byte) & 3)] ?? 0;
    const mask = this.#maskWord[0] ?? 0;
    for (let at = firstWord; at < endWord; at++) words[at] = (words[at] ?? 0) ^ mask;
    for (let at = endWord * 4; at < end; at++) bytes[at] = (bytes[at] ?? 0) ^ (masks[from + ((at - start) & 3)] ?? 0);
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#bytes.length) return;
    const waiting = this.#bytes.subarray(this.#start, this.#end);
    const needed = waiting.length + size;
    const bytes = needed <= this.#bytes.length
      ? this.#bytes
      : newBuffer(wholeWords(Math.max(needed, this.#bytes.length * 2)));
    bytes.set(waiting, 0);
    if (bytes !== this.#bytes) this.#use(bytes);
    this.#end = waiting.length;
    this.#start = 0;
  }

  #use(bytes: BunBuffer): void {
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer);
  }
}

const wholeWords = (size: number): number => Math.ceil(size / 4) * 4;

const lengthBytes = (size: number): number => (size < 126 ? 0 : size < 65_536 ? 2 : 8);
