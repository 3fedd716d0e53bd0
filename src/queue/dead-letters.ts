/**
 * Dead letters: entries of a queue that were given up, kept with the reason until a person has looked at them.
 *
 * ```
 *   entry -> reading its body -> writing the letter -> verifying: reading the letter back -> dead letter, entry deleted
 *                 ^                   | failed              | torn or missing
 *                 +-------------------+---------------------+
 * ```
 *
 * Invariants: D1 the key of an entry is deleted only after its dead letter has been read back, by `#complete` alone; D2 an entry that is stored in
 * both places after a crash is a dead letter, or becomes one again if the letter is torn; D3 there are at most `queue.dead_letters`
 * letters with at most `queue.total_bytes`, and the oldest are dropped first; D4 bodies are not kept in memory; D5 an entry is listed from the moment it is given up.
 */
import { assertNever } from "../core/assert.ts";
import type { StepContext } from "../core/context.ts";
import { Deadlines, earlier } from "../core/deadlines.ts";
import type { StoreEvent } from "../core/event.ts";
import type { Key, LoadToken, Millis } from "../core/ids.ts";
import type { ServiceName } from "../core/service.ts";
import type { QueueSettings } from "../core/settings.ts";
import {
  bodyOf,
  bytesOf,
  type DeadLetterReason,
  type EntryHead,
  entryKey,
  type QueueEntry,
  readEntryKey,
} from "./entry.ts";
import { EntryLoader, type LoadHealth } from "./loader.ts";

export interface DeadLetter extends EntryHead {
  readonly key: Key;
  /** The recipient's name as a segment of keys. */
  readonly recipient: string;
  readonly reason: DeadLetterReason;
}

/** An entry that becomes a dead letter. */
interface GivenUpEntry {
  readonly entry: QueueEntry;
  readonly recipient: string;
  readonly name: string;
}

interface PendingDeadLetter extends GivenUpEntry {
  readonly reason: DeadLetterReason;
  readonly givenUpAt: Millis;
  phase: DeadLetterPhase;
}

type DeadLetterPhase =
  | { readonly is: "reading" }
  | { readonly is: "writing"; readonly letter: DeadLetter }
  | { readonly is: "verifying"; readonly letter: DeadLetter }
  /** A failed write, which is repeated after `queue.retry`. */
  | { readonly is: "waiting" };

export class DeadLetters {
  settings: QueueSettings;
  readonly #service: ServiceName;
  readonly #letters = new Map<string, DeadLetter>();
  /** Bytes of the letters. */
  #bytes = 0;
  readonly #expiry = new Deadlines();
  readonly #pending = new Map<string, PendingDeadLetter>();
  /** When the write of a pending letter is repeated, by its id. */
  readonly #retries = new Deadlines();
  /** Loads entries that are given up, and letters to verify. */
  readonly #loader: EntryLoader;
  /** The pending letter of each key that is loaded or written. */
  readonly #byKey = new Map<Key, PendingDeadLetter>();

  constructor(service: ServiceName, settings: QueueSettings, health: LoadHealth) {
    this.#service = service;
    this.settings = settings;
    this.#loader = new EntryLoader(`${service}:dead:`, health);
  }

  /** Adds the letters that an earlier process stored. Only their keys are read. */
  restore(keys: readonly Key[]): void {
    for (const key of keys) {
      const read = readEntryKey(key);
      if (read?.head.reason === undefined) continue;
      this.#insert({ ...read.head, reason: read.head.reason, key, recipient: read.recipient });
    }
  }

  /** The entry of a restored letter is still stored: the letter may be torn, so it is read back before the entry is deleted. */
  verifyRestored(letter: DeadLetter, { entry, recipient, name }: GivenUpEntry): void {
    this.#remove(letter);
    const { reason, exp: givenUpAt } = letter;
    const pending: PendingDeadLetter = { entry, recipient, name, reason, givenUpAt, phase: { is: "reading" } };
    this.#pending.set(entry.id, pending);
    this.#verify(pending, letter);
  }

  get size(): number {
    return this.#letters.size + this.#pending.size;
  }

  get(id: string): DeadLetter | undefined {
    return this.#letters.get(id);
  }

  /** True for an entry that was given up and whose letter is not stored and verified yet. */
  isPending(id: string): boolean {
    return this.#pending.has(id);
  }

  /** All letters, the oldest first, then those that are pending. */
  *all(): Iterable<Omit<DeadLetter, "key">> {
    yield* this.#letters.values();
    for (const { entry: { id, bytes, kind }, recipient, reason, givenUpAt } of this.#pending.values()) {
      yield { id, exp: givenUpAt, bytes, kind, recipient, reason };
    }
  }

  /** Stores an entry as a dead letter. The queue no longer tracks it. Its body is read first if it is not in memory. */
  add(givenUp: GivenUpEntry, reason: DeadLetterReason, ctx: StepContext): void {
    const pending: PendingDeadLetter = { ...givenUp, reason, givenUpAt: ctx.now, phase: { is: "reading" } };
    this.#pending.set(givenUp.entry.id, pending);
    this.#begin(pending, ctx);
    this.#loader.start(ctx);
  }

  drop(letter: DeadLetter, ctx: StepContext): void {
    if (this.#remove(letter)) ctx.emit({ do: "delete", key: letter.key });
  }

  /** A letter is stored. */
  stored(key: Key, ctx: StepContext): void {
    const pending = this.#byKey.get(key);
    if (pending?.phase.is !== "writing") return;
    this.#byKey.delete(key);
    const { entry, phase: { letter } } = pending;
    if (entry.storage === "memory") return this.#complete(pending, letter, ctx);
    this.#verify(pending, letter);
    this.#loader.start(ctx);
  }

  /** A letter could not be stored: the write is repeated under another key. */
  storeFailed(key: Key, ctx: StepContext): void {
    const pending = this.#byKey.get(key);
    if (pending === undefined) return;
    this.#byKey.delete(key);
    pending.phase = { is: "waiting" };
    this.#retries.set(pending.entry.id, ctx.now + this.settings.retry);
  }

  /** A load of this has ended. */
  loadEnded(event: Extract<StoreEvent, { readonly token: LoadToken }>, ctx: StepContext): void {
    const result = this.#loader.ended(event, this.settings.retry, ctx);
    if (result === undefined) return;
    for (const [key, value] of result.values) {
      const pending = this.#takeByKey(key);
      if (pending !== undefined) this.#loaded(pending, bodyOf(value, pending.entry.id), ctx);
    }
    for (const key of result.unreadable) {
      const pending = this.#takeByKey(key);
      if (pending !== undefined) this.#loaded(pending, undefined, ctx);
    }
    this.#loader.start(ctx);
  }

  tick(ctx: StepContext): void {
    for (const id of this.#expiry.due(ctx.now)) {
      const letter = this.#letters.get(id);
      if (letter !== undefined) this.drop(letter, ctx);
    }
    for (const id of this.#retries.due(ctx.now)) {
      const pending = this.#pending.get(id);
      if (pending !== undefined) this.#begin(pending, ctx);
    }
    this.#loader.start(ctx);
  }

  nextWakeup(): Millis | undefined {
    return earlier(earlier(this.#expiry.earliest(), this.#retries.earliest()), this.#loader.nextWakeup());
  }

  #remove({ id, bytes }: DeadLetter): boolean {
    if (!this.#letters.delete(id)) return false;
    this.#bytes -= bytes;
    this.#expiry.clear(id);
    return true;
  }

  #insert(letter: DeadLetter): void {
    this.#bytes += letter.bytes - (this.#letters.get(letter.id)?.bytes ?? 0);
    this.#letters.set(letter.id, letter);
    this.#expiry.set(letter.id, letter.exp + this.settings.dead_letter_ttl);
  }

  /** Writes the letter if the body is in memory; otherwise reads the body first. */
  #begin(pending: PendingDeadLetter, ctx: StepContext): void {
    const { entry } = pending;
    if (entry.body !== undefined) return this.#write(pending, entry.body, ctx);
    pending.phase = { is: "reading" };
    this.#byKey.set(entry.key, pending);
    this.#loader.want(entry.key, entry.bytes);
  }

  #write(pending: PendingDeadLetter, body: string, ctx: StepContext): void {
    const { entry, entry: { id, at, exp, kind, attempts }, recipient, name, reason } = pending;
    const head: EntryHead = { id, exp: ctx.now, bytes: bytesOf(body), kind, reason };
    const key = entryKey({ service: this.#service, is: "dead", recipient }, head);
    pending.phase = { is: "writing", letter: { ...head, reason, key, recipient } };
    // Why only a stored entry: the write of an unstored entry may still fail, and then its body is in memory only.
    if (entry.storage === "stored") entry.body = undefined;
    this.#byKey.set(key, pending);
    ctx.emit({ do: "put", key, value: { v: 1, id, at, exp, kind, attempts, why: reason, died: ctx.now, to: name, body } });
  }

  #verify(pending: PendingDeadLetter, letter: DeadLetter): void {
    pending.phase = { is: "verifying", letter };
    this.#byKey.set(letter.key, pending);
    this.#loader.want(letter.key, letter.bytes);
  }

  /** The body of an entry or of a letter was loaded; undefined if it is missing or unreadable. */
  #loaded(pending: PendingDeadLetter, body: string | undefined, ctx: StepContext): void {
    const { entry, phase } = pending;
    switch (phase.is) {
      case "reading":
        if (body !== undefined) return this.#write(pending, body, ctx);
        this.#pending.delete(entry.id);
        return ctx.observe({ is: "entry_quarantined", key: entry.key, why: "missing or unreadable" });
      case "verifying":
        if (body !== undefined) return this.#complete(pending, phase.letter, ctx);
        ctx.observe({ is: "entry_quarantined", key: phase.letter.key, why: "torn dead letter" });
        pending.phase = { is: "waiting" };
        // Why not at once: the new letter needs another key, and its key contains the time.
        return this.#retries.set(entry.id, ctx.now + 1);
      case "writing":
      case "waiting":
        return;
      default:
        return assertNever(phase);
    }
  }

  /** The letter is in the store: its entry is deleted. */
  #complete(pending: PendingDeadLetter, letter: DeadLetter, ctx: StepContext): void {
    const { entry, name, reason } = pending;
    this.#pending.delete(entry.id);
    this.#insert(letter);
    if (entry.storage !== "memory") ctx.emit({ do: "delete", key: entry.key });
    ctx.observe({ is: "message_dead", to: name, id: entry.id, why: reason });
    const { dead_letters, total_bytes } = this.settings;
    for (const oldest of this.#letters.values()) {
      if (this.#letters.size <= dead_letters && this.#bytes <= total_bytes) break;
      this.drop(oldest, ctx);
    }
  }

  #takeByKey(key: Key): PendingDeadLetter | undefined {
    const pending = this.#byKey.get(key);
    this.#byKey.delete(key);
    return pending;
  }
}
