/**
 * A table that nearly always holds one thing. A `Map` with one takes a quarter of a kilobyte, and ten thousand games have several
 * of these each: here one is made only for the second thing.
 *
 * Invariant: it answers, and is gone through, as a `Map` is.
 */
export class Few<Key extends string | object, Of> {
  #key: Key | undefined;
  #only: Of | undefined;
  #all: Map<Key, Of> | undefined;

  get size(): number {
    return this.#all?.size ?? (this.#key === undefined ? 0 : 1);
  }

  get(key: Key): Of | undefined {
    if (this.#all !== undefined) return this.#all.get(key);
    return this.#key === key ? this.#only : undefined;
  }

  has(key: Key): boolean {
    return this.#all?.has(key) ?? this.#key === key;
  }

  set(key: Key, value: Of): void {
    if (this.#all !== undefined) this.#all.set(key, value);
    else if (this.#key === undefined || this.#key === key) this.#put(key, value);
    else {
      this.#all = new Map([...this.#entries(), [key, value]]);
      this.#put(undefined, undefined);
    }
  }

  delete(key: Key): void {
    if (this.#all !== undefined) this.#all.delete(key);
    else if (this.#key === key) this.#put(undefined, undefined);
  }

  keys(): Iterable<Key> {
    return this.#all?.keys() ?? this.#entries().map(([key]) => key);
  }

  values(): Iterable<Of> {
    return this.#all?.values() ?? this.#entries().map(([, value]) => value);
  }

  #put(key: Key | undefined, value: Of | undefined): void {
    this.#key = key;
    this.#only = value;
  }

  /** While there is no map. */
  #entries(): (readonly [Key, Of])[] {
    return this.#key === undefined ? [] : [[this.#key, this.#only as Of]]; // Why: it was put together with its key.
  }
}
