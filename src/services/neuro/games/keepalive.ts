/**
 * Sockets that say nothing: asked for their actions, guessed, pinged, and let go of when they are dead.
 *
 * Invariants: Q1 nobody is asked to register again who begins with `startup`; Q2 nobody is given up for silence who never
 * answered a ping: that runtime, or that client, cannot tell.
 */
import type { Millis, PeerId } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Game, GameSocket, NeuroState, Timer } from "../state.ts";
import { encodeGame } from "../codec/encode-game.ts";
import { normalizeGameName } from "./registry.ts";

/** How long the next list of a game may be the answer to what it was asked. */
export const REREGISTRATION_MS = 2_000;
/** A socket that has said nothing for so long is asked to register everything. */
const REREGISTER_REQUEST_MS = 1_000;
/** One that has still said nothing may be a client that never does. */
const IDENTIFY_MS = 2_000;
/** Only a game that left so recently is guessed. */
const IDENTIFY_AWAY_MS = 60_000;
const PING_INTERVAL_MS = 30_000;
const SILENCE_MS = 120_000;
/** So many pings without any answer show that nobody can tell. */
const UNANSWERED_PINGS_MAX = 2;

export const firstMessageTimer = (peer: PeerId): Timer => ({ is: "first_message", peer });
const KEEPALIVE: Timer = { is: "keepalive" };

/** A socket is new: if it says nothing for a second, its games are asked. */
export function awaitFirstMessage({ service: state, peer }: GameSocket, now: Millis): void {
  state.timers.set(firstMessageTimer(peer), now + REREGISTER_REQUEST_MS);
}

/** Asks the games of a socket to register all they have. */
export function requestReregistration(socket: GameSocket, ctx: StepContext): void {
  socket.reregisterAskedAt = ctx.now;
  for (const connection of socket.connections.values()) connection.hasReregistered = false;
  const frame = encodeGame({ command: "actions/reregister_all" });
  if (frame === undefined) return;
  ctx.count("game", "out", "actions/reregister_all");
  ctx.emit({ do: "send", to: socket.peer, frame });
}

/** A socket has said nothing for a while: asks it. Later says which game it must be, if there is no doubt. */
export function identifySilentSocket(
  socket: GameSocket,
  ctx: StepContext,
): { readonly name: string; readonly game: Game } | undefined {
  const { service: state } = socket;
  if (socket.hasSpoken) return undefined;
  const named = gameNameInPath(socket);
  if (socket.reregisterAskedAt === undefined) {
    requestReregistration(socket, ctx);
    if (named === undefined) state.timers.set(firstMessageTimer(socket.peer), socket.openedAt + IDENTIFY_MS);
    const game = named === undefined ? undefined : state.games.get(`neuro:${normalizeGameName(named)}`);
    return named !== undefined && game !== undefined && game.peer === undefined ? { name: named, game } : undefined;
  }
  const candidates = [...state.games.values()].filter((game) => mayBeOn(game, socket, ctx.now));
  const [game] = candidates;
  return game !== undefined && candidates.length === 1 ? { name: game.name, game } : undefined;
}

/** The game that a path names: `.../game/<name>`. */
export function gameNameInPath({ connection }: GameSocket): string | undefined {
  const encoded = /\/game\/([^/]+)\/?$/.exec(connection.path)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Where nobody can answer a ping there is nothing to wake up for. */
export function scheduleKeepalive(state: NeuroState, now: Millis): void {
  if (state.timers.get(KEEPALIVE) !== undefined) return;
  for (const { canPong, unansweredPings } of state.sockets.values()) {
    if (canPong || unansweredPings < UNANSWERED_PINGS_MAX) return state.timers.set(KEEPALIVE, now + PING_INTERVAL_MS);
  }
}

/** Pings everybody who may answer, and lets go of those who did and do not any more. */
export function pingSockets(state: NeuroState, ctx: StepContext): void {
  for (const socket of state.sockets.values()) {
    if (socket.canPong && ctx.now - socket.lastHeardAt > SILENCE_MS) {
      ctx.observe({
        is: "peer_closed_by_relay",
        from: socket.lastConnection?.game.name ?? socket.connection.address,
        fault: "leaving",
      });
      ctx.emit({ do: "close", peer: socket.peer, fault: "leaving" });
    } else if (socket.canPong || socket.unansweredPings < UNANSWERED_PINGS_MAX) {
      socket.unansweredPings++;
      ctx.emit({ do: "ping", peer: socket.peer });
    }
  }
  scheduleKeepalive(state, ctx.now);
}

function mayBeOn({ listener, peer, leftAt, connection }: Game, socket: GameSocket, now: Millis): boolean {
  if (listener !== "neuro" || peer !== undefined || connection === undefined || now - leftAt >= IDENTIFY_AWAY_MS) {
    return false;
  }
  const { address, path, userAgent } = socket.connection;
  return connection.address === address && connection.path === path && connection.userAgent === userAgent;
}
