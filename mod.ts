/**
 * Neuro Relay, to be embedded: the machine, the engine that drives it, and the words they use.
 *
 * To run a relay, use the command line (`README.md`). To make one part of another program, give an `Engine` a `Relay` of the rooms
 * you want, and `Ports` of your own:
 *
 * ```ts
 * const engine = await Engine.start(new Relay(rooms(DEFAULTS), DEFAULTS), { settings: DEFAULTS, ports });
 * engine.push({ is: "opened", peer, door: "neuro", caller });
 * ```
 *
 * @module
 */
export { type Hosted, hosted, Relay } from "./src/relay/mod.ts";
export { rooms } from "./src/relay/rooms.ts";
export { type Answer, Engine, type EngineOptions } from "./src/engine/mod.ts";
export type { Clock, Jobs, Ports, Sockets, Store, Uploads } from "./src/engine/mod.ts";
export { DEFAULTS, UPSTREAM_DEFAULTS } from "./src/core/defaults.ts";
export type { Scope, Settings } from "./src/core/settings.ts";
export type { Past, Room, RoomName } from "./src/core/room.ts";
export type { Moment, Turn } from "./src/core/turn.ts";
export type { Caller, DoorName, Entry, Event, RoomEvent, Survivor } from "./src/core/event.ts";
export type { Effect } from "./src/core/effect.ts";
export type { Note } from "./src/core/note.ts";
export type { Tell } from "./src/core/tell.ts";
export type { Question } from "./src/core/question.ts";
export { type Fault, type FaultName, FAULTS } from "./src/core/fault.ts";
