/** Games that are connected to the game port, counted by name from the observations of other services. */
import type { Observation } from "../../../core/observation.ts";

interface ConnectedGame {
  readonly slug: string | undefined;
  readonly connections: number;
}

export class ConnectedGames {
  readonly #games = new Map<string, ConnectedGame>();
  readonly #slugs = new Set<string>();

  /** Counts a game that connected or disconnected. At most `namesMax` names are counted. */
  observe(observation: Observation, namesMax: number): void {
    if (observation.is === "integration_connected_via_backend") this.#add(observation, 1, namesMax);
    if (observation.is === "integration_disconnected_via_backend") this.#add(observation, -1, namesMax);
  }

  /** True for the name or the slug of a connected game. */
  has(nameOrSlug: string): boolean {
    return this.#games.has(nameOrSlug) || this.#slugs.has(nameOrSlug);
  }

  names(): IterableIterator<string> {
    return this.#games.keys();
  }

  #add(
    { name, slug }: { readonly name: string; readonly slug?: string | undefined },
    difference: 1 | -1,
    namesMax: number,
  ): void {
    const game = this.#games.get(name);
    const connections = (game?.connections ?? 0) + difference;
    const hasCapacity = game !== undefined || this.#games.size < namesMax;
    this.#games.delete(name);
    if (game?.slug !== undefined) this.#slugs.delete(game.slug); // Why: the Neuro service gives each slug to one game.
    if (connections <= 0 || !hasCapacity) return;
    const present = { slug: slug ?? game?.slug, connections };
    this.#games.set(name, present);
    if (present.slug !== undefined) this.#slugs.add(present.slug);
  }
}
