/** The last values of named numbers, for sparklines. Values arrive with each refresh; the relay keeps no history of them. */

/** Values that are kept of each name. */
const LENGTH_MAX = 60;

export class ValueHistory {
  readonly #values = new Map<string, readonly number[]>();

  record(name: string, value: number): void {
    this.#values.set(name, [...this.of(name), value].slice(-LENGTH_MAX));
  }

  /** The values of one name, the oldest first. */
  of(name: string): readonly number[] {
    return this.#values.get(name) ?? [];
  }

  clear(): void {
    this.#values.clear();
  }
}
