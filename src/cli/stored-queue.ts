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
import { bodyOf, entryKey, type Head, readEntryKey } from "../core/queue-entry.ts";
import type { RoomName } from "../core/room.ts";
import type { QueueSettings } from "../core/settings.ts";
import type { Store } from "../engine/ports.ts";

/** One message that waits, or was given up. */
export interface Stored {
  readonly key: Key;
  readonly room: RoomName;
  /** The name of who it is for; its place in the store where the name is too long to be told from it. */
  readonly to: string;
  readonly isDead: boolean;
  readonly head: Head;
  /** When it was made. */
  readonly at: number;
}

/** The rooms that keep a queue. */
const ROOMS: readonly RoomName[] = ["intermediary", "neuro"];

/** Everything that is kept, in the order in which it was made. */
export async function listStored(store: Store): Promise<readonly Stored[]> {
  const found: Stored[] = [];
  for (const room of ROOMS) {
    for (const is of ["queue", "dead"] as const) {
      for (const place of await store.keys(key(room, is))) {
        const read = readEntryKey(place);
        if (read === undefined) continue;
        const to = segmentText(read.recipient) ?? read.recipient;
        found.push({ key: place, room, to, isDead: is === "dead", head: read.head, at: Number(read.head.id.slice(0, 13)) });
      }
    }
  }
  return found.sort((left, right) => (left.head.id < right.head.id ? -1 : 1));
}

/** What a command shows of an entry, without its body. */
export const summaryOf = ({ room, to, isDead, head, at }: Stored): JsonObject => ({
  id: head.id,
  to,
  room,
  state: isDead ? "dead" : "waiting",
  ...(head.why !== undefined && { why: head.why }),
  kind: head.kind,
  bytes: head.bytes,
  at: new Date(at).toISOString(),
  [isDead ? "died" : "expires"]: new Date(head.exp).toISOString(),
});

/** The same with its body, as JSON; undefined when it cannot be read. */
export async function detailOf(store: Store, of: Stored): Promise<JsonObject | undefined> {
  const [entry] = await store.read([of.key]);
  const body = bodyOf(entry?.value, of.head.id);
  if (entry === undefined || body === undefined) return undefined;
  return { ...summaryOf(of), ...nameIn(entry), body: parsed(body) };
}

/** A dead letter knows the whole name. */
const nameIn = ({ value }: Entry): JsonObject => (isObject(value) && typeof value.to === "string" ? { to: value.to } : {});

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Puts a dead letter back into the queue; false when it cannot be read. */
export async function retry(
  store: Store,
  letter: Stored,
  { settings, now }: { settings: QueueSettings; now: number },
): Promise<boolean> {
  const [entry] = await store.read([letter.key]);
  const body = bodyOf(entry?.value, letter.head.id);
  if (body === undefined) return false;
  const { id, kind, bytes } = letter.head;
  const exp = now + settings.ttl[kind];
  const place = { room: letter.room, is: "queue", recipient: segmentAt(letter.key, 2) } as const;
  await store.put(entryKey(place, { id, exp, bytes, kind }), { v: 1, id, at: letter.at, exp, kind, body });
  await store.delete(letter.key);
  return true;
}
