/**
 * A map whose entries come and go with every message.
 *
 * Why not a `Map`: when its table is full of deleted entries, JavaScriptCore replaces it, and the former table refers to the new one. As soon as
 * one of them has become old, all later ones and what was in them survive every collection of young objects. With the pending actions in a
 * `Map` such a collection visited 3.5 MB instead of 0.4, and a trip took a tenth more.
 * Invariant: it answers as a `Map` does, except that it must not be changed while it is iterated.
 */
export class TransientMap<Key, Of> {
  #map = new Map<Key, Of>();
  /** From this map. */
  #deleted = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: Key): Of | undefined {
    return this.#map.get(key);
  }

  has(key: Key): boolean {
    return this.#map.has(key);
  }

  set(key: Key, value: Of): void {
    this.#map.set(key, value);
  }

  /** True if there was an entry. */
  delete(key: Key): boolean {
    if (!this.#map.delete(key)) return false;
    if (++this.#deleted > DELETED_MAX && this.#deleted > this.#map.size / 2) this.#replace(new Map(this.#map));
    return true;
  }

  values(): Iterable<Of> {
    return this.#map.values();
  }

  clear(): void {
    this.#replace(new Map());
  }

  #replace(map: Map<Key, Of>): void {
    this.#map = map;
    this.#deleted = 0;
  }
}

/** Entries that are deleted from a small map before it is replaced. */
const DELETED_MAX = 32;
