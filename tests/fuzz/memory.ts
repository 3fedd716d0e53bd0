/** How much is held: after everything that is not has been given back. */
export function heldBytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

/** More than this, held after all inputs and not after the first part of them, is something that piles up. */
export const GROWTH_BYTES_MAX: number = 16 * 1_048_576;
