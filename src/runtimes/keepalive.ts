/**
 * Pings accepted sockets, and disconnects those that stopped answering.
 *
 * Invariant: a socket that never answered a ping is never disconnected for silence, because some clients do not answer pings.
 *
 * Why not the runtime's own: Bun disconnects every socket that is silent for its `idleTimeout`, whether it ever answered or not.
 */
import type { Millis } from "../core/ids.ts";
import type { ConnectionHandler, ServerSocket } from "./connections.ts";

const INTERVAL_MS: Millis = 30_000;
/** A socket that has answered pings is disconnected after this many intervals of silence. */
const SILENT_INTERVALS_MAX = 4;
/** After this many pings without any answer a socket is not pinged any more. */
const UNANSWERED_PINGS_MAX = 2;

/** A socket under observation. Its owner sets `silentIntervals` to 0 whenever a frame is received. */
export interface KeptSocket extends Pick<ServerSocket, "ping" | "terminate"> {
  silentIntervals: number;
  canPong: boolean;
  /** `ping` adds one, each pong subtracts one. */
  pingsUnanswered: number;
}

/** A pong was received: the answer to a ping, or one that nobody asked for. */
export function receivePong(kept: KeptSocket, handler: ConnectionHandler): void {
  if (kept.pingsUnanswered === 0) return handler.controlFrame();
  kept.pingsUnanswered--;
  kept.silentIntervals = 0;
  kept.canPong = true;
  handler.pong();
}

export class Keepalive {
  readonly #kept = new Set<KeptSocket>();
  readonly #intervalMs: Millis;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(intervalMs: Millis = INTERVAL_MS) {
    this.#intervalMs = intervalMs;
  }

  add(kept: KeptSocket): void {
    this.#kept.add(kept);
    this.#timer ??= setInterval(() => this.#check(), this.#intervalMs);
    if (typeof this.#timer === "object" && "unref" in this.#timer) this.#timer.unref();
  }

  remove(kept: KeptSocket): void {
    this.#kept.delete(kept);
    if (this.#kept.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    for (const kept of [...this.#kept]) {
      kept.silentIntervals++;
      if (kept.canPong && kept.silentIntervals > SILENT_INTERVALS_MAX) kept.terminate();
      else if (kept.canPong || kept.silentIntervals <= UNANSWERED_PINGS_MAX) kept.ping();
    }
  }
}
