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

export class MessageCounter {
  /** By kind, because few types of peers exchange messages of one kind: counting takes one look-up and a few comparisons. */
  readonly #counts = new Map<string, MessageCount[]>();

  add(service: string, counterpart: string, direction: MessageDirection, kind: string): void {
    const counts = this.#counts.get(kind) ?? this.#begin(kind);
    for (const count of counts) {
      if (count.counterpart === counterpart && count.direction === direction && count.service === service) {
        count.value++;
        return;
      }
    }
    counts.push({ service, counterpart, direction, kind, value: 1 });
  }

  *all(): Iterable<Readonly<MessageCount>> {
    for (const counts of this.#counts.values()) yield* counts;
  }

  #begin(kind: string): MessageCount[] {
    const counts: MessageCount[] = [];
    this.#counts.set(kind, counts);
    return counts;
  }
}
