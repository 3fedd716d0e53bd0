/**
 * Dead letters: entries of a queue that were given up, kept with the reason until a person has looked at them.
 *
 * Invariants: D1 the key of an entry is deleted only after its dead letter is stored; D2 an entry that is stored in both places after a
 * crash is a dead letter; D3 there are at most `queue.dead_letters` letters, and the oldest are dropped first; D4 bodies are not kept in memory.
 */
import type { StepContext } from "../core/context.ts";
import { Deadlines } from "../core/deadlines.ts";
import type { Entry } from "../core/event.ts";
import { type Key, type LoadToken, loadToken, type Millis } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { LOAD_BYTES_MAX, LOAD_ENTRIES_MAX } from "../core/limits.ts";
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

export interface DeadLetter extends EntryHead {
  readonly key: Key;
  /** The recipient's name as a segment of keys. */
  readonly recipient: string;
  readonly reason: DeadLetterReason;
}

/** An entry that is becoming a dead letter. */
interface PendingDeadLetter {
  readonly entry: QueueEntry;
  readonly recipient: string;
  readonly name: string;
  readonly reason: DeadLetterReason;
}

export class DeadLetters {
  settings: QueueSettings;
  readonly #service: ServiceName;
  readonly #letters = new Map<string, DeadLetter>();
  readonly #expiry = new Deadlines();
  /** Entries whose bodies have to be read first, by their keys. */
  readonly #toRead = new Map<Key, PendingDeadLetter>();
  /** Letters that are being written, by their keys. */
  readonly #writes = new Map<Key, { readonly pending: PendingDeadLetter; readonly letter: DeadLetter }>();
  #loading: { readonly token: LoadToken; readonly keys: readonly Key[] } | undefined;

  constructor(service: ServiceName, settings: QueueSettings) {
    this.#service = service;
    this.settings = settings;
  }

  /** Adds the letters that an earlier process stored. Only their keys are read. */
  restore(keys: readonly Key[]): void {
    for (const key of keys) {
      const read = readEntryKey(key);
      if (read?.head.reason === undefined) continue;
      this.#insert({ ...read.head, reason: read.head.reason, key, recipient: read.recipient });
    }
  }

  get size(): number {
    return this.#letters.size;
  }

  get(id: string): DeadLetter | undefined {
    return this.#letters.get(id);
  }

  /** All letters, the oldest first. */
  all(): Iterable<DeadLetter> {
    return this.#letters.values();
  }

  /** Stores an entry as a dead letter. The queue no longer tracks it. Its body is read first if it is not in memory. */
  add(pending: PendingDeadLetter, ctx: StepContext): void {
    if (pending.entry.body !== undefined) return this.#write(pending, pending.entry.body, ctx);
    this.#toRead.set(pending.entry.key, pending);
    this.#read(ctx);
  }

  drop(letter: DeadLetter, ctx: StepContext): void {
    if (!this.#letters.delete(letter.id)) return;
    this.#expiry.clear(letter.id);
    ctx.emit({ do: "delete", key: letter.key });
  }

  /** A letter is stored: its entry is deleted. */
  stored(key: Key, ctx: StepContext): void {
    const write = this.#writes.get(key);
    if (write === undefined) return;
    this.#writes.delete(key);
    const { pending: { entry, name, reason }, letter } = write;
    this.#insert(letter);
    if (entry.storage !== "memory") ctx.emit({ do: "delete", key: entry.key });
    ctx.observe({ is: "message_dead", to: name, id: entry.id, why: reason });
    for (const oldest of this.#letters.values()) {
      if (this.#letters.size <= this.settings.dead_letters) break;
      this.drop(oldest, ctx);
    }
  }

  /** A letter could not be stored: its entry stays in the store and is queued again by the next restart. */
  storeFailed(key: Key): void {
    this.#writes.delete(key);
  }

  /** True when this requested the load. */
  loaded(token: LoadToken, entries: readonly Entry[], ctx: StepContext): boolean {
    if (this.#loading?.token !== token) return false;
    const values = new Map(entries.map(({ key, value }): [Key, Json | undefined] => [key, value]));
    const { keys } = this.#loading;
    this.#loading = undefined;
    for (const key of keys) {
      const pending = this.#toRead.get(key);
      this.#toRead.delete(key);
      if (pending === undefined) continue;
      const body = bodyOf(values.get(key), pending.entry.id);
      if (body !== undefined) this.#write(pending, body, ctx);
      else ctx.observe({ is: "entry_quarantined", key, why: "missing or unreadable" });
    }
    this.#read(ctx);
    return true;
  }

  /** True when this requested the load. */
  loadFailed(token: LoadToken): boolean {
    if (this.#loading?.token !== token) return false;
    for (const key of this.#loading.keys) this.#toRead.delete(key);
    this.#loading = undefined;
    return true;
  }

  tick(ctx: StepContext): void {
    for (const id of this.#expiry.due(ctx.now)) {
      const letter = this.#letters.get(id);
      if (letter !== undefined) this.drop(letter, ctx);
    }
  }

  nextWakeup(): Millis | undefined {
    return this.#expiry.earliest();
  }

  #insert(letter: DeadLetter): void {
    this.#letters.set(letter.id, letter);
    this.#expiry.set(letter.id, letter.exp + this.settings.dead_letter_ttl);
  }

  /** Loads the next bodies, at most `LOAD_ENTRIES_MAX` and `LOAD_BYTES_MAX` at a time. */
  #read(ctx: StepContext): void {
    if (this.#loading !== undefined || this.#toRead.size === 0) return;
    const keys: Key[] = [];
    let bytes = 0;
    for (const [key, { entry }] of this.#toRead) {
      bytes += entry.bytes;
      if (keys.length === LOAD_ENTRIES_MAX || (keys.length > 0 && bytes > LOAD_BYTES_MAX)) break;
      keys.push(key);
    }
    this.#loading = { token: loadToken(`${this.#service}:dead:${ctx.id()}`), keys };
    ctx.emit({ do: "load", ...this.#loading });
  }

  #write(pending: PendingDeadLetter, body: string, ctx: StepContext): void {
    const { entry: { id, at, exp, kind, attempts }, recipient, name, reason } = pending;
    const head: EntryHead = { id, exp: ctx.now, bytes: bytesOf(body), kind, reason };
    const key = entryKey({ service: this.#service, is: "dead", recipient }, head);
    this.#writes.set(key, { pending, letter: { ...head, reason, key, recipient } });
    ctx.emit({ do: "put", key, value: { v: 1, id, at, exp, kind, attempts, why: reason, died: ctx.now, to: name, body } });
  }
}
