/**
 * Sockets that say nothing: asked for their actions, guessed, pinged, and let go of when they are dead.
 *
 * Invariants: Q1 nobody is asked to register again who begins with `startup`; Q2 nobody is given up for silence who never
 * answered a ping: that runtime, or that client, cannot tell.
 */
import type { Millis, PeerId } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Game, GameSocket, NeuroState } from "../state.ts";
import { encodeForGame } from "../codec/wire.ts";
import { nameOf } from "./games.ts";

/** How long the next list of a game may be the answer to what it was asked. */
export const LIST_MS = 2_000;
/** A socket that has said nothing for so long is asked to register everything. */
const ASK_MS = 1_000;
/** One that has still said nothing may be a client that never does. */
const GUESS_MS = 2_000;
/** Only a game that left so recently is guessed. */
const GUESS_AWAY_MS = 60_000;
const PING_MS = 30_000;
const DEAD_MS = 120_000;
/** So many pings without any answer show that nobody can tell. */
const PINGS_MAX = 2;

export const silenceTimer = (peer: PeerId): string => `silence ${peer}`;
const KEEPALIVE = "keepalive all";

/** A socket is new: if it says nothing for a second, its games are asked. */
export function awaitFirst({ service: state, peer }: GameSocket, now: Millis): void {
  state.timers.set(silenceTimer(peer), now + ASK_MS);
}

/** Asks the games of a socket to register all they have. */
export function askForAll(socket: GameSocket, ctx: StepContext): void {
  socket.reregisterAskedAt = ctx.now;
  for (const seat of socket.connections.values()) seat.hasReregistered = false;
  const frame = encodeForGame({ command: "actions/reregister_all" });
  if (frame === undefined) return;
  ctx.count("game", "out", "actions/reregister_all");
  ctx.emit({ do: "send", to: socket.peer, frame });
}

/** A socket has said nothing for a while: asks it. Later says which game it must be, if there is no doubt. */
export function silent(socket: GameSocket, ctx: StepContext): { readonly name: string; readonly game: Game } | undefined {
  const { service: state } = socket;
  if (socket.hasSpoken) return undefined;
  const named = pathName(socket);
  if (socket.reregisterAskedAt === undefined) {
    askForAll(socket, ctx);
    if (named === undefined) state.timers.set(silenceTimer(socket.peer), socket.openedAt + GUESS_MS);
    const game = named === undefined ? undefined : state.games.get(`neuro:${nameOf(named)}`);
    return named !== undefined && game !== undefined && game.peer === undefined ? { name: named, game } : undefined;
  }
  const candidates = [...state.games.values()].filter((game) => mayBe(game, socket, ctx.now));
  const [game] = candidates;
  return game !== undefined && candidates.length === 1 ? { name: game.name, game } : undefined;
}

/** The game that a path names: `.../game/<name>`. */
export function pathName({ connection }: GameSocket): string | undefined {
  const encoded = /\/game\/([^/]+)\/?$/.exec(connection.path)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Where nobody can answer a ping there is nothing to wake up for. */
export function keepAlive(state: NeuroState, now: Millis): void {
  if (state.timers.get(KEEPALIVE) !== undefined) return;
  for (const { canPong, unansweredPings } of state.sockets.values()) {
    if (canPong || unansweredPings < PINGS_MAX) return state.timers.set(KEEPALIVE, now + PING_MS);
  }
}

/** Pings everybody who may answer, and lets go of those who did and do not any more. */
export function pingAll(state: NeuroState, ctx: StepContext): void {
  for (const socket of state.sockets.values()) {
    if (socket.canPong && ctx.now - socket.lastHeardAt > DEAD_MS) {
      ctx.observe({
        is: "peer_closed_by_relay",
        from: socket.lastConnection?.game.name ?? socket.connection.address,
        fault: "leaving",
      });
      ctx.emit({ do: "close", peer: socket.peer, fault: "leaving" });
    } else if (socket.canPong || socket.unansweredPings < PINGS_MAX) {
      socket.unansweredPings++;
      ctx.emit({ do: "ping", peer: socket.peer });
    }
  }
  keepAlive(state, ctx.now);
}

function mayBe({ listener, peer, leftAt, connection }: Game, socket: GameSocket, now: Millis): boolean {
  if (listener !== "neuro" || peer !== undefined || connection === undefined || now - leftAt >= GUESS_AWAY_MS) return false;
  const { address, path, userAgent } = socket.connection;
  return connection.address === address && connection.path === path && connection.userAgent === userAgent;
}
