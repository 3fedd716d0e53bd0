/**
 * Neuro Relay, to be embedded: the machine, the engine that drives it, and the words they use.
 *
 * To run a relay, use the command line (`README.md`). To make one part of another program, give an `Engine` a `Relay` of the rooms
 * you want, and `Ports` of your own:
 *
 * ```ts
 * const engine = await Engine.start(new Relay(rooms(DEFAULTS), DEFAULTS), { settings: DEFAULTS, ports });
 * engine.push({ is: "opened", peer, listener: "neuro", caller });
 * ```
 *
 * @module
 */
export { Relay, supervise, type SupervisedService } from "./src/relay/mod.ts";
export { services } from "./src/relay/services.ts";
export { Engine, type EngineOptions, type RequestResult } from "./src/engine/mod.ts";
export type { Clock, Jobs, Ports, Sockets, Store, Uploads } from "./src/engine/mod.ts";
export { DEFAULTS, UPSTREAM_DEFAULTS } from "./src/core/defaults.ts";
export type { Scope, Settings } from "./src/core/settings.ts";
export type { RestoreInput, Service, ServiceName } from "./src/core/service.ts";
export type { StepClock, StepContext } from "./src/core/context.ts";
export type { ConnectionInfo, Entry, Event, ListenerName, ResumedPeer, ServiceEvent } from "./src/core/event.ts";
export type { Effect } from "./src/core/effect.ts";
export type { Observation } from "./src/core/observation.ts";
export type { ServiceMessage } from "./src/core/service-message.ts";
export type { ServiceRequest } from "./src/core/request.ts";
export { type Fault, type FaultName, FAULTS } from "./src/core/fault.ts";
