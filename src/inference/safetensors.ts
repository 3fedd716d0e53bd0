/**
 * The part of the safetensors format that is needed: a length, a JSON header, and one block of numbers.
 *
 * Invariants: F1 only little-endian 32-bit floats are read and written; F2 every tensor lies within the block, has as many numbers as
 * its shape says, and does not overlap another; F3 equal tensors give equal bytes.
 */
import { isObject, type Json, parsePlainJson } from "../core/json.ts";
import { lenientText } from "../core/text.ts";

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

const HEADER_BYTES_MAX = 1_048_576;
const FLOAT_BYTES = 4;
const DEPTH_MAX = 8;

/** The tensors in a file by name, or the reason why it cannot be read. */
export function readTensors(bytes: Uint8Array): ReadonlyMap<string, Tensor> | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(4, true) !== 0) return "it is too short, or its header is too long";
  const headerBytes = view.getUint32(0, true);
  const start = 8 + headerBytes;
  if (headerBytes > HEADER_BYTES_MAX || start > bytes.length) return "its header is longer than the file";
  const header = parsePlainJson(lenientText(bytes.subarray(8, start)), DEPTH_MAX);
  if (!isObject(header)) return "its header is not a JSON object";
  const tensors = new Map<string, Tensor>();
  let end = 0;
  for (const [name, about = null] of Object.entries(header).filter(([name]) => name !== "__metadata__").sort(byOffset)) {
    const place = placeOf(about);
    if (place === undefined) return `tensor ${name} is not a tensor of 32-bit floats`;
    const { shape, from, until } = place;
    const count = shape.reduce((product, side) => product * side, 1);
    if (from !== end || until - from !== count * FLOAT_BYTES || start + until > bytes.length) {
      return `tensor ${name} has another offset or size than its shape requires`;
    }
    const values = new Float64Array(count);
    for (let at = 0; at < count; at++) values[at] = view.getFloat32(start + from + at * FLOAT_BYTES, true);
    tensors.set(name, { shape, values });
    end = until;
  }
  return start + end === bytes.length ? tensors : "it is longer than its tensors";
}

function byOffset([, left]: readonly [string, Json | undefined], [, right]: readonly [string, Json | undefined]): number {
  return (placeOf(left ?? null)?.from ?? 0) - (placeOf(right ?? null)?.from ?? 0);
}

function placeOf(
  about: Json,
): { readonly shape: readonly number[]; readonly from: number; readonly until: number } | undefined {
  if (!isObject(about) || about["dtype"] !== "F32") return undefined;
  const { shape, data_offsets: offsets } = about;
  if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) return undefined;
  const [from = 0, until = 0] = offsets;
  return { shape, from, until };
}

function isCounts(value: Json | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && Number(each) >= 0);
}

/** The bytes of a file with some tensors, in their order. Numbers are rounded to 32 bits. */
export function writeTensors(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  const header: Record<string, Json> = {};
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    const until = end + values.length * FLOAT_BYTES;
    header[name] = { dtype: "F32", shape, data_offsets: [end, until] };
    end = until;
  }
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const bytes = new Uint8Array(8 + head.length + end);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, head.length, true);
  bytes.set(head, 8);
  let at = 8 + head.length;
  for (const { values } of tensors.values()) {
    for (const value of values) {
      view.setFloat32(at, value, true);
      at += FLOAT_BYTES;
    }
  }
  return bytes;
}
