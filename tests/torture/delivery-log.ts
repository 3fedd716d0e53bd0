/**
 * Compares the replies to commands with what arrived, and finds violations: lost commands, wrong order, and repeats without
 * `redelivered`.
 */

export interface DeliveryCounts {
  readonly queued: number;
  readonly sent: number;
  readonly refused: number;
  /** Refused, but arrived: must be 0. */
  readonly refusedAndArrived: number;
  /** The number of different commands that arrived. */
  readonly delivered: number;
  /** The number of different commands that became dead letters. */
  readonly dead: number;
  /** Dead letters of a command that has another one: must be 0. */
  readonly deadTwice: number;
  /** Answered `queued`, and neither arrived nor became a dead letter: must be 0. */
  readonly lost: number;
  /** Answered `sent`, and never arrived: a kill may lose the content of a socket's buffer. */
  readonly sentAndLost: number;
  /** Arrived for the first time after a later one of the same recipient: must be 0. */
  readonly outOfOrder: number;
  readonly flagged: number;
  /** Arrived again without `redelivered`: must be 0. */
  readonly unflagged: number;
}

interface Recipient {
  last: number;
  readonly seen: Set<number>;
}

export class DeliveryLog {
  readonly #queued = new Set<number>();
  readonly #sent = new Set<number>();
  readonly #recipients = new Map<string, Recipient>();
  readonly #refused = new Set<number>();
  readonly #dead = new Set<number>();
  #deadTwice = 0;
  #outOfOrder = 0;
  #flagged = 0;
  #unflagged = 0;
  #next = 0;

  /** The number of the next command. */
  next(): number {
    return this.#next++;
  }

  answered(number: number, status: unknown): void {
    if (status === "queued") this.#queued.add(number);
    else if (status === "sent") this.#sent.add(number);
    else this.#refused.add(number);
  }

  arrived(recipient: string, number: number, isRepeat: boolean): void {
    let known = this.#recipients.get(recipient);
    if (known === undefined) this.#recipients.set(recipient, known = { last: -1, seen: new Set() });
    if (!known.seen.has(number)) {
      if (number < known.last) this.#outOfOrder++;
      known.last = Math.max(known.last, number);
      known.seen.add(number);
    } else if (isRepeat) this.#flagged++;
    else this.#unflagged++;
  }

  /** A dead letter has the command. */
  died(number: number): void {
    if (this.#dead.has(number)) this.#deadTwice++;
    this.#dead.add(number);
  }

  /** The counts so far. */
  get counts(): DeliveryCounts {
    const seen = new Set([...this.#recipients.values()].flatMap((recipient) => [...recipient.seen]));
    const missing = (promised: ReadonlySet<number>): number => [...promised].filter((number) => !seen.has(number)).length;
    return {
      queued: this.#queued.size,
      sent: this.#sent.size,
      refused: this.#refused.size,
      refusedAndArrived: this.#refused.size - missing(this.#refused),
      delivered: seen.size,
      dead: this.#dead.size,
      deadTwice: this.#deadTwice,
      lost: missing(this.#queued.difference(this.#dead)),
      sentAndLost: missing(this.#sent),
      outOfOrder: this.#outOfOrder,
      flagged: this.#flagged,
      unflagged: this.#unflagged,
    };
  }
}

/** The violations in the counts, in words. */
export function violationsIn(counts: DeliveryCounts): readonly string[] {
  const { lost, refusedAndArrived, outOfOrder, unflagged, deadTwice } = counts;
  const found: string[] = [];
  if (lost > 0) found.push(`${lost} were answered queued and never arrived`);
  if (deadTwice > 0) found.push(`${deadTwice} are dead letters twice`);
  if (refusedAndArrived > 0) found.push(`${refusedAndArrived} were refused and arrived`);
  if (outOfOrder > 0) found.push(`${outOfOrder} arrived after a later one`);
  if (unflagged > 0) found.push(`${unflagged} arrived again without redelivered`);
  return found;
}
