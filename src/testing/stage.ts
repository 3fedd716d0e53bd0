/**
 * One room on virtual time: step it with events and look at the effects. For tests of machines; nothing waits, nothing is random.
 */
import { assert } from "../core/assert.ts";
import type { Effect } from "../core/effect.ts";
import type { Caller, Entry, RoomEvent, Survivor } from "../core/event.ts";
import { type Key, type Millis, type PeerId, peerId } from "../core/ids.ts";
import type { Frame, Json } from "../core/json.ts";
import type { Note } from "../core/note.ts";
import type { Room } from "../core/room.ts";
import type { Settings } from "../core/settings.ts";
import type { Tell } from "../core/tell.ts";
import type { Turn } from "../core/turn.ts";

/** Who a peer is said to be where a test does not care: a local one, on the bare path. */
export const CALLER: Caller = { address: "127.0.0.1", path: "/", userAgent: "test", via: "" };

/** More deadlines than any test has: beyond it, one is due again and again. */
const TICKS_MAX = 100_000;

/** What a room finds when it is made: nothing stored and nobody there, unless it says so. */
export interface StageOptions {
  readonly settings: Settings;
  readonly entries?: readonly Entry[];
  readonly survivors?: readonly Survivor[];
  readonly now?: Millis;
  /** The first part of ids: a later one for each stage that goes on from the entries of another. */
  readonly epoch?: number;
}

/** One room, its state, and all that it wanted done so far. `step` it with events, `pass` time, `store` what it put. */
export class Stage<State> {
  readonly room: Room<State>;
  readonly settings: Settings;
  state: State;
  now: Millis;
  /** What is stored, if every put succeeded so far: kept by `store()`. */
  readonly stored: Map<Key, Json> = new Map();
  /** The messages that were counted: who, which way, what kind. */
  readonly counts: string[] = [];
  #effects: Effect[] = [];
  readonly #epoch: string;
  #count = 0;

  constructor(room: Room<State>, { settings, entries = [], survivors = [], now = 1_000_000, epoch = 1 }: StageOptions) {
    this.#epoch = String(epoch).padStart(13, "0");
    this.room = room;
    this.settings = settings;
    this.now = now;
    this.state = room.restore(settings, { entries, survivors, now });
  }

  /** Steps the room and returns the effects of this step, notes left out. */
  step(event: RoomEvent): readonly Effect[] {
    const before = this.#effects.length;
    const turn: Turn = {
      now: this.now,
      random: () => 0.5,
      id: () => `${this.#epoch}-${String(++this.#count).padStart(10, "0")}`,
      secret: () => `secret-${++this.#count}`,
      put: (effect) => this.#effects.push(effect),
      note: (note) => this.#effects.push({ do: "note", note }),
      count: (who, way, kind) => this.counts.push(`${who} ${way} ${kind}`),
    };
    this.room.step(this.state, event, turn);
    return this.#effects.slice(before).filter((effect) => effect.do !== "note");
  }

  open(name: string, caller: Partial<Caller> = {}): PeerId {
    const peer = peerId(name);
    this.step({ is: "opened", peer, door: this.room.name as "neuro", caller: { ...CALLER, ...caller } });
    return peer;
  }

  /** A frame of a peer: an object is sent as its JSON. */
  frame(peer: PeerId, frame: Frame | object): readonly Effect[] {
    const raw = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame);
    return this.step({ is: "frame", peer, frame: raw });
  }

  tell(message: Tell): readonly Effect[] {
    return this.step({ is: "told", message });
  }

  /** Moves time on, stepping the room at each of its deadlines on the way. */
  pass(ms: Millis): readonly Effect[] {
    const before = this.#effects.length;
    const until = this.now + ms;
    let ticksLeft = TICKS_MAX;
    for (
      let at = this.room.nextWakeup(this.state);
      at !== undefined && at <= until;
      at = this.room.nextWakeup(this.state)
    ) {
      assert(ticksLeft-- > 0, `a deadline that stays due: ${at} at ${this.now}`);
      this.now = Math.max(this.now, at);
      this.step({ is: "tick" });
    }
    this.now = until;
    return this.#effects.slice(before).filter((effect) => effect.do !== "note");
  }

  /** Everything put so far is stored: carries out puts and deletes, and tells the room. Returns what that led to. */
  store(): readonly Effect[] {
    const effects = this.take().filter((effect) => effect.do === "put" || effect.do === "delete");
    const before = this.#effects.length;
    for (const effect of effects) {
      if (effect.do === "delete") this.stored.delete(effect.key);
      if (effect.do !== "put") continue;
      this.stored.set(effect.key, effect.value);
      this.step({ is: "stored", key: effect.key });
    }
    return this.#effects.slice(before).filter((effect) => effect.do !== "note");
  }

  /** All effects since the last `take`, notes included. */
  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** The notes of all effects not yet taken. */
  notes(): readonly Note[] {
    return this.#effects.flatMap((effect) => (effect.do === "note" ? [effect.note] : []));
  }
}

/** The JSON of every frame sent or replied to a peer or link, in order. */
export function framesTo(to: string, effects: readonly Effect[]): readonly Json[] {
  const frames: Json[] = [];
  for (const effect of effects) {
    if ((effect.do === "send" || effect.do === "reply") && effect.to === to) frames.push(JSON.parse(String(effect.frame)));
  }
  return frames;
}
