/**
 * The closed union of effects. Adding one is an architecture decision.
 *
 * A failed send, dial or write is reported by an event, never by an exception.
 */
import type { FaultName } from "./fault.ts";
import type { JobId, Key, LinkId, LoadToken, Millis, PeerId, RequestId } from "./ids.ts";
import type { Frame, Json } from "./json.ts";
import type { Observation } from "./observation.ts";
import type { ServiceName } from "./service.ts";

/** One effect of a step, executed by the engine. */
export type Effect =
  | Send
  | Reply
  /**
   * `as`: the close frame of the other end of a proxied connection, used instead of the fault. With the code `ABNORMAL_CLOSE` the peer is
   * disconnected without a close frame, where the platform can do that.
   */
  | { readonly do: "close"; readonly peer: PeerId; readonly fault: FaultName; readonly as?: CloseFrame }
  /** A liveness probe. `ponged` follows if the runtime reports pongs. */
  | { readonly do: "ping"; readonly peer: PeerId }
  /** Data kept with the peer over a panic, and over the sleep of a Durable Object. At most 8 KiB. */
  | { readonly do: "attach"; readonly peer: PeerId; readonly attachment: Json }
  | {
    readonly do: "dial";
    readonly link: LinkId;
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
  }
  /** Closes with `code`, or 1000. */
  | { readonly do: "closeLink"; readonly link: LinkId; readonly code?: number; readonly reason?: string }
  /** Always a new key. `stored` or `storeFailed` follows. */
  | { readonly do: "put"; readonly key: Key; readonly value: Json }
  | { readonly do: "delete"; readonly key: Key }
  /** `loaded` follows with the entries that exist. A service knows its keys, so nothing searches the store. */
  | { readonly do: "load"; readonly token: LoadToken; readonly keys: readonly Key[] }
  /** Bytes of an upload, kept outside the store of entries. `fileSaved` follows. */
  | { readonly do: "saveFile"; readonly file: string; readonly bytes: Uint8Array }
  | { readonly do: "deleteFile"; readonly file: string }
  | { readonly do: "runJob"; readonly job: JobId; readonly name: JobName; readonly input: Json; readonly deadline: Millis }
  /** `reason` explains the fault in a sentence. With `after` it is sent once that key is stored, or as `storageFailed`. */
  | {
    readonly do: "respond";
    readonly requestId: RequestId;
    readonly body?: Json;
    readonly fault?: FaultName;
    readonly reason?: string;
    readonly after?: Key;
  }
  | { readonly do: "observe"; readonly observation: Observation }
  /** The service has no pending work and has closed its peers. Reply to `draining`. */
  | { readonly do: "drained"; readonly service: ServiceName }
  /** The service panicked: read its entries again, close its links, and push `rebuilt`. Emitted by the relay only. */
  | { readonly do: "rebuild"; readonly service: ServiceName };

export interface Send {
  readonly do: "send";
  readonly to: PeerId | LinkId;
  readonly frame: Frame;
  /** The peer has to reply to it. The reply does not count against the peer's rate limit. */
  readonly expectsReply?: boolean;
}

/**
 * A frame that replies to a request of its peer. Replies to one peer keep their order; a frame that is merely sent may overtake a
 * reply that waits.
 */
export interface Reply {
  readonly do: "reply";
  readonly to: PeerId;
  readonly frame: Frame;
  /** The peer acknowledges this reply. Its acknowledgement does not count against its rate limit. */
  readonly expectsReply?: boolean;
  /** Sent only once this key is stored. If it could not be stored, `onFailure` is sent instead. */
  readonly after?: Key;
  readonly onFailure?: Frame;
}

/** How a connection was closed. */
export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/** Each job is one file in `src/jobs`, or provided by the runtime if it needs more than the network. */
export type JobName = "decide" | "artifact";
