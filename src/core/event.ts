/**
 * Everything that can happen to the relay. Closed: adding one is an architecture decision.
 *
 * Adapters and the engine make events; machines only read them.
 */
import type { JobId, Key, LinkId, LoadToken, Millis, PeerId, RequestId } from "./ids.ts";
import type { Frame, Json } from "./json.ts";
import type { FaultName } from "./fault.ts";
import type { Principal, ServiceRequest } from "./request.ts";
import type { ListenerName, ServiceName } from "./service.ts";
import type { Settings } from "./settings.ts";
import type { ServiceMessage } from "./service-message.ts";

export type { ListenerName } from "./service.ts";

/** What an upgrade request says about who is calling. Nothing in it is to be trusted but `address`. */
export interface ConnectionInfo {
  readonly address: string;
  /** Without query; a token in the path has been cut out. */
  readonly path: string;
  readonly userAgent: string;
  /** The `Neuro-Relay-Via` header: ids of the relays it came through. */
  readonly via: string;
}

/** A stored entry: its key, and its value where it was asked for. */
export interface Entry {
  readonly key: Key;
  readonly value?: Json;
}

/** A peer that was connected before this machine was made, with what its room attached to it. */
export interface ResumedPeer {
  readonly peer: PeerId;
  readonly listener: ListenerName;
  readonly connection: ConnectionInfo;
  readonly attachment?: Json;
}

export type PeerEvent =
  | { readonly is: "opened"; readonly peer: PeerId; readonly listener: ListenerName; readonly connection: ConnectionInfo }
  | { readonly is: "frame"; readonly peer: PeerId; readonly frame: Frame }
  | { readonly is: "closed"; readonly peer: PeerId; readonly code: number }
  /** The peer sends more than it may: the frame was dropped and should be tried again after `retryMs`. */
  | { readonly is: "throttled"; readonly peer: PeerId; readonly retryMs: Millis }
  /** The peer answered a ping. */
  | { readonly is: "ponged"; readonly peer: PeerId }
  /** More waits for this peer than it should; `eased` follows, or `closed`. */
  | { readonly is: "backpressure"; readonly peer: PeerId }
  | { readonly is: "relieved"; readonly peer: PeerId };

export type LinkEvent =
  | { readonly is: "dialed"; readonly link: LinkId }
  | { readonly is: "received"; readonly link: LinkId; readonly frame: Frame }
  /** Also the answer to a dial that failed. */
  | { readonly is: "dropped"; readonly link: LinkId; readonly code: number; readonly reason: string }
  | { readonly is: "linkBackpressure"; readonly link: LinkId }
  | { readonly is: "linkRelieved"; readonly link: LinkId };

export type StoreEvent =
  | { readonly is: "stored"; readonly key: Key }
  /** The entry is not there and will not be. */
  | { readonly is: "storeFailed"; readonly key: Key; readonly reason: string }
  | { readonly is: "loaded"; readonly token: LoadToken; readonly entries: readonly Entry[] }
  | { readonly is: "loadFailed"; readonly token: LoadToken; readonly reason: string };

export type WorkEvent =
  | { readonly is: "jobFinished"; readonly job: JobId; readonly output?: Json; readonly fault?: FaultName }
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
    /** Who asks, and what they may do. */
    readonly principal: Principal;
    readonly request: ServiceRequest;
  };

export type LifecycleEvent =
  /** A deadline of the room has come, or may have. */
  | { readonly is: "tick" }
  | { readonly is: "configured"; readonly settings: Settings }
  /** Accept nothing new, finish the rest by `until`, then put `drained`. */
  | { readonly is: "draining"; readonly until: Millis };

/** What reaches the relay. */
export type Event = PeerEvent | LinkEvent | StoreEvent | WorkEvent | LifecycleEvent | Rebuilt;

/** What was read of the store for a room that panicked. Handled by the relay, never by a room. */
export interface Rebuilt {
  readonly is: "rebuilt";
  readonly service: ServiceName;
  readonly entries: readonly Entry[];
  readonly resumed: readonly ResumedPeer[];
}

/** What reaches a room: all of the above that concerns it, and what other rooms tell it. */
export type ServiceEvent = PeerEvent | LinkEvent | StoreEvent | WorkEvent | LifecycleEvent | ServiceMessageEvent;
export interface ServiceMessageEvent {
  readonly is: "serviceMessage";
  readonly message: ServiceMessage;
}
