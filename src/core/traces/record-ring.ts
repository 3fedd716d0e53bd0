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

/** The places of a ring without records. Why shared: most integrations have none. Nothing is written into it. */
const NO_PLACES: never[] = [];
/** Places of a ring at first. A power of two, and so is any later number. */
const PLACES_MIN = 16;

export class RecordRing<Item extends RingRecord> {
  readonly #budget: RingBudget;
  #records: (Item | undefined)[] = NO_PLACES;
  /** The bytes of each record. Why not read from the record: one that is dropped has long left the processor's cache. */
  #sizes: number[] = NO_PLACES;
  /** Numbers of the oldest record, and of the next one. The place is the number without its high bits. */
  #oldest = 0;
  #next = 0;
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
    const items: Item[] = [];
    for (let at = this.#oldest; at < this.#next; at++) {
      const item = this.#records[at & (this.#records.length - 1)];
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  /** Adds the newest record, and drops the oldest ones beyond the limits. */
  add(record: Item): void {
    const budget = this.#budget;
    if (budget.count === 0) return;
    if (this.#next === this.#oldest) budget.add(this);
    if (this.#next - this.#oldest === this.#records.length) this.#grow();
    const place = this.#next & (this.#records.length - 1);
    const { bytes } = record;
    this.#records[place] = record;
    this.#sizes[place] = bytes;
    this.#next++;
    const before = this.#bytes;
    this.#bytes = before + bytes;
    if (this.#next - this.#oldest > budget.count || this.#bytes > budget.ringBytesMax) this.#dropOldest();
    // Why: in the long run nearly each record replaces one of the same size.
    if (this.#bytes !== before) budget.charge(this.#bytes - before);
  }

  /** Drops the oldest records beyond the limits. */
  trim(): void {
    const before = this.#bytes;
    this.#dropOldest();
    this.#budget.retained.release(before - this.#bytes);
  }

  /** Drops everything: the owner of the ring is gone. */
  clear(): void {
    this.#budget.retained.release(this.#bytes);
    this.#budget.remove(this);
    [this.#records, this.#sizes] = [NO_PLACES, NO_PLACES];
    [this.#oldest, this.#next, this.#bytes] = [0, 0, 0];
  }

  #dropOldest(): void {
    const { count, ringBytesMax } = this.#budget;
    const mask = this.#records.length - 1;
    while (this.#next > this.#oldest && (this.#next - this.#oldest > count || this.#bytes > ringBytesMax)) {
      const place = this.#oldest++ & mask;
      this.#bytes -= this.#sizes[place] ?? 0;
      this.#records[place] = undefined;
    }
    if (this.#next === this.#oldest) this.#budget.remove(this);
  }

  #grow(): void {
    const items = this.items();
    const sizes = items.map(({ bytes }) => bytes);
    const free = Math.max(PLACES_MIN, items.length * 2) - items.length;
    this.#records = [...items, ...Array.from({ length: free }, () => undefined)];
    this.#sizes = [...sizes, ...Array.from({ length: free }, () => 0)];
    [this.#oldest, this.#next] = [0, items.length];
  }
}
