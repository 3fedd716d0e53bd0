/**
 * Rings of records, one for each owner, with one budget.
 *
 * Invariants: RR1 a ring has at most `count` records and `ringBytes`, and drops its oldest ones first, so that a noisy owner evicts only
 * its own; RR2 all rings together keep at most `totalBytes`, of which each ring with records may occupy an equal part; RR3 every record is
 * charged to the account of the budget while it is kept.
 */
import { RetainedBytes } from "../retained-bytes.ts";

/** A record. `bytes`: what its account is charged for it. */
export interface RingRecord {
  readonly bytes: number;
}

export interface RingLimits {
  /** Records of one ring. 0: nothing is kept. */
  readonly count: number;
  readonly ringBytes: number;
  readonly totalBytes: number;
}

/** A ring as its budget sees it. */
interface TrimmedRing {
  trim(): void;
}

export class RingBudget {
  readonly retained: RetainedBytes;
  /** The rings that have records. */
  readonly #rings = new Set<TrimmedRing>();
  #limits: RingLimits;
  /** Records, and bytes, of one ring now. Why kept: they are needed for each record, and change seldom. */
  count = 0;
  ringBytesMax = 0;

  constructor(owner: RetainedBytes, limits: RingLimits) {
    this.retained = new RetainedBytes(owner);
    this.#limits = limits;
    this.#divide();
  }

  /** Applies new limits at once. */
  configure(limits: RingLimits): void {
    this.#limits = limits;
    this.#divide();
    for (const ring of this.#rings) ring.trim();
  }

  add(ring: TrimmedRing): void {
    this.#rings.add(ring);
    this.#divide();
  }

  remove(ring: TrimmedRing): void {
    if (this.#rings.delete(ring)) this.#divide();
  }

  /** Counts what a ring has grown by. After a new ring got a part, the others may have too much. */
  charge(bytes: number): void {
    this.retained.charge(bytes);
    if (this.retained.bytes > this.#limits.totalBytes) { for (const ring of this.#rings) ring.trim(); }
  }

  #divide(): void {
    const { count, ringBytes, totalBytes } = this.#limits;
    this.count = count;
    this.ringBytesMax = Math.min(ringBytes, totalBytes / Math.max(1, this.#rings.size));
  }
}

export class RecordRing<Item extends RingRecord> {
  readonly #budget: RingBudget;
  /** The records begin at `#first`. */
  #items: (Item | undefined)[] = [];
  #first = 0;
  #bytes = 0;

  constructor(budget: RingBudget) {
    this.#budget = budget;
  }

  /** Records are kept. Why: where none are, none has to be made. */
  get isOn(): boolean {
    return this.#budget.count > 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The records, the oldest first. */
  items(): Item[] {
    return this.#items.slice(this.#first).filter((item) => item !== undefined);
  }

  /** Adds the newest record, and drops the oldest ones beyond the limits. */
  add(record: Item): void {
    if (!this.isOn) return;
    if (this.#items.length === this.#first) this.#budget.add(this);
    this.#items.push(record);
    this.#bytes += record.bytes;
    const change = record.bytes - this.#dropOldest();
    // Why: in the long run nearly each record replaces one of the same size.
    if (change !== 0) this.#budget.charge(change);
  }

  /** Drops the oldest records beyond the limits. */
  trim(): void {
    this.#budget.retained.release(this.#dropOldest());
  }

  /** Drops everything: the owner of the ring is gone. */
  clear(): void {
    this.#budget.retained.release(this.#bytes);
    this.#budget.remove(this);
    [this.#items, this.#first, this.#bytes] = [[], 0, 0];
  }

  /** Returns the bytes of the dropped records. */
  #dropOldest(): number {
    const { count, ringBytesMax } = this.#budget;
    const before = this.#bytes;
    while (this.#items.length - this.#first > count || this.#bytes > ringBytesMax) {
      this.#bytes -= this.#items[this.#first]?.bytes ?? 0;
      this.#items[this.#first++] = undefined;
    }
    if (this.#first === this.#items.length) this.#budget.remove(this);
    // Why not at once: moving all records for each one that is dropped would cost more than everything else here.
    if (this.#first > 64 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return before - this.#bytes;
  }
}
