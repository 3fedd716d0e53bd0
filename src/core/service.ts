/**
 * The interface of a service, and the registry of services: everything that the rest of the program has to know about each of them.
 *
 * Listeners, titles, ready messages and the routing of events follow from the registry. A new service is a new row; the compiler
 * then names every place that still has to handle it.
 */
import type { Entry, ResumedPeer, ServiceEvent } from "./event.ts";
import type { Millis, PeerId } from "./ids.ts";
import type { ObservationName } from "./observation.ts";
import type { RetainedBytes } from "./retained-bytes.ts";
import type { Settings } from "./settings.ts";
import type { ServiceMessage } from "./service-message.ts";
import type { StepContext } from "./context.ts";

/** The exports of every service's `mod.ts`. Other files of a service cannot be imported. */
export interface Service<State> {
  readonly name: ServiceName;
  /** Key prefixes whose values are read before `restore`. For its other keys the service gets only the key. */
  readonly resident: readonly string[];
  /** The state at the start of a process or after a panic: the inverse of the service's `put` effects. */
  restore(settings: Settings, input: RestoreInput): State;
  /** Handles one event completely. Throws only for internal errors. */
  step(state: State, event: ServiceEvent, ctx: StepContext): void;
  /** The name of a peer in reports, if it is known. */
  nameOf?(state: State, peer: PeerId): string | undefined;
  /** Whether the service receives observations of this name now, as service messages. Without this function it receives none. */
  observes?(state: State, name: ObservationName): boolean;
  /**
   * Until when the service only counts the observations of this name that it observes: instead of them it gets their number
   * (`observationsCounted`) before its next step. Without this function it gets each.
   */
  countsUntil?(state: State, name: ObservationName): Millis;
  /** Whether the service wants to be told (`serviceChanged`) when what another one shows may have changed. Asked after each step. */
  wantsChange?(state: State, of: ServiceName): boolean;
  /** Whether a message of this kind would change nothing now, so that it need not be made. Without this function none is ignored. */
  ignores?(state: State, name: ServiceMessage["is"]): boolean;
  /** The earliest deadline of the service. Called once in a turn of the event loop in which it was stepped. */
  nextWakeup(state: State): Millis | undefined;
}

/** The input of a restore: the service's stored entries, and the peers that are still connected after sleep or a panic. */
export interface RestoreInput {
  readonly entries: readonly Entry[];
  readonly resumed: readonly ResumedPeer[];
  /** The relay only slept: the resumed peers missed nothing. */
  readonly hasSlept?: boolean;
  readonly now: Millis;
  /** The service's account of what it keeps of its peers. A new one for each restore. */
  readonly retained: RetainedBytes;
}

/** Blocks of the settings that open a port. */
export type ListenerBlock = "intermediary" | "nakurity-backend" | "brain" | "intercept-proxy" | "web";

/** The services that exist. */
export type ServiceName = "intermediary" | "neuro" | "nallely" | "brain" | "proxy";

/** The services that peers connect to; the others only dial. A listener has the name of its service. */
export type ListenerName = Exclude<ServiceName, "nallely">;

/** One row of the registry. */
export interface ServiceDescription {
  /** Name in messages for people. */
  readonly title: string;
  /** Whether the settings ask for it. */
  isEnabled(settings: Settings): boolean;
}

/** A place where peers connect. */
export interface ListenerDescription {
  /** Block of the settings with its host, port and token. */
  readonly block: ListenerBlock;
  /** Also reachable on the web port, below a path with the service's name. A listener without a token is not. */
  readonly isOnWebPort: boolean;
  /** Answer to a plain HTTP request. */
  readonly hint: string;
}

/** All services, in the order in which they are restored and stepped. */
export const SERVICES: Readonly<Record<ServiceName, ServiceDescription>> = {
  intermediary: { title: "Intermediary", isEnabled: ({ intermediary }) => intermediary.enabled },
  neuro: {
    title: "Nakurity Backend",
    // Why the Intermediary counts: its integrations reach Neuro through this service.
    isEnabled: ({ intermediary, "nakurity-backend": backend, "nakurity-clients": upstreams }) =>
      intermediary.enabled || backend.enabled || upstreams.length > 0,
  },
  nallely: { title: "Nallely", isEnabled: ({ nallely }) => nallely.enabled },
  brain: { title: "Brain", isEnabled: ({ brain }) => brain.enabled },
  proxy: { title: "Intercept Proxy", isEnabled: ({ "intercept-proxy": proxy }) => proxy.enabled },
};

/** All listeners. */
export const LISTENERS: Readonly<Record<ListenerName, ListenerDescription>> = {
  intermediary: {
    block: "intermediary",
    isOnWebPort: true,
    hint: "This is the relay's Intermediary: connect a WebSocket and greet it with a JSON registration.",
  },
  neuro: {
    block: "nakurity-backend",
    isOnWebPort: true,
    hint: "This is a Neuro API backend: connect a WebSocket, e.g. by setting NEURO_SDK_WS_URL to this address.",
  },
  brain: {
    block: "brain",
    isOnWebPort: true,
    hint: "This is the Brain relay: connect a WebSocket and send it JSON commands.",
  },
  proxy: {
    block: "intercept-proxy",
    isOnWebPort: false,
    hint: "This is the relay's intercept proxy: connect a WebSocket to reach the Neuro API backend behind it.",
  },
};

// Why the casts: `Object.keys` forgets the names of a record.
export const SERVICE_NAMES: readonly ServiceName[] = Object.keys(SERVICES) as ServiceName[];
export const LISTENER_NAMES: readonly ListenerName[] = Object.keys(LISTENERS) as ListenerName[];
/** Every block with a port: those of the listeners, and the web port's. */
export const LISTENER_BLOCKS: readonly ListenerBlock[] = [...LISTENER_NAMES.map((name) => LISTENERS[name].block), "web"];

const isSeparator = (unit: string | undefined): boolean => unit === undefined || unit === "/" || unit === ":";

/** The service that owns a key, link, load or job: the part of its name before the first separator. */
export function serviceOfName(name: string): ServiceName | undefined {
  for (const service of SERVICE_NAMES) if (name.startsWith(service) && isSeparator(name[service.length])) return service;
  return undefined;
}
