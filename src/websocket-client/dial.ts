/** A dialled socket, as all runtimes have it, and whoever hears it. */
import type { Frame } from "../core/json.ts";

/** What can be done with a dialled socket. None of these throws, whatever state it is in. */
export interface DialledSocket {
  /** Returns the bytes that wait after it. */
  send(frame: Frame): number;
  /** Closes it, where it is open with this code, 1000 without one, if the runtime can; nothing is heard of it any more. */
  end(code?: number): void;
}

/** Who hears what happens to it. `closed` comes once, and last. */
export interface DialListener {
  opened(): void;
  heard(frame: Frame): void;
  /** The backlog that `send` reported is gone, or nearly. */
  eased(): void;
  closed(code: number, reason: string): void;
}

export interface DialRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Dials. Throws only for a request that cannot be dialled at all. */
export type Dial = (request: DialRequest, listener: DialListener) => DialledSocket;
