/**
 * Events to those who watch: in order, from where each of them is, and never at the cost of anybody else.
 *
 * A watcher that keeps up gets each event at once. One that does not is left behind: it is sent what the ring still has, in
 * batches, when its socket has eased, and is told of the gap if the ring has not all.
 *
 * Invariants: V1 events reach a watcher in order and once per subscription; V2 nothing is kept, and no text made, unless somebody
 * watches or did in the last five minutes; V3 an event is made text once, however many watch.
 */
import type { Millis, PeerId } from "../core/ids.ts";
import { WATCH_BATCH_LENGTH_MAX, WATCH_RING_MS } from "../core/limits.ts";
import type { Note } from "../core/note.ts";
import type { Turn } from "../core/turn.ts";
import type { EventView } from "../core/view.ts";
import { EVENT_NAMES, eventOf, eventText } from "./events.ts";
import { Ring } from "./ring.ts";

/** One who watches. */
interface Follower {
  readonly peer: PeerId;
  /** The events it wants; undefined: all. */
  events: ReadonlySet<string> | undefined;
  /** The place of the next event it has not had. */
  next: number;
  isPressed: boolean;
  /** It has to be told that so many events are missing before `next`. */
  missed: number | null;
}

export interface Subscription {
  readonly events: readonly string[] | undefined;
  /** The id of the last event it had. */
  readonly after: string | undefined;
}

export class Watch {
  #ring: Ring | undefined;
  readonly #followers = new Map<PeerId, Follower>();
  readonly #behind = new Set<Follower>();
  #idleAt: Millis | undefined;

  /** It sees everything from now on; `missed: null` where it saw an unknown part of what was before. */
  follow(
    { peer, events, missed }: { peer: PeerId; events: readonly string[] | undefined; missed: 0 | null },
    turn: Turn,
  ): void {
    this.#idleAt = undefined;
    this.#ring ??= new Ring(turn.id());
    const follower: Follower = { peer, events: subset(events), next: this.#ring.end, isPressed: false, missed };
    this.#followers.set(peer, follower);
    if (missed === null) this.#behind.add(follower);
  }

  leave(peer: PeerId, now: Millis): void {
    const follower = this.#followers.get(peer);
    if (follower === undefined) return;
    this.#followers.delete(peer);
    this.#behind.delete(follower);
    if (this.#followers.size === 0) this.#idleAt = now + WATCH_RING_MS;
  }

  /** Other events than before, and those after a cursor again. Returns the events it now gets. */
  subscribe(peer: PeerId, { events, after }: Subscription, turn: Turn): readonly string[] {
    const follower = this.#followers.get(peer);
    const ring = this.#ring;
    if (follower === undefined || ring === undefined) return [];
    follower.events = subset(events);
    if (after !== undefined) {
      ring.prune(turn.now);
      const { place, isWhole } = ring.after(after);
      follower.next = place;
      follower.missed = isWhole ? 0 : null;
      if (!isWhole || place < ring.end) this.#behind.add(follower);
    }
    return [...follower.events ?? EVENT_NAMES];
  }

  /** The events that a watcher gets, where they are not all. */
  eventsOf(peer: PeerId): readonly string[] | undefined {
    const events = this.#followers.get(peer)?.events;
    return events === undefined ? undefined : [...events];
  }

  /** The id of the last event, for a snapshot to be taken at. */
  get cursor(): string | undefined {
    const ring = this.#ring;
    return ring === undefined ? undefined : ring.get(ring.end - 1)?.id ?? ring.floor;
  }

  /** The last events, the oldest first. Whoever asks watches for a while, unless it is for the last time. */
  recent({ limit, last = false }: { readonly limit: number; readonly last?: boolean }, turn: Turn): readonly EventView[] {
    const ring = this.#ring ??= new Ring(turn.id());
    if (this.#followers.size === 0) this.#idleAt = turn.now + (last ? 0 : WATCH_RING_MS);
    ring.prune(turn.now);
    const events: EventView[] = [];
    for (let place = Math.max(ring.first, ring.end - limit); place < ring.end; place++) {
      const seen = ring.get(place);
      if (seen !== undefined) events.push(eventOf(seen));
    }
    return events;
  }

  /** A fact. Notes nothing itself. */
  see(note: Note, turn: Turn): void {
    const ring = this.#ring;
    if (ring === undefined || !EVENT_NAMES.has(note.is)) return;
    const seen = { id: turn.id(), at: turn.now, note };
    const place = ring.end;
    ring.push(seen);
    let text: string | undefined;
    for (const follower of this.#followers.values()) {
      if (follower.next < place || follower.missed !== 0 || follower.isPressed) continue; // Why: it gets this one from the ring.
      follower.next = place + 1;
      if (follower.events?.has(note.is) === false) continue;
      text ??= eventText(seen);
      turn.count("watcher", "out", note.is);
      turn.put({ do: "send", to: follower.peer, frame: text });
    }
  }

  /** Its socket holds more than it should, or no longer does. */
  press(peer: PeerId, isPressed: boolean): void {
    const follower = this.#followers.get(peer);
    if (follower === undefined) return;
    follower.isPressed = isPressed;
    if (isPressed) this.#behind.delete(follower);
    else if (follower.next < (this.#ring?.end ?? 0)) this.#behind.add(follower);
  }

  tick(turn: Turn): void {
    if (this.#idleAt !== undefined && this.#idleAt <= turn.now) {
      this.#ring = undefined;
      this.#idleAt = undefined;
    }
    for (const follower of this.#behind) this.#catchUp(follower, turn);
  }

  nextWakeup(): Millis | undefined {
    return this.#behind.size > 0 ? 0 : this.#idleAt;
  }

  #catchUp(follower: Follower, turn: Turn): void {
    const ring = this.#ring;
    if (ring === undefined) return;
    ring.prune(turn.now);
    if (follower.next < ring.first) {
      follower.missed = follower.missed === null ? null : follower.missed + ring.first - follower.next;
      follower.next = ring.first;
    }
    if (follower.missed !== 0) turn.put({ do: "send", to: follower.peer, frame: gap(follower.missed) });
    follower.missed = 0;
    for (let length = 0; length < WATCH_BATCH_LENGTH_MAX && follower.next < ring.end; follower.next++) {
      const seen = ring.get(follower.next);
      if (seen === undefined || follower.events?.has(seen.note.is) === false) continue;
      const text = eventText(seen);
      turn.count("watcher", "out", seen.note.is);
      turn.put({ do: "send", to: follower.peer, frame: text });
      length += text.length;
    }
    if (follower.next >= ring.end) this.#behind.delete(follower);
  }
}

const subset = (events: readonly string[] | undefined): ReadonlySet<string> | undefined =>
  events && new Set(events.filter((name) => EVENT_NAMES.has(name)));

/** Events are missing here: how many, where that is known. */
const gap = (missed: number | null): string => JSON.stringify({ event: "gap", missed });
