/** Which room an event belongs to. The only place that knows. */
import type { Effect } from "../core/effect.ts";
import type { DoorName, Event } from "../core/event.ts";
import { NALLELY_PEER } from "../core/ids.ts";
import type { RoomName } from "../core/room.ts";
import type { Tell } from "../core/tell.ts";

const ROOMS: readonly string[] = ["intermediary", "neuro", "nallely", "brain", "proxy"] satisfies RoomName[];

/** The room that serves those who come in by a door. */
export const roomOfDoor = (door: DoorName): RoomName => door;

/** The room named at the start of a key, link, load or job, up to its first separator. */
function roomOfName(name: string): RoomName | undefined {
  const end = name.search(/[/:]/);
  const room = end < 0 ? name : name.slice(0, end);
  return isRoom(room) ? room : undefined;
}

const isRoom = (name: string): name is RoomName => ROOMS.includes(name);

/** The room that an event is for, for the kinds that say so themselves; undefined for all others. */
export function roomOfEvent(event: Event): RoomName | undefined {
  switch (event.is) {
    case "dialed":
    case "received":
    case "dropped":
    case "linkPressed":
    case "linkEased":
      return roomOfName(event.link);
    case "stored":
    case "storeFailed":
      return roomOfName(event.key);
    case "loaded":
    case "loadFailed":
      return roomOfName(event.token);
    case "ran":
      return roomOfName(event.job);
    case "saved":
      return "intermediary";
    case "asked":
      return event.question.of;
    default:
      return undefined;
  }
}

/** The room that an effect came from, where the effect says so. */
export function roomOfEffect(effect: Effect): RoomName | undefined {
  switch (effect.do) {
    case "put":
    case "delete":
      return roomOfName(effect.key);
    case "dial":
    case "hangup":
      return roomOfName(effect.link);
    case "load":
      return roomOfName(effect.token);
    case "run":
      return roomOfName(effect.job);
    default:
      return undefined;
  }
}

/** The rooms that hear every fact, where they are hosted. */
export const LISTENERS: readonly RoomName[] = ["intermediary", "nallely"];

/** Whom a tell reaches: what Neuro says to the relay as a neuron is not for the Intermediary, where all other integrations are. */
export const roomOfTell = (room: RoomName, message: Tell): RoomName =>
  message.is === "deliver" && message.peer === NALLELY_PEER ? "nallely" : room;
