/**
 * The closed union of events. Adding one is an architecture decision.
 *
 * Runtimes and the engine create events; services only read them.
 */
import type { JobId, Key, LinkId, LoadToken, Millis, PeerId, RequestId } from "./ids.ts";
import type { Frame, Json } from "./json.ts";
import type { FaultName } from "./fault.ts";
import type { Principal, ServiceRequest } from "./request.ts";
import type { ListenerName, ServiceName } from "./service.ts";
import type { Settings } from "./settings.ts";
import type { ServiceMessage } from "./service-message.ts";

export type { ListenerName } from "./service.ts";

/** Metadata of the upgrade request. Only `address` is trustworthy. */
export interface ConnectionInfo {
  readonly address: string;
  /** Without the query and without a token in the path. */
  readonly path: string;
  readonly userAgent: string;
  /** The query with its `?`, and the offered subprotocols; only at the proxy, which passes them on. Never log them: they may be secrets. */
  readonly query?: string;
  readonly protocols?: string;
  /** The digest of the token that the client gave, if it gave one. Never log it. */
  readonly credential?: string;
  /** The `Neuro-Relay-Via` header: ids of the relays it came through. */
  readonly via: string;
}

/** A stored entry: its key, and its value if the value was requested. */
export interface Entry {
  readonly key: Key;
  readonly value?: Json;
}

/** A peer that was connected before the service was restored, with the attachment that the service gave it. */
export interface ResumedPeer {
  readonly peer: PeerId;
  readonly listener: ListenerName;
  readonly connection: ConnectionInfo;
  readonly attachment?: Json | undefined;
}

export type PeerEvent =
  | { readonly is: "opened"; readonly peer: PeerId; readonly listener: ListenerName; readonly connection: ConnectionInfo }
  | { readonly is: "frame"; readonly peer: PeerId; readonly frame: Frame }
  | { readonly is: "closed"; readonly peer: PeerId; readonly code: number; readonly reason?: string }
  /** The peer exceeded its rate limit: the frame was dropped and may be sent again after `retryMs`. */
  | { readonly is: "throttled"; readonly peer: PeerId; readonly retryMs: Millis }
  /** The peer answered a ping. */
  | { readonly is: "ponged"; readonly peer: PeerId }
  /** The backlog of this peer exceeds `limits.backlog_soft_bytes`. `relieved` or `closed` follows. */
  | { readonly is: "backpressure"; readonly peer: PeerId }
  | { readonly is: "relieved"; readonly peer: PeerId };

export type LinkEvent =
  | { readonly is: "dialed"; readonly link: LinkId }
  | { readonly is: "received"; readonly link: LinkId; readonly frame: Frame }
  /** The link was lost, or a dial failed. `isFinal`: a dial of this URL can never succeed. */
  | {
    readonly is: "dropped";
    readonly link: LinkId;
    readonly code: number;
    readonly reason: string;
    readonly isFinal?: boolean;
  }
  | { readonly is: "linkBackpressure"; readonly link: LinkId }
  | { readonly is: "linkRelieved"; readonly link: LinkId };

export type StoreEvent =
  | { readonly is: "stored"; readonly key: Key }
  /** The entry was not stored and will not be. */
  | { readonly is: "storeFailed"; readonly key: Key; readonly reason: string }
  | { readonly is: "loaded"; readonly token: LoadToken; readonly entries: readonly Entry[] }
  | { readonly is: "loadFailed"; readonly token: LoadToken; readonly reason: string };

export type WorkEvent =
  /** With a `fault`, `reason` says why, unless it was the deadline. `isFinal`: the same job would fail again. */
  | {
    readonly is: "jobFinished";
    readonly job: JobId;
    readonly output?: Json;
    readonly fault?: FaultName;
    readonly reason?: string;
    readonly isFinal?: boolean;
  }
  | {
    readonly is: "fileSaved";
    readonly file: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly fault?: FaultName;
  }
  | {
    readonly is: "requested";
    readonly requestId: RequestId;
    /** Who makes the request, with their scopes. */
    readonly principal: Principal;
    readonly request: ServiceRequest;
  };

export type LifecycleEvent =
  /** A deadline of the service may have passed. */
  | { readonly is: "tick" }
  | { readonly is: "configured"; readonly settings: Settings }
  /** Accept nothing new, finish pending work by `until`, then emit `drained`. */
  | { readonly is: "draining"; readonly until: Millis };

/** Every event that reaches the relay. */
export type Event = PeerEvent | LinkEvent | StoreEvent | WorkEvent | LifecycleEvent | ControlFrame | Rebuilt;

/** The peer sent a ping, or a pong that answers no ping. Handled by the relay, never by a service: it counts as work. */
export interface ControlFrame {
  readonly is: "controlFrame";
  readonly peer: PeerId;
}

/** The stored entries of a service that panicked. Handled by the relay, never by a service. */
export interface Rebuilt {
  readonly is: "rebuilt";
  readonly service: ServiceName;
  readonly entries: readonly Entry[];
  readonly resumed: readonly ResumedPeer[];
}

/** Every event that reaches a service: those above that concern it, and messages from other services. */
export type ServiceEvent = PeerEvent | LinkEvent | StoreEvent | WorkEvent | LifecycleEvent | ServiceMessageEvent;
export interface ServiceMessageEvent {
  readonly is: "serviceMessage";
  readonly message: ServiceMessage;
}
