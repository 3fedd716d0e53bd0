/**
 * Pings the sockets of games every 30 s, and closes those that stopped answering.
 *
 * Invariant: KA1 a socket that never answered a ping is never closed for silence: its runtime, or its client, may not support pings.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import type { GameSocket, NeuroState, Timer } from "../state.ts";

const PING_INTERVAL_MS: Millis = 30_000;
/** A socket that has answered pings is closed when it sends nothing for this long. */
const SILENCE_MAX_MS: Millis = 120_000;
/** After this many pings without any answer a socket is not pinged any more. */
const UNANSWERED_PINGS_MAX = 2;

const KEEPALIVE: Timer = { is: "keepalive" };

/** Sets the timer if there is a socket to ping. */
export function scheduleKeepalive(state: NeuroState, now: Millis): void {
  if (state.timers.get(KEEPALIVE) !== undefined) return;
  for (const { canPong, unansweredPings } of state.sockets.values()) {
    if (canPong || unansweredPings < UNANSWERED_PINGS_MAX) return state.timers.set(KEEPALIVE, now + PING_INTERVAL_MS);
  }
}

/** Pings a socket, and keeps the time until a pong comes. */
export function pingSocket(socket: GameSocket, ctx: StepContext): void {
  socket.pingedAt ??= ctx.now;
  ctx.emit({ do: "ping", peer: socket.peer });
}

export function pingSockets(state: NeuroState, ctx: StepContext): void {
  for (const socket of state.sockets.values()) {
    const { peer, canPong, lastConnection, connection } = socket;
    if (canPong && ctx.now - socket.lastHeardAt > SILENCE_MAX_MS) {
      const from = lastConnection?.game.name ?? connection.address;
      ctx.observe({ is: "peer_closed_by_relay", from, fault: "leaving" });
      ctx.emit({ do: "close", peer, fault: "leaving" });
    } else if (canPong || socket.unansweredPings < UNANSWERED_PINGS_MAX) {
      socket.unansweredPings++;
      pingSocket(socket, ctx);
    }
  }
  scheduleKeepalive(state, ctx.now);
}
