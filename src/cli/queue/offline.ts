/**
 * The queue in its store, while no relay runs.
 *
 * A retry keeps the message's id. A message that is both queued and a dead letter counts as dead, so an interrupted retry loses nothing
 * and can be repeated.
 */
import type { Entry } from "../../core/event.ts";
import type { Key } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../../core/json.ts";
import { key, segmentAt, segmentText } from "../../core/key.ts";
import { bodyOf, creationTimeOf, type EntryHead, entryKey, readEntryKey } from "../../queue/entry.ts";
import type { ServiceName } from "../../core/service.ts";
import type { QueueSettings } from "../../core/settings.ts";
import type { Store } from "../../engine/ports.ts";
import { QUEUE_SERVICES, type QueueAdmin, type QueuedMessage, summaryOf } from "./admin.ts";

/** A message and its key. */
interface StoredMessage extends QueuedMessage {
  readonly key: Key;
  readonly service: ServiceName;
  readonly head: EntryHead;
}

export class OfflineQueue implements QueueAdmin {
  readonly #store: Store;
  readonly #settings: QueueSettings;
  /** The messages of the last list; the other methods are called with one of them. */
  readonly #messages = new Map<QueuedMessage, StoredMessage>();

  constructor(store: Store, settings: QueueSettings) {
    this.#store = store;
    this.#settings = settings;
  }

  async list(): Promise<readonly QueuedMessage[]> {
    for (const service of QUEUE_SERVICES) {
      for (const is of ["queue", "dead"] as const) {
        for (const place of await this.#store.keys(key(service, is))) {
          const message = this.#messageAt(place, service, is === "dead");
          if (message !== undefined) this.#messages.set(message, message);
        }
      }
    }
    return [...this.#messages.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  async detail(message: QueuedMessage): Promise<JsonObject | undefined> {
    const { entry, body } = await this.#read(message);
    if (entry === undefined || body === undefined) return undefined;
    return { ...summaryOf({ ...message, ...storedFields(entry) }), body: jsonOrText(body) };
  }

  async retry(letter: QueuedMessage): Promise<boolean> {
    const stored = this.#messages.get(letter);
    const { entry, body } = await this.#read(letter);
    if (entry === undefined || body === undefined || stored === undefined) return false;
    const { id, kind, bytes } = stored.head;
    const exp = Date.now() + this.#settings.ttl[kind];
    const place = { service: stored.service, is: "queue", recipient: segmentAt(stored.key, 2) } as const;
    await this.#store.put(entryKey(place, { id, exp, bytes, kind }), { v: 1, id, at: Date.now(), exp, kind, body });
    await this.#store.delete(stored.key);
    return true;
  }

  async drop(message: QueuedMessage): Promise<void> {
    const stored = this.#messages.get(message);
    if (stored !== undefined) await this.#store.delete(stored.key);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #messageAt(place: Key, service: ServiceName, isDead: boolean): StoredMessage | undefined {
    const parsed = readEntryKey(place);
    if (parsed === undefined) return undefined;
    const { recipient, head } = parsed;
    const { id, kind, bytes, exp, reason } = head;
    const to = segmentText(recipient) ?? recipient;
    const createdAt = isDead ? undefined : creationTimeOf(head, this.#settings.ttl);
    return { key: place, service, head, id, to, isDead, reason, kind, bytes, createdAt, endsAt: exp };
  }

  async #read(message: QueuedMessage): Promise<{ readonly entry?: Entry | undefined; readonly body?: string | undefined }> {
    const stored = this.#messages.get(message);
    if (stored === undefined) return {};
    const [entry] = await this.#store.read([stored.key]);
    return { entry, body: bodyOf(entry?.value, message.id) };
  }
}

/** The fields that only the value has: the time of creation and, in a dead letter, the whole name of the recipient. */
function storedFields({ value }: Entry): Partial<Pick<QueuedMessage, "to" | "createdAt">> {
  const { to, at } = isObject(value) ? value : {};
  return { ...(typeof to === "string" && { to }), ...(typeof at === "number" && { createdAt: at }) };
}

const jsonOrText = (text: string): Json => parseJson(text, Infinity) ?? text;
