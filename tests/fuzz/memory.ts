/** Retained bytes, after a full collection. */
export function heldBytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

/** Growth of more than this between the first part and the end counts as a leak. */
export const GROWTH_BYTES_MAX: number = 16 * 1_048_576;
