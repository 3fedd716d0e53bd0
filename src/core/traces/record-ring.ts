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
  readonly rings: Set<TrimmedRing> = new Set();
  #limits: RingLimits;

  constructor(owner: RetainedBytes, limits: RingLimits) {
    this.retained = new RetainedBytes(owner);
    this.#limits = limits;
  }

  get limits(): RingLimits {
    return this.#limits;
  }

  /** What one ring may occupy. */
  get ringBytesMax(): number {
    const { ringBytes, totalBytes } = this.#limits;
    return Math.min(ringBytes, totalBytes / Math.max(1, this.rings.size));
  }

  /** Applies new limits at once. */
  configure(limits: RingLimits): void {
    this.#limits = limits;
    for (const ring of this.rings) ring.trim();
  }

  /** Trims all rings, if they are too large together. Why not for each record: that is so only after a ring got its first one. */
  trimAll(): void {
    if (this.retained.bytes > this.#limits.totalBytes) { for (const ring of this.rings) ring.trim(); }
  }
}

export class RecordRing<Item extends RingRecord> {
  readonly #budget: RingBudget;
  /** The records begin at `#first`. */
  #items: Item[] = [];
  #first = 0;
  #bytes = 0;

  constructor(budget: RingBudget) {
    this.#budget = budget;
  }

  /** Records are kept. Why: where none are, none has to be made. */
  get isOn(): boolean {
    return this.#budget.limits.count > 0;
  }

  get size(): number {
    return this.#items.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the newest record, and drops the oldest ones beyond the limits. */
  add(record: Item): void {
    if (!this.isOn) return;
    this.#items.push(record);
    this.#bytes += record.bytes;
    this.#budget.retained.charge(record.bytes);
    if (this.size === 1) this.#budget.rings.add(this);
    this.trim();
    this.#budget.trimAll();
  }

  /** Drops the oldest records beyond the limits. */
  trim(): void {
    const { retained, limits: { count }, ringBytesMax } = this.#budget;
    while (this.size > count || this.#bytes > ringBytesMax) {
      const bytes = this.#items[this.#first]?.bytes;
      if (bytes === undefined) break;
      this.#bytes -= bytes;
      retained.release(bytes);
      this.#first++;
    }
    // Why not at once: moving all items for each one that is dropped would cost more than everything else here.
    if (this.#first > this.size) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    if (this.size === 0) this.#budget.rings.delete(this);
  }

  /** Drops everything: the owner of the ring is gone. */
  clear(): void {
    this.#budget.retained.release(this.#bytes);
    this.#budget.rings.delete(this);
    [this.#items, this.#first, this.#bytes] = [[], 0, 0];
  }

  /** The records, the oldest first. */
  items(): Item[] {
    return this.#items.slice(this.#first);
  }
}
