/**
 * Neuro Relay, to be embedded in another program.
 *
 * ```ts
 * const relay = await serve({ "nakurity-client": { url: "ws://127.0.0.1:8001" }, queue: { path: "./queue" } });
 * console.log(relay.urls.neuro); // ws://127.0.0.1:8000
 * await relay.drain();
 * ```
 *
 * For another runtime, give an `Engine` a `Relay` of the services that you need, and `Ports` of your own:
 *
 * ```ts
 * const engine = await Engine.start(new Relay(services(DEFAULTS), DEFAULTS), { settings: DEFAULTS, ports });
 * engine.push({ is: "opened", peer, listener: "neuro", connection });
 * ```
 *
 * @module
 */
export { serve, type SettingsTree } from "./src/runtimes/embed.ts";
export { type RelayHandle, type ServeOptions, StartError } from "./src/runtimes/serve-options.ts";
export { type App, createApp, type RequestContext, type WebPorts } from "./src/http/app.ts";
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
