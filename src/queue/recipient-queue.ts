/**
 * The queue of one recipient: the entries that wait, the entries in flight, and the socket, if it is connected.
 *
 * Plain data and functions that read it. `queue.ts` decides when an entry is sent.
 *
 * Invariant: every entry in `inFlight` is older than every entry in `waiting`, and both are in the order of their ids.
 */
import type { Key, Millis, PeerId } from "../core/ids.ts";
import { segment } from "../core/key.ts";
import { LOAD_BYTES_MAX, LOAD_ENTRIES_MAX, UNSETTLED_MESSAGES_MAX } from "../core/limits.ts";
import type { CommandWait } from "../core/traces/trace.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { EntryLoader } from "./loader.ts";
import { creationTimeOf, type QueueEntry, readEntryKey, withFields } from "./entry.ts";
import { WaitingEntries } from "./waiting-entries.ts";

/** The connection of a recipient. */
export interface RecipientSocket {
  readonly peer: PeerId;
  /** It acknowledges each message. */
  readonly acks: boolean;
  /** It asked for the traces of its messages. */
  readonly traces?: boolean;
}

export interface RecipientQueue {
  /** The recipient's name as a segment of keys. */
  readonly segment: string;
  /** The recipient's name; the segment until the name is known. */
  name: string;
  socket: RecipientSocket | undefined;
  /** The socket holds more than `limits.backlog_soft_bytes`. */
  isBackpressured: boolean;
  /** Nothing is sent before this. */
  resumeAt: Millis;
  /** Loads the bodies of the next entries. A new one for each connection. */
  loader: EntryLoader | undefined;
  /** The entries whose bodies the loader loads. */
  readonly unread: Map<Key, QueueEntry>;
  readonly waiting: WaitingEntries;
  /** Stored entries that wait and have their bodies in memory: those that were loaded. */
  readonly loaded: Set<QueueEntry>;
  readonly inFlight: Map<string, QueueEntry>;
  inFlightBytes: number;
  /** Number and bytes of the entries that are stored or being written. */
  storedEntries: number;
  storedBytes: number;
}

/** An entry, and the queue it is in. */
export interface EntryLocation {
  readonly recipient: RecipientQueue;
  readonly entry: QueueEntry;
}

const newRecipientQueue = (segment: string, name: string): RecipientQueue => ({
  segment,
  name,
  socket: undefined,
  isBackpressured: false,
  resumeAt: 0,
  loader: undefined,
  unread: new Map(),
  waiting: new WaitingEntries(),
  loaded: new Set(),
  inFlight: new Map(),
  inFlightBytes: 0,
  storedEntries: 0,
  storedBytes: 0,
});

/** True when one more message may be sent now. */
export function canSend(recipient: RecipientQueue, settings: QueueSettings, now: Millis): boolean {
  const { socket, inFlight, inFlightBytes } = recipient;
  if (socket === undefined || recipient.isBackpressured || recipient.resumeAt > now) return false;
  if (inFlight.size === 0) return true;
  if (inFlightBytes >= settings.per_recipient_bytes) return false;
  return inFlight.size < (socket.acks ? settings.ack_window : UNSETTLED_MESSAGES_MAX);
}

/** Why a message cannot be sent at once. */
export function waitReason(recipient: RecipientQueue, now: Millis): CommandWait {
  const { socket, isBackpressured, resumeAt, waiting } = recipient;
  if (socket === undefined) return "integration_away";
  if (isBackpressured) return "backpressure";
  if (resumeAt > now) return "retry";
  return waiting.size > 0 ? "turn" : "acks";
}

export const firstOf = (entries: ReadonlyMap<string, QueueEntry>): QueueEntry | undefined => entries.values().next().value;

/** Takes an entry out of those that wait. */
export function removeWaiting({ waiting, loaded }: RecipientQueue, entry: QueueEntry): void {
  waiting.delete(entry.id);
  loaded.delete(entry);
}

/** Takes an entry out of flight. False when it was not in flight. */
export function removeInFlight(recipient: RecipientQueue, entry: QueueEntry): boolean {
  if (!recipient.inFlight.delete(entry.id)) return false;
  recipient.inFlightBytes -= entry.bytes;
  return true;
}

/** The frame for an entry. A client without acks gets the body alone, byte for byte. */
export function frameOf({ id, isRedelivery, body = "" }: QueueEntry, socket: RecipientSocket): string {
  if (!socket.acks) return body;
  return withFields(isRedelivery ? { id, redelivered: true } : { id }, body);
}

/** The next entries whose bodies have to be read before they can be sent. Empty while the first entry has its body. */
export function nextToLoad({ waiting }: RecipientQueue): QueueEntry[] {
  const window: QueueEntry[] = [];
  let bytes = 0;
  for (const entry of waiting.values()) {
    if (entry.body !== undefined || entry.storage !== "stored" || window.length === LOAD_ENTRIES_MAX) break;
    bytes += entry.bytes;
    if (window.length > 0 && bytes > LOAD_BYTES_MAX) break;
    window.push(entry);
  }
  return window;
}

/** The entry whose body was loaded. Undefined if it is no longer waiting. */
export function takeUnread({ unread, waiting }: RecipientQueue, key: Key): QueueEntry | undefined {
  const entry = unread.get(key);
  unread.delete(key);
  return entry !== undefined && waiting.get(entry.id) === entry ? entry : undefined;
}

/** Number and bytes of the entries stored for one recipient. */
export interface QueueDepth {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  readonly oldest: Millis | undefined;
}

/** All recipients and their sums. A recipient is listed while it is connected or something is queued for it. */
export class RecipientQueues {
  readonly #table = new Map<string, RecipientQueue>();
  /** Number and bytes of the entries that are stored or being written, over all recipients. */
  entries = 0;
  bytes = 0;

  /** When the oldest stored entry was created. */
  get oldest(): Millis | undefined {
    let oldest: Millis | undefined;
    for (const recipient of this.#table.values()) {
      const at = recipient.storedEntries > 0 ? oldestOf(recipient) : undefined;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  get(segment: string): RecipientQueue | undefined {
    return this.#table.get(segment);
  }

  all(): RecipientQueue[] {
    return [...this.#table.values()];
  }

  of(name: string): RecipientQueue | undefined {
    return this.#table.get(segment(name));
  }

  /** By name, or by segment if the name is unknown. */
  find(name: string): RecipientQueue | undefined {
    return this.of(name) ?? this.get(name);
  }

  getOrCreate(name: string): RecipientQueue {
    const key = segment(name);
    const recipient = this.#table.get(key) ?? newRecipientQueue(key, name);
    recipient.name = name;
    this.#table.set(key, recipient);
    return recipient;
  }

  /** Drops a recipient that is away and has no entries. */
  dropIfEmpty(recipient: RecipientQueue): void {
    if (recipient.socket !== undefined || recipient.waiting.size + recipient.inFlight.size > 0) return;
    if (this.#table.get(recipient.segment) === recipient) this.#table.delete(recipient.segment);
  }

  /** Adds an entry to the sums (1), or takes it out of them (-1). */
  count(recipient: RecipientQueue, { bytes }: QueueEntry, sign: 1 | -1): void {
    recipient.storedEntries += sign;
    recipient.storedBytes += sign * bytes;
    this.entries += sign;
    this.bytes += sign * bytes;
  }

  /** Adds the entry of a key that an earlier process stored. Undefined for a key that no queue wrote. Keys must come in order. */
  restore(key: Key, ttl: QueueSettings["ttl"]): EntryLocation | undefined {
    const read = readEntryKey(key);
    if (read === undefined) return undefined;
    const { recipient: segment, head } = read;
    const recipient = this.#table.get(segment) ?? newRecipientQueue(segment, segment);
    this.#table.set(segment, recipient);
    const entry: QueueEntry = {
      ...head,
      at: creationTimeOf(head, ttl),
      key,
      storage: "stored",
      promise: "queued",
      body: undefined,
      attempts: 0,
      isRedelivery: true,
      sentAt: 0,
      firstSentAt: 0,
      sends: 0,
      waitsFor: undefined,
      text: undefined,
      sentTo: undefined,
    };
    recipient.waiting.add(entry);
    this.count(recipient, entry, 1);
    return { recipient, entry };
  }

  /** Number of entries stored for a recipient. */
  depth(name: string): number {
    return this.of(name)?.storedEntries ?? 0;
  }

  /** The entries stored for a recipient, in order. */
  list(name: string): QueueEntry[] {
    const recipient = this.find(name);
    if (recipient === undefined) return [];
    return [...recipient.inFlight.values(), ...recipient.waiting.values()].filter(({ storage }) => storage !== "memory");
  }

  /** An entry by its id, with the name of its recipient. */
  locate(id: string): { readonly to: string; readonly entry: QueueEntry } | undefined {
    for (const { name, waiting, inFlight } of this.#table.values()) {
      const entry = inFlight.get(id) ?? waiting.get(id);
      if (entry !== undefined) return { to: name, entry };
    }
    return undefined;
  }

  /** Number and bytes of the entries stored for each recipient. */
  depths(): QueueDepth[] {
    return this.all().filter(({ storedEntries }) => storedEntries > 0).map((recipient) => ({
      name: recipient.name,
      entries: recipient.storedEntries,
      bytes: recipient.storedBytes,
      oldest: oldestOf(recipient),
    }));
  }
}

const oldestOf = ({ inFlight, waiting }: RecipientQueue): Millis | undefined => (firstOf(inFlight) ?? waiting.first)?.at;
