/**
 * The whole relay as one machine: told what happened and when, it answers with what should be done.
 *
 * It knows all rooms and what concerns all of them: who may come in, how big and how fast a frame may be, which room an event is
 * for, and that one room's mistake is not another's. Everything else is decided in the rooms.
 */
import { assert } from "../core/assert.ts";
import { earlier } from "../core/deadlines.ts";
import type { Effect } from "../core/effect.ts";
import type { Event, PeerEvent, Rebuilt, RoomEvent, Survivor, Told } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import { isLink, type Millis, type PeerId } from "../core/ids.ts";
import { TELLS_PER_STEP_MAX } from "../core/limits.ts";
import type { Note } from "../core/note.ts";
import type { Past, RoomName } from "../core/room.ts";
import type { Settings } from "../core/settings.ts";
import { type Count, Tally, type Way } from "../core/tally.ts";
import type { Moment, Turn } from "../core/turn.ts";
import type { Hosted } from "./hosted.ts";
import { Peers } from "./peers.ts";
import { LISTENERS, roomOfDoor, roomOfEvent, roomOfTell } from "./route.ts";

export { type Hosted, hosted } from "./hosted.ts";
export { roomOfEffect } from "./route.ts";

/** The machine: `restore` each room once, then `step` it with every event. It never waits and never throws at a peer. */
export class Relay {
  readonly #rooms: ReadonlyMap<RoomName, Hosted>;
  readonly #peers = new Peers();
  readonly #turn: RelayTurn;
  #settings: Settings;
  #drainingUntil: Millis | undefined;

  constructor(rooms: readonly Hosted[], settings: Settings) {
    this.#rooms = new Map(rooms.map((room) => [room.name, room]));
    this.#turn = new RelayTurn(LISTENERS.filter((room) => this.#rooms.has(room)), (peer) => this.#peers.asked(peer));
    this.#settings = settings;
  }

  /** The rooms there are, and which of their keys have to be read with their values. */
  get rooms(): readonly { readonly name: RoomName; readonly resident: readonly string[] }[] {
    return [...this.#rooms.values()];
  }

  /** How many messages of each kind have passed. */
  get messages(): Iterable<Readonly<Count>> {
    return this.#turn.tally.all();
  }

  /** Makes one room from what it stored. Has to be done for every room before the first step. */
  restore(name: RoomName, past: Past): void {
    for (const { peer, door, caller } of past.survivors) {
      if (this.#peers.get(peer) === undefined) this.#peers.add({ peer, door, caller }, this.#settings.limits, past.now);
    }
    this.#rooms.get(name)?.restore(this.#settings, past);
  }

  /** What the event leads to, in order. The array is reused: carry its effects out before the next step. */
  step(event: Event, moment: Moment): readonly Effect[] {
    const turn = this.#turn;
    turn.begin(moment);
    this.#dispatch(event, turn);
    this.#runTells(turn);
    return turn.effects;
  }

  /** The earliest instant at which the relay has to be stepped. */
  nextWakeup(): Millis | undefined {
    let earliest = this.#peers.nextWakeup();
    for (const room of this.#rooms.values()) earliest = earlier(earliest, room.nextWakeup());
    return earliest;
  }

  #dispatch(event: Event, turn: RelayTurn): void {
    switch (event.is) {
      case "opened":
        return this.#open(event, turn);
      case "frame":
        return this.#admit(event, turn);
      case "closed": {
        const peer = this.#peers.remove(event.peer);
        if (peer !== undefined) this.#stepRoom(roomOfDoor(peer.door), event, turn);
        return;
      }
      case "limited":
      case "ponged":
      case "pressed":
      case "eased":
        return this.#stepPeersRoom(event, turn);
      case "tick":
        for (const [peer, frame] of this.#peers.release({ limits: this.#settings.limits, now: turn.now })) {
          this.#stepRoom(roomOfDoor(peer.door), { is: "frame", peer: peer.id, frame }, turn);
        }
        return this.#stepAll(event, turn);
      case "configured":
        this.#settings = event.settings;
        return this.#stepAll(event, turn);
      case "draining":
        this.#drainingUntil = event.until;
        return this.#stepAll(event, turn);
      case "rebuilt":
        return this.#rebuild(event, turn);
      default: {
        const room = roomOfEvent(event);
        assert(room !== undefined, `an event without a room: ${event.is}`);
        return this.#stepRoom(room, event, turn);
      }
    }
  }

  #open(event: Event & { is: "opened" }, turn: RelayTurn): void {
    if (this.#drainingUntil !== undefined) return turn.put({ do: "close", peer: event.peer, fault: "restarting" });
    if (!this.#rooms.has(roomOfDoor(event.door)) || !this.#peers.hasRoomFor(event.caller, this.#settings.limits)) {
      return this.#refuse(event.peer, event.caller.address, "tooManyPeers");
    }
    this.#peers.add(event, this.#settings.limits, turn.now);
    this.#stepRoom(roomOfDoor(event.door), event, turn);
  }

  #admit(event: PeerEvent & { is: "frame" }, turn: RelayTurn): void {
    const peer = this.#peers.get(event.peer);
    if (peer === undefined) return; // Why: it was refused at the door and its close is on the way.
    const limits = this.#settings.limits;
    const bytesMax = typeof event.frame === "string" || peer.door !== "intermediary"
      ? limits.message_bytes
      : Math.max(limits.message_bytes, this.#settings.uploads.file_bytes);
    if (event.frame.length > bytesMax) return this.#refuse(peer.id, peer.address, "tooBig");
    const admission = this.#peers.admit(peer, event.frame, { limits, now: turn.now });
    if (admission === "pass") return this.#stepRoom(roomOfDoor(peer.door), event, turn);
    if (admission === "wait") return;
    if (admission === "flood") return this.#refuse(peer.id, peer.address, "rateLimit");
    this.#stepRoom(roomOfDoor(peer.door), { is: "limited", peer: peer.id, retryMs: admission.retryMs }, turn);
  }

  #refuse(peer: PeerId, from: string, fault: FaultName): void {
    this.#turn.note({ is: "peer_closed_by_relay", from, fault });
    this.#turn.put({ do: "close", peer, fault });
  }

  #stepPeersRoom(event: PeerEvent, turn: RelayTurn): void {
    const peer = this.#peers.get(event.peer);
    if (peer !== undefined) this.#stepRoom(roomOfDoor(peer.door), event, turn);
  }

  #stepAll(event: RoomEvent, turn: RelayTurn): void {
    for (const name of this.#rooms.keys()) this.#stepRoom(name, event, turn);
  }

  /** One event of one room. What a panicking step wanted is not done: it may be half a thought. */
  #stepRoom(name: RoomName, event: RoomEvent, turn: RelayTurn): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return this.#excuse(event, "notFound");
    turn.mark(name);
    try {
      if (room.step(event, turn)) return;
    } catch (panic) {
      turn.rollBack();
      this.#panicked(name, panic);
      turn.put({ do: "rebuild", room: name });
    }
    // Why here too: what has no place to wait for a room that is down is as lost as what made it panic.
    this.#excuse(event, "panic");
  }

  /** Tells whoever caused an event that nothing will come of it. */
  #excuse(event: RoomEvent, fault: FaultName): void {
    if (event.is === "asked") this.#turn.put({ do: "answer", call: event.call, fault });
    else if ("peer" in event && event.is !== "closed") this.#refuse(event.peer, this.#addressOf(event.peer), fault);
  }

  #panicked(room: RoomName, panic: unknown): void {
    const { message: reason, stack = "" } = panic instanceof Error ? panic : new Error(String(panic));
    this.#turn.note({ is: "panicked", room, reason, stack });
  }

  #addressOf(peer: PeerId): string {
    return this.#peers.get(peer)?.address ?? "";
  }

  #rebuild({ room: name, entries, survivors }: Rebuilt, turn: RelayTurn): void {
    const room = this.#rooms.get(name);
    assert(room !== undefined, `rebuilding ${name}, which is not hosted`);
    const present = survivors.filter((survivor: Survivor) => this.#peers.get(survivor.peer) !== undefined);
    const past: Past = { entries, survivors: present, now: turn.now };
    // Why: a room that cannot live with what it stored lives without it; the entries stay for whoever mends it.
    const waiting = this.#restoreAgain(room, past) ?? this.#restoreAgain(room, { ...past, entries: [] });
    if (waiting === undefined) return;
    turn.note({ is: "room_rebuilt", room: name });
    for (const event of waiting) this.#stepRoom(name, event, turn);
    if (this.#drainingUntil !== undefined) this.#stepRoom(name, { is: "draining", until: this.#drainingUntil }, turn);
    this.#stepRoom(name, { is: "tick" }, turn);
  }

  /** The events that waited for the room; undefined when it panicked again. */
  #restoreAgain(room: Hosted, past: Past): readonly RoomEvent[] | undefined {
    try {
      return room.restore(this.#settings, past);
    } catch (panic) {
      this.#panicked(room.name, panic);
      return undefined;
    }
  }

  /** What rooms told each other in this step, and what comes of it. */
  #runTells(turn: RelayTurn): void {
    const tellsMax = turn.tellsWaiting + TELLS_PER_STEP_MAX;
    for (let count = 0; count < tellsMax; count++) {
      const told = turn.nextTell();
      if (told === undefined) return;
      this.#stepRoom(told.room, told.event, turn);
    }
    for (const room of turn.dropTells()) {
      this.#panicked(room, new Error("rooms tell each other without end"));
      turn.put({ do: "rebuild", room });
    }
    turn.dropTells();
  }
}

interface AddressedTell {
  readonly room: RoomName;
  readonly event: Told;
}

/** The turn that is given to every room within one step of the relay. */
class RelayTurn implements Turn {
  readonly effects: Effect[] = [];
  readonly tally: Tally = new Tally();
  readonly #listeners: readonly RoomName[];
  readonly #asked: (peer: PeerId) => void;
  readonly #tells: AddressedTell[] = [];
  readonly #mark = { effects: 0, tells: 0 };
  #nextTell = 0;
  #room: RoomName | undefined;
  #moment: Moment | undefined;
  now: Millis = 0;

  /** The rooms that hear every fact, and who keeps count of what peers are asked for. */
  constructor(listeners: readonly RoomName[], asked: (peer: PeerId) => void) {
    this.#listeners = listeners;
    this.#asked = asked;
  }

  begin(moment: Moment): void {
    this.effects.length = 0;
    this.#tells.length = 0;
    this.#nextTell = 0;
    this.#moment = moment;
    this.now = moment.now;
  }

  put(effect: Effect): void {
    if (effect.do === "note") return this.note(effect.note);
    if (effect.do === "tell") {
      const { room, message } = effect;
      this.#tells.push({ room: roomOfTell(room, message), event: { is: "told", message } });
      return;
    }
    if (effect.do === "send" && effect.asks === true && !isLink(effect.to)) this.#asked(effect.to);
    this.effects.push(effect);
  }

  note(note: Note): void {
    this.effects.push({ do: "note", note });
    const event: Told = { is: "told", message: { is: "noted", note } };
    for (const room of this.#listeners) this.#tells.push({ room, event });
  }

  count(who: string, way: Way, kind: string): void {
    this.tally.add({ room: this.#room ?? "relay", who, way, kind });
  }

  nextTell(): AddressedTell | undefined {
    return this.#tells[this.#nextTell++];
  }

  get tellsWaiting(): number {
    return this.#tells.length - this.#nextTell;
  }

  /** Forgets the tells that wait, and returns which rooms they were for. */
  dropTells(): ReadonlySet<RoomName> {
    const rooms = new Set(this.#tells.slice(this.#nextTell).map(({ room }) => room));
    this.#tells.length = this.#nextTell;
    return rooms;
  }

  /** Remembers where the step of one room begins. */
  mark(room: RoomName): void {
    this.#room = room;
    this.#mark.effects = this.effects.length;
    this.#mark.tells = this.#tells.length;
  }

  /** Forgets all that was put since the mark. */
  rollBack(): void {
    this.effects.length = this.#mark.effects;
    this.#tells.length = this.#mark.tells;
  }

  random(): number {
    return this.#current().random();
  }

  id(): string {
    return this.#current().id();
  }

  secret(): string {
    return this.#current().secret();
  }

  #current(): Moment {
    assert(this.#moment !== undefined, "a turn outside a step");
    return this.#moment;
  }
}
