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
  readonly #since: Readonly<Record<IntegrationDoor, Map<string, Millis>>> = { intermediary: new Map(), neuro: new Map() };

  came(door: IntegrationDoor, name: string, since: Millis): void {
    this.#since[door].set(name, since);
  }

  left(door: IntegrationDoor, name: string): void {
    this.#since[door].delete(name);
  }

  /** Whoever is there longest comes first. */
  all(): Iterable<Present> {
    const present = [...this.#at("intermediary"), ...this.#at("neuro")];
    return present.sort((one, other) => one.since - other.since);
  }

  count(door: IntegrationDoor): number {
    return this.#since[door].size;
  }

  #at(door: IntegrationDoor): Present[] {
    return [...this.#since[door]].map(([name, since]) => ({ door, name, since }));
  }
}
