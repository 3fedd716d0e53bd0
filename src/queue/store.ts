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
import { type DeadLetterReason, entryKey, entryValue, type QueueEntry } from "./entry.ts";
import { type RecipientQueue, RecipientQueues, removeInFlight } from "./recipient-queue.ts";
import type { ServiceName } from "../core/service.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";

/** An entry and where it is. */
export interface EntryLocation {
  readonly recipient: RecipientQueue;
  readonly entry: QueueEntry;
}

/** Foreign keys that are named; the rest are many of the same. */
const QUARANTINE_NOTES_MAX = 100;

export class QueueStore {
  readonly recipients: RecipientQueues = new RecipientQueues();
  readonly dead: DeadLetters;
  readonly #room: ServiceName;
  readonly #expiry = new Deadlines();
  readonly #writes = new Map<Key, EntryLocation>();
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
      const entry = this.recipients.restore(key, this.#settings.ttl);
      if (entry === undefined) this.#foreign.push(key);
      else this.#expiry.set(expiryOf(segmentAt(key, 2), entry), entry.exp);
    }
    for (const to of this.recipients.all()) {
      for (const entry of to.waiting.values()) {
        if (this.dead.get(entry.id) === undefined) continue;
        this.#leftovers.push(entry.key);
        this.untrack(to, entry);
      }
      this.recipients.dropIfEmpty(to);
    }
  }

  /** Writes an entry that is not on disk. */
  write(recipient: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    entry.key = entryKey({ service: this.#room, is: "queue", recipient: recipient.segment }, entry);
    entry.disk = "writing";
    this.recipients.count(recipient, entry, 1);
    this.#expiry.set(expiryOf(recipient.segment, entry), entry.exp);
    this.#writes.set(entry.key, { recipient, entry });
    ctx.emit({ do: "put", key: entry.key, value: entryValue(entry) });
  }

  /** A write ended: returns its entry where that is still wanted, else whether it was a write of this queue at all. */
  writeEnded(key: Key, isStored: boolean, ctx: StepContext): EntryLocation | boolean {
    if (isStored ? this.dead.stored(key, ctx) : this.dead.storeFailed(key)) return true;
    const write = this.#writes.get(key);
    if (write === undefined) return false;
    this.#writes.delete(key);
    const { recipient, entry } = write;
    if (recipient.waiting.get(entry.id) !== entry && recipient.inFlight.get(entry.id) !== entry) return true;
    if (isStored) this.#stored(recipient, entry, ctx);
    else this.#notStored(recipient, entry, ctx);
    return write;
  }

  #stored(to: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    entry.disk = "stored";
    if (to.socket === undefined) entry.body = undefined;
    const { id, kind } = entry;
    ctx.observe({ is: "message_queued", to: to.name, id, kind, depth: to.storedEntries });
  }

  /** What was promised `queued` is taken back, its sender is told; what was `sent` is kept in memory. */
  #notStored(to: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    ctx.observe({ is: "queue_refused", to: to.name, why: "storageFailed" });
    if (entry.promise === "queued") return this.untrack(to, entry);
    this.recipients.count(to, entry, -1);
    entry.disk = "none";
    entry.exp++; // Why: the key says when it expires, and the next attempt to write it needs a new key.
  }

  /** Makes room by the policy; false when there is none. */
  makeRoom(to: RecipientQueue, bytes: number, ctx: StepContext): boolean {
    const { per_recipient, per_recipient_bytes, total, total_bytes, when_full } = this.#settings;
    const fits = () =>
      to.storedEntries < per_recipient && to.storedBytes + bytes <= per_recipient_bytes &&
      this.recipients.entries < total && this.recipients.bytes + bytes <= total_bytes;
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
  deadLetter({ recipient, entry }: EntryLocation, reason: DeadLetterReason, ctx: StepContext): void {
    this.untrack(recipient, entry);
    this.dead.add({ entry, recipient: recipient.segment, name: recipient.name, reason }, ctx);
    this.recipients.dropIfEmpty(recipient);
  }

  /** An entry that has come to its end. */
  remove(to: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    this.untrack(to, entry);
    if (entry.disk !== "none") ctx.emit({ do: "delete", key: entry.key });
  }

  /** Takes an entry out of all books, and leaves what is on disk. */
  untrack(to: RecipientQueue, entry: QueueEntry): void {
    if (!removeInFlight(to, entry)) to.waiting.delete(entry.id);
    this.#expiry.clear(expiryOf(to.segment, entry));
    if (entry.disk !== "none") this.recipients.count(to, entry, -1);
  }

  /** An entry of a recipient. */
  find(name: string, id: string): [RecipientQueue, QueueEntry] | [undefined, undefined] {
    const to = this.recipients.find(name);
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
      const to = this.recipients.get(recipient);
      const entry = to?.waiting.get(id); // Why: one in flight may still be acked; it is looked at again when it comes back.
      if (to !== undefined && entry !== undefined) this.deadLetter({ recipient: to, entry }, "expired", ctx);
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
