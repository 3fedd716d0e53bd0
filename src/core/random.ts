/**
 * Seeded pseudo-random numbers: the same seed gives the same numbers on every runtime. Not for secrets.
 *
 * The generator is mulberry32. It uses 32-bit integer arithmetic only, so the runtimes cannot differ in the last bit. Simulation hashes,
 * training runs and the standalone decider depend on the sequence of a seed: do not change it.
 */

/** Returns a generator of numbers from 0 up to, not including, 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Shuffles a list in place. */
export function shuffle<Item>(items: Item[], random: () => number): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [items[at], items[other]] = [items[other] as Item, items[at] as Item]; // Why the casts: both indexes are within the list.
  }
}
