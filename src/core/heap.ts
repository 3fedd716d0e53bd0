/** A binary heap: the first by a given order is at hand, whatever is added. */
export class Heap<T> {
  readonly #places: T[] = [];
  readonly #isBefore: (left: T, right: T) => boolean;

  constructor(isBefore: (left: T, right: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#places.length;
  }

  get first(): T | undefined {
    return this.#places[0];
  }

  clear(): void {
    this.#places.length = 0;
  }

  /** Puts it where it belongs: what it comes before moves down. */
  add(item: T): void {
    const places = this.#places;
    let at = places.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = places[parent];
      if (above === undefined || !this.#isBefore(item, above)) break;
      places[at] = above;
      at = parent;
    }
    places[at] = item;
  }

  /** Takes the first away: the last one sinks from its place to where it belongs. */
  dropFirst(): void {
    const places = this.#places;
    const last = places.pop();
    if (last === undefined || places.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let least = places[child];
      const right = places[child + 1];
      if (least !== undefined && right !== undefined && this.#isBefore(right, least)) {
        least = right;
        child++;
      }
      if (least === undefined || !this.#isBefore(least, last)) break;
      places[at] = least;
      at = child;
    }
    places[at] = last;
  }
}
