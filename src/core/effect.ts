/**
 * Everything a machine may ask of the world. Closed: adding one is an architecture decision.
 *
 * A failed send, dial or write comes back as an event, never as an exception.
 */
import type { FaultName } from "./fault.ts";
import type { JobId, Key, LinkId, LoadToken, Millis, PeerId, RequestId } from "./ids.ts";
import type { Frame, Json } from "./json.ts";
import type { Observation } from "./observation.ts";
import type { ServiceName } from "./service.ts";

/** One thing that a machine wants done. */
export type Effect =
  | Send
  | Reply
  /** `as` is how the other end of a proxied connection closed, said in place of the fault. */
  | { readonly do: "close"; readonly peer: PeerId; readonly fault: FaultName; readonly as?: CloseFrame }
  /** A liveness probe; `ponged` follows where the runtime can tell, else nothing does. */
  | { readonly do: "ping"; readonly peer: PeerId }
  /** What is remembered of the peer over a panic, and over sleep on a Durable Object. At most 8 KiB. */
  | { readonly do: "attach"; readonly peer: PeerId; readonly attachment: Json }
  | {
    readonly do: "dial";
    readonly link: LinkId;
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
  }
  /** Closes with `code`, or 1000. */
  | { readonly do: "closeLink"; readonly link: LinkId; readonly code?: number }
  /** A new key, always. `stored` or `storeFailed` follows. */
  | { readonly do: "put"; readonly key: Key; readonly value: Json }
  | { readonly do: "delete"; readonly key: Key }
  /** `loaded` follows with the entries of those keys that are there. A room knows its keys: nothing is ever searched. */
  | { readonly do: "load"; readonly token: LoadToken; readonly keys: readonly Key[] }
  /** Bytes of an upload, kept outside the store of entries. `saved` follows. */
  | { readonly do: "saveFile"; readonly file: string; readonly bytes: Uint8Array }
  | { readonly do: "deleteFile"; readonly file: string }
  | { readonly do: "runJob"; readonly job: JobId; readonly name: JobName; readonly input: Json; readonly deadline: Millis }
  /** `reason` says of a fault, in a sentence, what was wrong. With `after` it is given once that key is stored; else the store failed. */
  | {
    readonly do: "respond";
    readonly requestId: RequestId;
    readonly body?: Json;
    readonly fault?: FaultName;
    readonly reason?: string;
    readonly after?: Key;
  }
  | { readonly do: "observe"; readonly observation: Observation }
  /** This room has nothing left in flight and has closed its peers. Answer to `draining`. */
  | { readonly do: "drained"; readonly service: ServiceName }
  /** This room panicked: read its entries again, hang up its links, and say `rebuilt`. Put by the relay only. */
  | { readonly do: "rebuild"; readonly service: ServiceName };

export interface Send {
  readonly do: "send";
  readonly to: PeerId | LinkId;
  readonly frame: Frame;
  /** It has to be answered: the answer does not count against the peer's speed. */
  readonly expectsReply?: boolean;
}

/**
 * A frame that answers a request of its peer. Replies to one peer keep their order among themselves; what is merely sent may
 * overtake a reply that waits.
 */
export interface Reply {
  readonly do: "reply";
  readonly to: PeerId;
  readonly frame: Frame;
  /** Leaves only once this key is stored; `otherwise` leaves instead when it could not be. */
  readonly after?: Key;
  readonly onFailure?: Frame;
}

/** How a connection was closed. */
export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/** Each is one file in `src/jobs`, or is lent by the runtime where it needs more than the network. */
export type JobName = "decide" | "artifact";
