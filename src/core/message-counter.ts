/**
 * How many messages of each kind have passed, for whoever measures.
 *
 * Invariant: as many counts as there are kinds in our own words; what peers make up is counted as `other` by whoever counts.
 */

/** Whether a message came to the relay or left it. */
export type Direction = "in" | "out";

/** One count. `room` is the room that counted, `who` whom it speaks with. */
export interface MessageCount {
  readonly service: string;
  readonly counterpart: string;
  readonly direction: Direction;
  readonly kind: string;
  value: number;
}

type Kinds = Map<string, MessageCount>;
type Rooms = Map<string, Map<string, Kinds>>;

export class MessageCounter {
  // Why a map for each part of the key: to put one together takes longer than to look up three.
  readonly #rooms: Readonly<Record<Direction, Rooms>> = { in: new Map(), out: new Map() };
  readonly #counts: MessageCount[] = [];

  add({ service, counterpart, direction, kind }: Omit<MessageCount, "value">): void {
    const kinds = within(within(this.#rooms[direction], service), counterpart);
    const count = kinds.get(kind);
    if (count === undefined) kinds.set(kind, this.#begin({ service, counterpart, direction, kind, value: 1 }));
    else count.value++;
  }

  all(): Iterable<Readonly<MessageCount>> {
    return this.#counts;
  }

  #begin(count: MessageCount): MessageCount {
    this.#counts.push(count);
    return count;
  }
}

/** The map of that name, made where there is none. */
function within<Of>(maps: Map<string, Map<string, Of>>, name: string): Map<string, Of> {
  const known = maps.get(name);
  if (known !== undefined) return known;
  const made = new Map<string, Of>();
  maps.set(name, made);
  return made;
}
