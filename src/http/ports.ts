/** What the web app is given: by the process once, and by the runtime with every request. */
import type { ConnectionInfo, ListenerName } from "../core/event.ts";
import type { Observation } from "../core/observation.ts";
import type { Principal, ReplyTo, ServiceRequest } from "../core/request.ts";
import type { ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { RequestResult } from "../engine/mod.ts";
import type { CredentialDigest } from "../core/access.ts";
import type { Tokens } from "./tokens.ts";

/** Where a request came in. Workers have only `web`: one origin for everything. */
export type PortName = ListenerName | "web";

/** What can be behind an upgrade: a door of the relay, or the voice channel that is declined without the relay. */
export type Entrance = ListenerName | "voice";

export interface WebPorts {
  readonly version: string;
  /** How long the relay has been running. */
  uptimeMs(): number;
  /** The settings in force now. */
  settings(): Settings;
  /** Which tokens there are now, and what each allows. */
  tokens(): Tokens;
  /** The rooms that have to be ready. */
  readonly services: readonly ServiceName[];
  request<R extends ServiceRequest>(request: R, principal: Principal): Promise<RequestResult<ReplyTo<R>>>;
  observe(observation: Observation): void;
  /** The metrics in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Frames of all doors so far, in both directions. */
  frames(): number;
  /** The bytes of an upload; undefined when there is none of that name. */
  readUpload(file: string): Promise<Uint8Array | undefined>;
  /** True once nothing new is accepted. */
  isDraining(): boolean;
}

/** What a runtime says about one request. Handed to the app as Hono's `env`. */
export interface Arrival {
  readonly listener: PortName;
  /** Of the other end of the connection, which may be a proxy. */
  readonly address: string;
  /** Whoever routed the request here answers for the name that we were called by. */
  readonly isRouted?: boolean;
  /** What was cut off the path before it came here: `/r/<name>` where one origin serves several relays. */
  readonly base?: string;
  /** From here on the request may take as long as it does; missing where a runtime hurries nobody. */
  linger?(): void;
  /** Turns the connection into a socket; undefined when the request is no proper upgrade. `ticket` is what let the caller in. */
  upgrade(entrance: Entrance, connection: ConnectionInfo, presented: CredentialDigest): Response | undefined;
}
