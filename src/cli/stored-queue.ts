/**
 * The queue as it lies in the store, for a person to look at and to mend while no relay runs.
 *
 * A retry keeps the entry's id: an entry that is in the queue and among the dead letters counts as dead, so being interrupted
 * between the two costs nothing but the retry.
 */
import type { Entry } from "../core/event.ts";
import type { Key } from "../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { key, segmentAt, segmentText } from "../core/key.ts";
import { bodyOf, type EntryHead, entryKey, madeAt, readEntryKey } from "../queue/entry.ts";
import type { ServiceName } from "../core/service.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { Store } from "../engine/ports.ts";
import { type Listed, type QueueDesk, summaryOf } from "./listed.ts";

/** A message, and where it lies. */
interface Stored extends Listed {
  readonly key: Key;
  readonly service: ServiceName;
  readonly head: EntryHead;
}

/** The rooms that keep a queue. */
const ROOMS: readonly ServiceName[] = ["intermediary", "neuro"];

export class StoredQueue implements QueueDesk {
  readonly #store: Store;
  readonly #settings: QueueSettings;
  /** As listed last: what is asked about later was in that list. */
  readonly #stored = new Map<Listed, Stored>();

  constructor(store: Store, settings: QueueSettings) {
    this.#store = store;
    this.#settings = settings;
  }

  async list(): Promise<readonly Listed[]> {
    for (const service of ROOMS) {
      for (const is of ["queue", "dead"] as const) {
        for (const place of await this.#store.keys(key(service, is))) {
          const stored = this.#storedAt(place, { service, isDead: is === "dead" });
          if (stored !== undefined) this.#stored.set(stored, stored);
        }
      }
    }
    return [...this.#stored.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  async detail(of: Listed): Promise<JsonObject | undefined> {
    const { entry, body } = await this.#read(of);
    if (entry === undefined || body === undefined) return undefined;
    return { ...summaryOf({ ...of, ...saidIn(entry) }), body: parsed(body) };
  }

  async retry(letter: Listed): Promise<boolean> {
    const stored = this.#stored.get(letter);
    const { entry, body } = await this.#read(letter);
    if (entry === undefined || body === undefined || stored === undefined) return false;
    const { id, kind, bytes } = stored.head;
    const exp = Date.now() + this.#settings.ttl[kind];
    const place = { service: stored.service, is: "queue", recipient: segmentAt(stored.key, 2) } as const;
    await this.#store.put(entryKey(place, { id, exp, bytes, kind }), { v: 1, id, at: Date.now(), exp, kind, body });
    await this.#store.delete(stored.key);
    return true;
  }

  async drop(of: Listed): Promise<void> {
    const stored = this.#stored.get(of);
    if (stored !== undefined) await this.#store.delete(stored.key);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #storedAt(
    place: Key,
    { service, isDead }: { readonly service: ServiceName; readonly isDead: boolean },
  ): Stored | undefined {
    const read = readEntryKey(place);
    if (read === undefined) return undefined;
    const { recipient, head } = read;
    const { id, kind, bytes, exp, reason } = head;
    const to = segmentText(recipient) ?? recipient;
    const at = isDead ? undefined : madeAt(head, this.#settings.ttl);
    return { key: place, service, head, id, to, isDead, why: reason, kind, bytes, at, exp };
  }

  async #read(of: Listed): Promise<{ readonly entry?: Entry | undefined; readonly body?: string | undefined }> {
    const stored = this.#stored.get(of);
    if (stored === undefined) return {};
    const [entry] = await this.#store.read([stored.key]);
    return { entry, body: bodyOf(entry?.value, of.id) };
  }
}

/** What the entry itself knows better than its key: when it was made, and, of a dead letter, the whole name. */
function saidIn({ value }: Entry): Partial<Pick<Listed, "to" | "at">> {
  const { to, at } = isObject(value) ? value : {};
  return { ...(typeof to === "string" && { to }), ...(typeof at === "number" && { at }) };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
