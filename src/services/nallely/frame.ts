/**
 * The binary frame of the bus: one byte with the length of a name, the name in UTF-8, a float64 with the high byte first.
 *
 * Invariants: F1 encoding allocates the frame and nothing else, decoding nothing at all (the name is looked up by its bytes);
 * F2 any bytes are a value of a known name or a reason, never a throw; F3 a frame with anything behind its value is no value:
 * whoever glued two would lose the second one silently.
 */
import { utf8 } from "../../core/text.ts";

const VALUE_BYTES = 8;

/** Eight bytes shared by all: a step is never interrupted, so nobody else sees them in between. */
const scratch = new DataView(new ArrayBuffer(VALUE_BYTES));
const scratchBytes = new Uint8Array(scratch.buffer);
/** Throws at bad UTF-8, and keeps a byte order mark: it is part of the name. */

/** The part of a parameter's frames that never changes: length and name. The name has at most 255 bytes. */
export function frameHead(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  const head = new Uint8Array(1 + bytes.length);
  head[0] = bytes.length;
  head.set(bytes, 1);
  return head;
}

/** One value as a frame of its own. */
export function encodeFrame(head: Uint8Array, value: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(head.length + VALUE_BYTES);
  frame.set(head);
  scratch.setFloat64(0, value);
  frame.set(scratchBytes, head.length);
  return frame;
}

/** Why bytes are not a frame. */
export type FrameFlaw = "empty" | "short" | "long" | "utf8";

/** What is wrong with the shape of a frame; undefined when its length fits its name. */
export function frameFlaw(frame: Uint8Array): FrameFlaw | undefined {
  const length = frame[0];
  if (length === undefined) return "empty";
  const size = 1 + length + VALUE_BYTES;
  if (frame.length === size) return undefined;
  return frame.length < size ? "short" : "long";
}

/** The value of a frame whose shape is right. */
export function frameValue(frame: Uint8Array): number {
  const start = frame.length - VALUE_BYTES;
  for (let at = 0; at < VALUE_BYTES; at++) scratchBytes[at] = frame[start + at] ?? 0;
  return scratch.getFloat64(0);
}

/** Name and value of one frame, or what is wrong with it. For whoever does not know the names beforehand. */
export function decodeFrame(frame: Uint8Array): { readonly name: string; readonly value: number } | FrameFlaw {
  const flaw = frameFlaw(frame);
  if (flaw !== undefined) return flaw;
  const name = utf8(frame.subarray(1, frame.length - VALUE_BYTES));
  return name === undefined ? "utf8" : { name, value: frameValue(frame) };
}

/** Finds what belongs to the name in a frame without making a string of it. */
export class FrameTable<T> {
  readonly #buckets = new Map<number, { readonly head: Uint8Array; readonly item: T }[]>();

  add(head: Uint8Array, item: T): void {
    const hash = hashOf(head, head.length);
    const bucket = this.#buckets.get(hash);
    if (bucket === undefined) this.#buckets.set(hash, [{ head, item }]);
    else bucket.push({ head, item });
  }

  /** What was added for the name of a frame whose shape is right. */
  find(frame: Uint8Array): T | undefined {
    const length = frame.length - VALUE_BYTES;
    const bucket = this.#buckets.get(hashOf(frame, length));
    if (bucket === undefined) return undefined;
    for (const entry of bucket) if (startsWith(frame, entry.head, length)) return entry.item;
    return undefined;
  }
}

/** FNV-1a. Equal names may only come from their author, so nothing is gained by a collision. */
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
