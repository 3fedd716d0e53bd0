/**
 * Counts messages by kind, for the metrics.
 *
 * Invariant: the number of counts is bounded, because kinds are the relay's own words; callers count unknown kinds as `other`.
 */

/** Whether a message was received or sent. */
export type MessageDirection = "in" | "out";

/** One count: the number of messages of one kind that one service exchanged with one type of peer. */
export interface MessageCount {
  readonly service: string;
  readonly counterpart: string;
  readonly direction: MessageDirection;
  readonly kind: string;
  value: number;
}

type Kinds = Map<string, MessageCount>;
type Services = Map<string, Map<string, Kinds>>;

export class MessageCounter {
  // Why nested maps: building a combined key takes longer than three lookups.
  readonly #services: Readonly<Record<MessageDirection, Services>> = { in: new Map(), out: new Map() };
  readonly #counts: MessageCount[] = [];

  add({ service, counterpart, direction, kind }: Omit<MessageCount, "value">): void {
    const kinds = within(within(this.#services[direction], service), counterpart);
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

/** The map of that name, created if it is missing. */
function within<Of>(maps: Map<string, Map<string, Of>>, name: string): Map<string, Of> {
  const known = maps.get(name);
  if (known !== undefined) return known;
  const made = new Map<string, Of>();
  maps.set(name, made);
  return made;
}
