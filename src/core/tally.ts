/**
 * How many messages of each kind have passed, for whoever measures.
 *
 * Invariant: as many counts as there are kinds in our own words; what peers make up is counted as `other` by whoever counts.
 */

/** Whether a message came to the relay or left it. */
export type Way = "in" | "out";

/** One count. `room` is the room that counted, `who` whom it speaks with. */
export interface Count {
  readonly room: string;
  readonly who: string;
  readonly way: Way;
  readonly kind: string;
  value: number;
}

export class Tally {
  readonly #counts = new Map<string, Count>();

  add({ room, who, way, kind }: Omit<Count, "value">): void {
    const key = `${room} ${who} ${way} ${kind}`;
    const count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, { room, who, way, kind, value: 1 });
    else count.value++;
  }

  all(): Iterable<Readonly<Count>> {
    return this.#counts.values();
  }
}
