/**
 * Since when which integration is there.
 *
 * Invariant: as many are remembered as there are; how many of them are shown one by one is the reader's to say.
 */
import type { Millis } from "../core/ids.ts";

export type IntegrationDoor = "intermediary" | "neuro";

/** One that is there. */
export interface Present {
  readonly door: IntegrationDoor;
  readonly name: string;
  readonly since: Millis;
}

export class Presence {
  readonly #present = new Map<string, Present>();

  came(door: IntegrationDoor, name: string, since: Millis): void {
    this.left(door, name);
    this.#present.set(`${door} ${name}`, { door, name, since });
  }

  left(door: IntegrationDoor, name: string): void {
    this.#present.delete(`${door} ${name}`);
  }

  /** Whoever is there longest comes first. */
  all(): Iterable<Present> {
    return this.#present.values();
  }

  count(door: IntegrationDoor): number {
    let count = 0;
    for (const present of this.#present.values()) if (present.door === door) count++;
    return count;
  }
}
