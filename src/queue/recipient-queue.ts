/**
 * The way to one recipient: what waits for it and what is in flight, in order, and the socket it has at the moment.
 *
 * Plain data and the questions that can be asked of it; what is done about the answers is decided in `queue.ts`.
 *
 * Invariant: everything in `inFlight` is older than everything in `waiting`, and both are in the order of their ids.
 */
import type { Key, LoadToken, Millis, PeerId } from "../core/ids.ts";
import { segment } from "../core/key.ts";
import { LOAD_BYTES_MAX, LOAD_ENTRIES_MAX, UNSETTLED_MESSAGES_MAX } from "../core/limits.ts";
import { madeAt, type QueueEntry, readEntryKey, withFields } from "./entry.ts";
import type { QueueSettings } from "../core/settings.ts";

/** A connected recipient. */
export interface Socket {
  readonly peer: PeerId;
  /** It answers each message with an ack. */
  readonly acks: boolean;
}

export interface RecipientQueue {
  /** The recipient as a segment of keys. */
  readonly segment: string;
  /** Its real name, once somebody said it. */
  name: string;
  socket: Socket | undefined;
  /** More waits in its socket than should. */
  isBackpressured: boolean;
  /** Nothing is sent before this. */
  resumeAt: Millis;
  loading: LoadToken | undefined;
  waiting: Map<string, QueueEntry>;
  readonly inFlight: Map<string, QueueEntry>;
  inFlightBytes: number;
  /** On disk, or on the way there. */
  storedEntries: number;
  storedBytes: number;
}

const newRecipientQueue = (recipient: string, name: string): RecipientQueue => ({
  segment: recipient,
  name,
  socket: undefined,
  isBackpressured: false,
  resumeAt: 0,
  loading: undefined,
  waiting: new Map(),
  inFlight: new Map(),
  inFlightBytes: 0,
  storedEntries: 0,
  storedBytes: 0,
});

/** True when one more message may be sent now. */
export function isOpen(to: RecipientQueue, settings: QueueSettings, now: Millis): boolean {
  if (to.socket === undefined || to.isBackpressured || to.resumeAt > now) return false;
  if (to.inFlight.size === 0) return true;
  if (to.socket.acks) return to.inFlight.size < settings.ack_window;
  return to.inFlight.size < UNSETTLED_MESSAGES_MAX && to.inFlightBytes < settings.per_recipient_bytes;
}

export const firstOf = (entries: ReadonlyMap<string, QueueEntry>): QueueEntry | undefined => entries.values().next().value;

/** Takes an entry out of flight; false when it was not. */
export function removeInFlight(on: RecipientQueue, entry: QueueEntry): boolean {
  if (!on.inFlight.delete(entry.id)) return false;
  on.inFlightBytes -= entry.bytes;
  return true;
}

/** What the recipient gets. Clients without acks get the body alone, byte for byte. */
export function frameOf({ id, isRepeat, body = "" }: QueueEntry, socket: Socket): string {
  if (!socket.acks) return body;
  return withFields(isRepeat ? { id, redelivered: true } : { id }, body);
}

/** The next entries whose bodies have to be read before they can be sent; empty while the first one has its own. */
export function nextToLoad(of: RecipientQueue): QueueEntry[] {
  const window: QueueEntry[] = [];
  let bytes = 0;
  for (const entry of of.waiting.values()) {
    if (entry.body !== undefined || entry.disk !== "stored" || window.length === LOAD_ENTRIES_MAX) break;
    bytes += entry.bytes;
    if (window.length > 0 && bytes > LOAD_BYTES_MAX) break;
    window.push(entry);
  }
  return window;
}

/** What is kept for one recipient. */
export interface Depth {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  readonly oldest: Millis | undefined;
}

/** All lanes, and the sums over them. A lane exists while its recipient is connected or something is kept for it. */
export class RecipientQueues {
  readonly #table = new Map<string, RecipientQueue>();
  /** On disk, or on the way there. */
  entries = 0;
  bytes = 0;

  /** When the oldest entry that is kept was made. */
  get oldest(): Millis | undefined {
    let oldest: Millis | undefined;
    for (const of of this.#table.values()) {
      const at = of.storedEntries > 0 ? (firstOf(of.inFlight) ?? firstOf(of.waiting))?.at : undefined;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  get(recipient: string): RecipientQueue | undefined {
    return this.#table.get(recipient);
  }

  all(): RecipientQueue[] {
    return [...this.#table.values()];
  }

  of(name: string): RecipientQueue | undefined {
    return this.#table.get(segment(name));
  }

  /** By name, or by segment where the name was lost. */
  find(name: string): RecipientQueue | undefined {
    return this.of(name) ?? this.get(name);
  }

  /** The lane of a name, made when there is none. */
  getOrCreate(name: string): RecipientQueue {
    const recipient = segment(name);
    const known = this.#table.get(recipient) ?? newRecipientQueue(recipient, name);
    known.name = name;
    this.#table.set(recipient, known);
    return known;
  }

  /** Lets go of a lane of which nothing is left. */
  dropIfEmpty(to: RecipientQueue): void {
    if (to.socket !== undefined || to.waiting.size + to.inFlight.size > 0) return;
    if (this.#table.get(to.segment) === to) this.#table.delete(to.segment);
  }

  /** Counts an entry that came to be on disk (1), or no longer is (-1). */
  count(to: RecipientQueue, { bytes }: QueueEntry, sign: 1 | -1): void {
    to.storedEntries += sign;
    to.storedBytes += sign * bytes;
    this.entries += sign;
    this.bytes += sign * bytes;
  }

  /** Takes in an entry that an earlier run left; undefined for a key that no queue made. Keys have to come in their order. */
  restore(key: Key, ttl: QueueSettings["ttl"]): QueueEntry | undefined {
    const read = readEntryKey(key);
    if (read === undefined) return undefined;
    const { recipient, head } = read;
    const to = this.#table.get(recipient) ?? newRecipientQueue(recipient, recipient);
    this.#table.set(recipient, to);
    const entry: QueueEntry = {
      ...head,
      at: madeAt(head, ttl),
      key,
      disk: "stored",
      promise: "queued",
      body: undefined,
      attempts: 0,
      isRepeat: true,
      sentAt: 0,
    };
    to.waiting.set(entry.id, entry);
    this.count(to, entry, 1);
    return entry;
  }

  /** Entries that are kept for one recipient. */
  depth(name: string): number {
    return this.of(name)?.storedEntries ?? 0;
  }

  /** The same entries, in order. */
  list(name: string): QueueEntry[] {
    const to = this.find(name);
    return to === undefined ? [] : [...to.inFlight.values(), ...to.waiting.values()].filter(({ disk }) => disk !== "none");
  }

  /** An entry by its id, and whose it is. */
  locate(id: string): { readonly to: string; readonly entry: QueueEntry } | undefined {
    for (const { name, waiting, inFlight } of this.#table.values()) {
      const entry = inFlight.get(id) ?? waiting.get(id);
      if (entry !== undefined) return { to: name, entry };
    }
    return undefined;
  }

  /** How much is kept for whom. */
  depths(): Depth[] {
    return this.all().filter(({ storedEntries }) => storedEntries > 0).map((of) => ({
      name: of.name,
      entries: of.storedEntries,
      bytes: of.storedBytes,
      oldest: (firstOf(of.inFlight) ?? firstOf(of.waiting))?.at,
    }));
  }
}
