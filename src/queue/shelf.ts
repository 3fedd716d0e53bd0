/**
 * What a queue has on disk: lanes of entries, their sums and bounds, their expiry, and the way of each to its end.
 *
 * Invariants: S1 a key is written once; an entry that has to be written again has another expiry, so another key; S2 the sums are
 * those of all entries that are written or being written; S3 whatever leaves the books leaves the disk, except to be read again
 * by nobody (`detach`: what was foreign or unreadable stays for a person to see).
 * Knows nothing of: when an entry is sent.
 */
import { DeadLetters } from "./dead-letters.ts";
import { Deadlines } from "../core/deadlines.ts";
import type { Key, Millis } from "../core/ids.ts";
import { segmentAt } from "../core/key.ts";
import { type DeathCause, entryKey, entryValue, type QueueEntry } from "./entry.ts";
import { land, type Lane, Lanes } from "./lane.ts";
import type { ServiceName } from "../core/service.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";

/** An entry and where it is. */
export interface Held {
  readonly to: Lane;
  readonly entry: QueueEntry;
}

/** Foreign keys that are named; the rest are many of the same. */
const QUARANTINE_NOTES_MAX = 100;

export class Shelf {
  readonly lanes: Lanes = new Lanes();
  readonly dead: DeadLetters;
  readonly #room: ServiceName;
  readonly #expiry = new Deadlines();
  readonly #writes = new Map<Key, Held>();
  readonly #leftovers: Key[] = [];
  readonly #foreign: Key[] = [];
  #settings: QueueSettings;

  constructor(service: ServiceName, settings: QueueSettings) {
    this.#room = service;
    this.#settings = settings;
    this.dead = new DeadLetters(service, settings);
  }

  configure(settings: QueueSettings): void {
    this.#settings = settings;
    this.dead.settings = settings;
  }

  get writing(): number {
    return this.#writes.size;
  }

  /** Takes in the keys that an earlier run left below `<room>/queue/` and `<room>/dead/`; others are not looked at. */
  restore(keys: readonly Key[]): void {
    const below = (kind: string) => keys.filter((key) => segmentAt(key, 1) === kind).sort();
    this.dead.restore(below("dead"));
    for (const key of below("queue")) {
      const entry = this.lanes.restore(key, this.#settings.ttl);
      if (entry === undefined) this.#foreign.push(key);
      else this.#expiry.set(expiryOf(segmentAt(key, 2), entry), entry.exp);
    }
    for (const to of this.lanes.all()) {
      for (const entry of to.waiting.values()) {
        if (this.dead.get(entry.id) === undefined) continue;
        this.#leftovers.push(entry.key);
        this.detach(to, entry);
      }
      this.lanes.forget(to);
    }
  }

  /** Writes an entry that is not on disk. */
  write(to: Lane, entry: QueueEntry, ctx: StepContext): void {
    entry.key = entryKey({ service: this.#room, is: "queue", recipient: to.recipient }, entry);
    entry.disk = "writing";
    this.lanes.count(to, entry, 1);
    this.#expiry.set(expiryOf(to.recipient, entry), entry.exp);
    this.#writes.set(entry.key, { to, entry });
    ctx.emit({ do: "put", key: entry.key, value: entryValue(entry) });
  }

  /** A write ended: returns its entry where that is still wanted, else whether it was a write of this queue at all. */
  settled(key: Key, isStored: boolean, ctx: StepContext): Held | boolean {
    if (isStored ? this.dead.stored(key, ctx) : this.dead.storeFailed(key)) return true;
    const write = this.#writes.get(key);
    if (write === undefined) return false;
    this.#writes.delete(key);
    const { to, entry } = write;
    if (to.waiting.get(entry.id) !== entry && to.inFlight.get(entry.id) !== entry) return true;
    if (isStored) this.#stored(to, entry, ctx);
    else this.#notStored(to, entry, ctx);
    return write;
  }

  #stored(to: Lane, entry: QueueEntry, ctx: StepContext): void {
    entry.disk = "stored";
    if (to.socket === undefined) entry.body = undefined;
    const { id, kind } = entry;
    ctx.observe({ is: "message_queued", to: to.name, id, kind, depth: to.entries });
  }

  /** What was promised `queued` is taken back, its sender is told; what was `sent` is kept in memory. */
  #notStored(to: Lane, entry: QueueEntry, ctx: StepContext): void {
    ctx.observe({ is: "queue_refused", to: to.name, why: "storageFailed" });
    if (entry.promise === "queued") return this.detach(to, entry);
    this.lanes.count(to, entry, -1);
    entry.disk = "none";
    entry.exp++; // Why: the key says when it expires, and the next attempt to write it needs a new key.
  }

  /** Makes room by the policy; false when there is none. */
  makeRoom(to: Lane, bytes: number, ctx: StepContext): boolean {
    const { per_recipient, per_recipient_bytes, total, total_bytes, when_full } = this.#settings;
    const fits = () =>
      to.entries < per_recipient && to.bytes + bytes <= per_recipient_bytes &&
      this.lanes.entries < total && this.lanes.bytes + bytes <= total_bytes;
    if (fits()) return true;
    if (when_full === "reject" || bytes > Math.min(per_recipient_bytes, total_bytes)) return false;
    for (const oldest of to.waiting.values()) {
      this.remove(to, oldest, ctx);
      ctx.observe({ is: "message_dead", to: to.name, id: oldest.id, why: "dropped" });
      if (fits()) return true;
    }
    return false;
  }

  /** Gives an entry up, for its cause to be looked at. */
  bury({ to, entry }: Held, why: DeathCause, ctx: StepContext): void {
    this.detach(to, entry);
    this.dead.bury({ entry, recipient: to.recipient, name: to.name, why }, ctx);
    this.lanes.forget(to);
  }

  /** An entry that has come to its end. */
  remove(to: Lane, entry: QueueEntry, ctx: StepContext): void {
    this.detach(to, entry);
    if (entry.disk !== "none") ctx.emit({ do: "delete", key: entry.key });
  }

  /** Takes an entry out of all books, and leaves what is on disk. */
  detach(to: Lane, entry: QueueEntry): void {
    if (!land(to, entry)) to.waiting.delete(entry.id);
    this.#expiry.clear(expiryOf(to.recipient, entry));
    if (entry.disk !== "none") this.lanes.count(to, entry, -1);
  }

  /** An entry of a recipient. */
  find(name: string, id: string): [Lane, QueueEntry] | [undefined, undefined] {
    const to = this.lanes.find(name);
    const entry = to?.inFlight.get(id) ?? to?.waiting.get(id);
    return to === undefined || entry === undefined ? [undefined, undefined] : [to, entry];
  }

  tick(ctx: StepContext): void {
    for (const key of this.#leftovers.splice(0)) ctx.emit({ do: "delete", key });
    for (const key of this.#foreign.splice(0).slice(0, QUARANTINE_NOTES_MAX)) {
      ctx.observe({ is: "entry_quarantined", key, why: "not a key of a queue" });
    }
    for (const due of this.#expiry.due(ctx.now)) {
      const [recipient = "", id = ""] = due.split("/");
      const to = this.lanes.get(recipient);
      const entry = to?.waiting.get(id); // Why: one in flight may still be acked; it is looked at again when it comes back.
      if (to !== undefined && entry !== undefined) this.bury({ to, entry }, "expired", ctx);
    }
    this.dead.tick(ctx);
  }

  nextWakeup(): Millis | undefined {
    if (this.#leftovers.length + this.#foreign.length > 0) return 0;
    const [own, dead] = [this.#expiry.earliest(), this.dead.nextWakeup()];
    return own === undefined || dead === undefined ? own ?? dead : Math.min(own, dead);
  }
}

const expiryOf = (recipient: string, { id }: QueueEntry): string => `${recipient}/${id}`;
