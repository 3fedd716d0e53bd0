/**
 * Since when which integration is there.
 *
 * Invariant: as many are remembered as there are; how many of them are shown one by one is the reader's to say.
 */
import type { Millis } from "../core/ids.ts";

export type IntegrationDoor = "intermediary" | "neuro";

/** One that is there. */
export interface Present {
  readonly listener: IntegrationDoor;
  readonly name: string;
  readonly since: Millis;
}

export class Presence {
  readonly #since: Readonly<Record<IntegrationDoor, Map<string, Millis>>> = { intermediary: new Map(), neuro: new Map() };

  came(listener: IntegrationDoor, name: string, since: Millis): void {
    this.#since[listener].set(name, since);
  }

  left(listener: IntegrationDoor, name: string): void {
    this.#since[listener].delete(name);
  }

  /** Whoever is there longest comes first. */
  all(): Iterable<Present> {
    const present = [...this.#at("intermediary"), ...this.#at("neuro")];
    return present.sort((one, other) => one.since - other.since);
  }

  count(listener: IntegrationDoor): number {
    return this.#since[listener].size;
  }

  #at(listener: IntegrationDoor): Present[] {
    return [...this.#since[listener]].map(([name, since]) => ({ listener: listener, name, since }));
  }
}
