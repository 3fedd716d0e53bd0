/** Games that are connected to the game port, counted by name from the observations of other services. */
import type { Observation } from "../../../core/observation.ts";

export class GamePresence {
  readonly #connections = new Map<string, number>();

  /** Counts a game that connected or disconnected. At most `namesMax` names are counted. */
  observe(observation: Observation, namesMax: number): void {
    if (observation.is === "integration_connected_via_backend") this.#add(observation.name, 1, namesMax);
    if (observation.is === "integration_disconnected_via_backend") this.#add(observation.name, -1, namesMax);
  }

  has(name: string): boolean {
    return this.#connections.has(name);
  }

  names(): IterableIterator<string> {
    return this.#connections.keys();
  }

  #add(name: string, difference: 1 | -1, namesMax: number): void {
    const count = (this.#connections.get(name) ?? 0) + difference;
    const hasRoom = this.#connections.has(name) || this.#connections.size < namesMax;
    if (count > 0 && hasRoom) this.#connections.set(name, count);
    else this.#connections.delete(name);
  }
}
