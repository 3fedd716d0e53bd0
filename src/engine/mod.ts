/** The driver of the relay: a runtime makes one `Engine` with its ports and pushes events into it. */
export { Engine, type EngineOptions, type RequestResult } from "./engine.ts";
export type { Clock, Jobs, Ports, Sockets, Store, Uploads } from "./ports.ts";
