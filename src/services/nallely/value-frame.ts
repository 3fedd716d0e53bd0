/**
 * The binary frame of the bus: one byte with the length of a name, the name in UTF-8, and a big-endian float64.
 *
 * Invariants: F1 encoding allocates only the frame, and decoding allocates nothing, because the name is looked up by its bytes; F2 any
 * bytes give a value or an error, and nothing throws; F3 bytes after the value are an error, because a client that concatenates two frames
 * would otherwise lose the second one silently.
 */
import { utf8 } from "../../core/text.ts";

const VALUE_BYTES = 8;

/** Shared, because a step is never interrupted. */
const scratch = new DataView(new ArrayBuffer(VALUE_BYTES));
const scratchBytes = new Uint8Array(scratch.buffer);

/** The constant part of a parameter's frames: length and name. The name has at most 255 bytes. */
export function frameHead(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  const head = new Uint8Array(1 + bytes.length);
  head[0] = bytes.length;
  head.set(bytes, 1);
  return head;
}

/** The frame of one value. */
export function encodeFrame(head: Uint8Array, value: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(head.length + VALUE_BYTES);
  frame.set(head);
  scratch.setFloat64(0, value);
  frame.set(scratchBytes, head.length);
  return frame;
}

/** The error in bytes that are not a frame: no bytes, fewer or more bytes than the length states, or a name that is not UTF-8. */
export type FrameError = "empty" | "short" | "long" | "utf8";

/** The error in the length of a frame, or undefined. */
export function frameError(frame: Uint8Array): FrameError | undefined {
  const length = frame[0];
  if (length === undefined) return "empty";
  const size = 1 + length + VALUE_BYTES;
  if (frame.length === size) return undefined;
  return frame.length < size ? "short" : "long";
}

/** The value of a frame without a length error. */
export function frameValue(frame: Uint8Array): number {
  const start = frame.length - VALUE_BYTES;
  for (let at = 0; at < VALUE_BYTES; at++) scratchBytes[at] = frame[start + at] ?? 0;
  return scratch.getFloat64(0);
}

/** Name and value of a frame, or its error. For programs that do not know the names in advance. */
export function decodeFrame(frame: Uint8Array): { readonly name: string; readonly value: number } | FrameError {
  const error = frameError(frame);
  if (error !== undefined) return error;
  const name = utf8(frame.subarray(1, frame.length - VALUE_BYTES));
  return name === undefined ? "utf8" : { name, value: frameValue(frame) };
}

/** Items by parameter name, found by the bytes of a frame without making a string of them. */
export class FrameTable<T> {
  readonly #buckets = new Map<number, { readonly head: Uint8Array; readonly item: T }[]>();

  add(head: Uint8Array, item: T): void {
    const hash = hashOf(head, head.length);
    const bucket = this.#buckets.get(hash);
    if (bucket === undefined) this.#buckets.set(hash, [{ head, item }]);
    else bucket.push({ head, item });
  }

  /** The item for the name in a frame without a length error. */
  find(frame: Uint8Array): T | undefined {
    const length = frame.length - VALUE_BYTES;
    const bucket = this.#buckets.get(hashOf(frame, length));
    if (bucket === undefined) return undefined;
    for (const entry of bucket) if (startsWith(frame, entry.head, length)) return entry.item;
    return undefined;
  }
}

/** FNV-1a. Only the author of the neuron chooses names, so a collision gives no advantage to an attacker. */
function hashOf(bytes: Uint8Array, length: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < length; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash >>> 0;
}

function startsWith(frame: Uint8Array, head: Uint8Array, length: number): boolean {
  if (head.length !== length) return false;
  for (let at = 0; at < length; at++) if (frame[at] !== head[at]) return false;
  return true;
}
