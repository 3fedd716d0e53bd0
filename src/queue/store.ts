/**
 * The stored part of a queue: its recipients with their entries, the sums and limits, and the expiry of each entry.
 *
 * Invariants: S1 a key is written once; an entry that has to be written again gets another expiry, and so another key; S2 the sums
 * count the entries that are stored or being written; S3 an entry that is no longer tracked is deleted from the store, except by
 * `untrack`: foreign and unreadable entries stay there for a person to inspect.
 * Knows nothing of: when an entry is sent.
 */
import { assertNever } from "../core/assert.ts";
import type { StepContext } from "../core/context.ts";
import { Deadlines, earlier } from "../core/deadlines.ts";
import type { Key, Millis } from "../core/ids.ts";
import { segmentAt } from "../core/key.ts";
import type { CommandEnd } from "../core/traces/trace.ts";
import type { ServiceName } from "../core/service.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { CommandTraces } from "./command-traces.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { LoadHealth } from "./loader.ts";
import { compareIds, type DeadLetterReason, entryKey, entryValue, type QueueEntry, readEntryKey } from "./entry.ts";
import {
  type EntryLocation,
  type RecipientQueue,
  RecipientQueues,
  removeInFlight,
  removeWaiting,
} from "./recipient-queue.ts";

/** The owner of a key in the part of the store that belongs to a queue. */
export type QueueKeyOwner = "queue" | "dead";

/** Foreign keys that are reported at a restart. If there are more, they are alike. */
const QUARANTINE_REPORTS_MAX = 100;

export class QueueStore {
  readonly recipients: RecipientQueues = new RecipientQueues();
  readonly deadLetters: DeadLetters;
  readonly health: LoadHealth = { successes: 0 };
  readonly #service: ServiceName;
  readonly #traces: CommandTraces;
  /** When each stored entry expires, by its id. */
  readonly #expiry = new Deadlines();
  /** The entries in `#expiry`, by their ids. */
  readonly #expiring = new Map<string, EntryLocation>();
  readonly #writes = new Map<Key, EntryLocation>();
  /** Keys to report with the first tick after a restart. */
  readonly #foreign: Key[] = [];
  #settings: QueueSettings;

  constructor(service: ServiceName, settings: QueueSettings, traces: CommandTraces) {
    this.#service = service;
    this.#traces = traces;
    this.#settings = settings;
    this.deadLetters = new DeadLetters(service, settings, this.health);
  }

  configure(settings: QueueSettings): void {
    this.#settings = settings;
    this.deadLetters.settings = settings;
  }

  /** Number of writes that have not ended. */
  get writing(): number {
    return this.#writes.size;
  }

  /** Adds the keys that an earlier process stored under `<service>/queue/` and `<service>/dead/`, and ignores other keys. */
  restore(keys: readonly Key[]): void {
    const sortedBelow = (kind: QueueKeyOwner) =>
      keys.filter((key) => segmentAt(key, 1) === kind)
        .map((key) => ({ key, id: readEntryKey(key)?.head.id ?? "" }))
        .sort((one, other) => compareIds(one.id, other.id) || (one.key < other.key ? -1 : 1))
        .map(({ key }) => key);
    this.deadLetters.restore(sortedBelow("dead"));
    for (const key of sortedBelow("queue")) {
      const location = this.recipients.restore(key, this.#settings.ttl);
      if (location === undefined) this.#foreign.push(key);
      else this.#setExpiry(location);
    }
    for (const recipient of this.recipients.all()) {
      for (const entry of recipient.waiting.values()) {
        const letter = this.deadLetters.get(entry.id);
        if (letter === undefined) continue;
        this.untrack(recipient, entry);
        this.deadLetters.verifyRestored(letter, { entry, recipient: recipient.segment, name: recipient.name });
      }
      this.recipients.dropIfEmpty(recipient);
    }
  }

  /** Writes an entry that is only in memory. */
  write(recipient: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    entry.key = entryKey({ service: this.#service, is: "queue", recipient: recipient.segment }, entry);
    entry.storage = "writing";
    this.recipients.count(recipient, entry, 1);
    const location = { recipient, entry };
    this.#setExpiry(location);
    this.#writes.set(entry.key, location);
    ctx.emit({ do: "put", key: entry.key, value: entryValue(entry) });
  }

  /** A write ended. Returns the location of its entry, or undefined if the entry is no longer tracked. */
  writeEnded(key: Key, isStored: boolean, ctx: StepContext): EntryLocation | undefined {
    const location = this.#writes.get(key);
    if (location === undefined) return undefined;
    this.#writes.delete(key);
    const { recipient, entry } = location;
    if (recipient.waiting.get(entry.id) !== entry && recipient.inFlight.get(entry.id) !== entry) return undefined;
    if (isStored) this.#stored(recipient, entry, ctx);
    else this.#storeFailed(recipient, entry, ctx);
    return location;
  }

  #stored(recipient: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    this.health.successes++;
    entry.storage = "stored";
    if (recipient.socket === undefined) entry.body = undefined;
    const { id, kind } = entry;
    ctx.observe({ is: "message_queued", to: recipient.name, id, kind, depth: recipient.storedEntries });
  }

  /** An entry reported as `queued` is dropped, and its sender gets an error. An entry that was reported as `sent` stays in memory. */
  #storeFailed(recipient: RecipientQueue, entry: QueueEntry, ctx: StepContext): void {
    ctx.observe({ is: "queue_refused", to: recipient.name, why: "storageFailed" });
    switch (entry.promise) {
      case "queued":
        this.#traces.add(recipient, entry, { as: "dropped", why: "storageFailed" }, ctx);
        return this.untrack(recipient, entry);
      case "sent":
        this.recipients.count(recipient, entry, -1);
        entry.storage = "memory";
        entry.exp++; // Why: the key contains the expiry, and the next write of this entry needs a new key.
        return;
      default:
        return assertNever(entry.promise);
    }
  }

  #setExpiry(location: EntryLocation): void {
    const { entry: { id, exp } } = location;
    this.#expiry.set(id, exp);
    this.#expiring.set(id, location);
  }

  /** Makes room for `bytes`, following `queue.when_full`. Returns false, and drops nothing, if that does not free enough. */
  makeSpace(recipient: RecipientQueue, bytes: number, ctx: StepContext): boolean {
    const dropped = this.#entriesToDrop(recipient, bytes);
    if (dropped === undefined) return false;
    for (const oldest of dropped) {
      this.remove(recipient, oldest, { as: "dropped", why: "queueFull" }, ctx);
      ctx.observe({ is: "message_dead", to: recipient.name, id: oldest.id, why: "dropped" });
    }
    return true;
  }

  /** The entries to drop for a message of `bytes`, the oldest first. Undefined if that cannot make enough room. */
  #entriesToDrop(recipient: RecipientQueue, bytes: number): readonly QueueEntry[] | undefined {
    const { per_recipient, per_recipient_bytes, total, total_bytes, when_full } = this.#settings;
    const freed = { entries: 0, bytes: 0 };
    const fits = () =>
      recipient.storedEntries - freed.entries < per_recipient &&
      recipient.storedBytes - freed.bytes + bytes <= per_recipient_bytes &&
      this.recipients.entries - freed.entries < total && this.recipients.bytes - freed.bytes + bytes <= total_bytes;
    if (fits()) return [];
    if (when_full === "reject") return undefined;
    const dropped: QueueEntry[] = [];
    for (const oldest of recipient.waiting.values()) {
      dropped.push(oldest);
      if (oldest.storage === "memory") continue;
      freed.entries++;
      freed.bytes += oldest.bytes;
      if (fits()) return dropped;
    }
    return undefined;
  }

  /** Gives an entry up: it becomes a dead letter. */
  deadLetter({ recipient, entry }: EntryLocation, reason: DeadLetterReason, ctx: StepContext): void {
    this.#traces.add(recipient, entry, { as: "dead", why: reason }, ctx);
    this.untrack(recipient, entry);
    this.deadLetters.add({ entry, recipient: recipient.segment, name: recipient.name }, reason, ctx);
    this.recipients.dropIfEmpty(recipient);
  }

  /** Deletes an entry that was delivered or dropped. */
  remove(
    recipient: RecipientQueue,
    entry: QueueEntry,
    end: { readonly as: CommandEnd; readonly why?: string },
    ctx: StepContext,
  ): void {
    this.#traces.add(recipient, entry, end, ctx);
    this.untrack(recipient, entry);
    if (entry.storage !== "memory") ctx.emit({ do: "delete", key: entry.key });
  }

  /** Takes an entry out of all tables and sums. Its key stays in the store. */
  untrack(recipient: RecipientQueue, entry: QueueEntry): void {
    if (!removeInFlight(recipient, entry)) removeWaiting(recipient, entry);
    this.#expiry.clear(entry.id);
    this.#expiring.delete(entry.id);
    if (entry.storage !== "memory") this.recipients.count(recipient, entry, -1);
  }

  find(name: string, id: string): EntryLocation | undefined {
    const recipient = this.recipients.find(name);
    const entry = recipient?.inFlight.get(id) ?? recipient?.waiting.get(id);
    return recipient === undefined || entry === undefined ? undefined : { recipient, entry };
  }

  tick(ctx: StepContext): void {
    for (const key of this.#foreign.splice(0).slice(0, QUARANTINE_REPORTS_MAX)) {
      ctx.observe({ is: "entry_quarantined", key, why: "not a key of a queue" });
    }
    for (const id of this.#expiry.due(ctx.now)) {
      const location = this.#expiring.get(id);
      this.#expiring.delete(id);
      // Why only waiting entries: one in flight may still be acked. It is checked again when it returns.
      if (location?.recipient.waiting.get(id) !== undefined) this.deadLetter(location, "expired", ctx);
    }
    this.deadLetters.tick(ctx);
  }

  nextWakeup(): Millis | undefined {
    if (this.#foreign.length > 0) return 0;
    return earlier(this.#expiry.earliest(), this.deadLetters.nextWakeup());
  }
}
