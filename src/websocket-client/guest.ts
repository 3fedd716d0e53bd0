/** An accepted socket, as all runtimes have it, and whoever owns it. */
import type { Frame } from "../core/json.ts";

/** A socket whose backlog fell below this is eased. */
export const EASED_BYTES: number = 64 * 1_024;

/** What can be done with a socket. None of these throws, whatever state it is in. */
export interface GuestSocket {
  /** Sends frames in order, in one write where the runtime can. Returns the bytes that wait after it; 0 where nobody knows. */
  write(frames: readonly Frame[]): number;
  close(code: number, reason: string): void;
  /** Cuts it off without waiting for the other end, where the runtime can. */
  cut(): void;
  /** Nothing, where the runtime cannot. */
  ping(): void;
}

/** The owner of one socket. None of these throws. */
export interface Guest {
  opened(socket: GuestSocket): void;
  heard(frame: Frame): void;
  /** Something of the backlog was taken; so many bytes still wait. */
  drained(waiting: number): void;
  ponged(): void;
  closed(code: number): void;
}
