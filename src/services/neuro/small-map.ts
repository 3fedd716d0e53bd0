/**
 * A map that nearly always holds one entry. It creates a `Map` only for the second one.
 *
 * Why not a `Map`: an empty or small one takes about 250 bytes, and each game has several. With 10,000 games of one action each the
 * service takes 2.76 kB a game instead of 3.58 kB; the cost of an action's trip is the same.
 * Invariant: it answers and iterates as a `Map` does.
 */
export class SmallMap<Key extends string | object, Of> {
  #key: Key | undefined;
  #only: Of | undefined;
  #all: Map<Key, Of> | undefined;

  get size(): number {
    return this.#all?.size ?? (this.#key === undefined ? 0 : 1);
  }

  /**
   * The only value; undefined if there is none, or if there ever were several. Why no getter: for each getter of a class JavaScriptCore makes
   * its objects 8 bytes larger.
   */
  only(): Of | undefined {
    return this.#all === undefined ? this.#only : undefined;
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
      this.#all = new Map([[this.#key, this.#only as Of], [key, value]]); // Why the cast: it is set together with its key.
      this.#put(undefined, undefined);
    }
  }

  delete(key: Key): void {
    if (this.#all !== undefined) this.#all.delete(key);
    else if (this.#key === key) this.#put(undefined, undefined);
  }

  keys(): Iterable<Key> {
    return this.#all?.keys() ?? (this.#key === undefined ? [] : [this.#key]);
  }

  values(): Iterable<Of> {
    return this.#all?.values() ?? (this.#key === undefined ? [] : [this.#only as Of]); // Why the cast: as above.
  }

  #put(key: Key | undefined, value: Of | undefined): void {
    this.#key = key;
    this.#only = value;
  }
}
