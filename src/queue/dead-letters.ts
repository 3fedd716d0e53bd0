/**
 * Dead letters: entries of a queue that were given up, kept with their cause until a person has looked at them.
 *
 * Invariants: D1 an entry's own key is deleted only after its dead letter is stored; D2 what is in both places after a crash is
 * dead; D3 there are never more letters than settings allow, the oldest go first; D4 bodies are not in memory.
 */
import { Deadlines } from "../core/deadlines.ts";
import type { Entry } from "../core/event.ts";
import { type Key, type LoadToken, loadToken, type Millis } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { LOAD_BYTES_MAX, LOAD_ENTRIES_MAX } from "../core/limits.ts";
import {
  bodyOf,
  bytesOf,
  type DeadLetterReason,
  type EntryHead,
  entryKey,
  type QueueEntry,
  readEntryKey,
} from "./entry.ts";
import type { ServiceName } from "../core/service.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";

export interface DeadLetter extends EntryHead {
  readonly key: Key;
  readonly recipient: string;
  readonly reason: DeadLetterReason;
}

/** An entry on its way from the queue to here. */
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
  readonly #unread = new Map<Key, PendingDeadLetter>();
  readonly #unstored = new Map<Key, { readonly burial: PendingDeadLetter; readonly letter: DeadLetter }>();
  #loading: { readonly token: LoadToken; readonly keys: readonly Key[] } | undefined;

  constructor(service: ServiceName, settings: QueueSettings) {
    this.#service = service;
    this.settings = settings;
  }

  /** Takes in the letters that an earlier run left, keys only. */
  restore(keys: readonly Key[]): void {
    for (const key of keys) {
      const read = readEntryKey(key);
      if (read?.head.reason !== undefined) {
        this.#add({ ...read.head, reason: read.head.reason, key, recipient: read.recipient });
      }
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

  /** Moves an entry here. The queue has forgotten it; its body is read first where it is not at hand. */
  add(burial: PendingDeadLetter, ctx: StepContext): void {
    if (burial.entry.body !== undefined) return this.#write(burial, burial.entry.body, ctx);
    this.#unread.set(burial.entry.key, burial);
    this.#read(ctx);
  }

  /** Asks for the value of a letter; `loaded` with this token follows. */
  read(letter: DeadLetter, ctx: StepContext): LoadToken {
    const token = loadToken(`${this.#service}:letter:${ctx.id()}`);
    ctx.emit({ do: "load", token, keys: [letter.key] });
    return token;
  }

  drop(letter: DeadLetter, ctx: StepContext): void {
    if (!this.#letters.delete(letter.id)) return;
    this.#expiry.clear(letter.id);
    ctx.emit({ do: "delete", key: letter.key });
  }

  /** True when the key is one that is being written here. */
  stored(key: Key, ctx: StepContext): boolean {
    const done = this.#unstored.get(key);
    if (done === undefined) return false;
    this.#unstored.delete(key);
    const { burial: { entry, name, reason }, letter } = done;
    this.#add(letter);
    if (entry.disk !== "none") ctx.emit({ do: "delete", key: entry.key });
    ctx.observe({ is: "message_dead", to: name, id: entry.id, why: reason });
    for (const oldest of this.#letters.values()) {
      if (this.#letters.size <= this.settings.dead_letters) break;
      this.drop(oldest, ctx);
    }
    return true;
  }

  /** A letter that cannot be written is none: its entry stays where it was, and comes back with the next run. */
  storeFailed(key: Key): boolean {
    return this.#unstored.delete(key);
  }

  /** True when it was this that asked. */
  loaded(token: LoadToken, entries: readonly Entry[], ctx: StepContext): boolean {
    if (this.#loading?.token !== token) return false;
    const values = new Map(entries.map(({ key, value }): [Key, Json | undefined] => [key, value]));
    const { keys } = this.#loading;
    this.#loading = undefined;
    for (const key of keys) {
      const burial = this.#unread.get(key);
      this.#unread.delete(key);
      if (burial === undefined) continue;
      const body = bodyOf(values.get(key), burial.entry.id);
      if (body !== undefined) this.#write(burial, body, ctx);
      else ctx.observe({ is: "entry_quarantined", key, why: "gone or unreadable" });
    }
    this.#read(ctx);
    return true;
  }

  loadFailed(token: LoadToken): boolean {
    if (this.#loading?.token !== token) return false;
    for (const key of this.#loading.keys) this.#unread.delete(key);
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

  #add(letter: DeadLetter): void {
    this.#letters.set(letter.id, letter);
    this.#expiry.set(letter.id, letter.exp + this.settings.dead_letter_ttl);
  }

  #read(ctx: StepContext): void {
    if (this.#loading !== undefined || this.#unread.size === 0) return;
    const keys: Key[] = [];
    let bytes = 0;
    for (const [key, { entry }] of this.#unread) {
      bytes += entry.bytes;
      if (keys.length === LOAD_ENTRIES_MAX || (keys.length > 0 && bytes > LOAD_BYTES_MAX)) break;
      keys.push(key);
    }
    this.#loading = { token: loadToken(`${this.#service}:burial:${ctx.id()}`), keys };
    ctx.emit({ do: "load", ...this.#loading });
  }

  #write(burial: PendingDeadLetter, body: string, ctx: StepContext): void {
    const { entry: { id, at, exp, kind, attempts }, recipient, name, reason } = burial;
    const head: EntryHead = { id, exp: ctx.now, bytes: bytesOf(body), kind, reason };
    const key = entryKey({ service: this.#service, is: "dead", recipient }, head);
    this.#unstored.set(key, { burial, letter: { ...head, reason, key, recipient } });
    ctx.emit({ do: "put", key, value: { v: 1, id, at, exp, kind, attempts, why: reason, died: ctx.now, to: name, body } });
  }
}
