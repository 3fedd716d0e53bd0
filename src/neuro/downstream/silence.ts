/**
 * Sockets that say nothing: asked for their actions, guessed, pinged, and let go of when they are dead.
 *
 * Invariants: Q1 nobody is asked to register again who begins with `startup`; Q2 nobody is given up for silence who never
 * answered a ping: that runtime, or that client, cannot tell.
 */
import type { Millis, PeerId } from "../../core/ids.ts";
import type { Turn } from "../../core/turn.ts";
import type { Game, Neuro, Socket } from "../state.ts";
import { encodeForGame } from "../wire.ts";
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
export function awaitFirst({ room, peer }: Socket, now: Millis): void {
  room.timers.set(silenceTimer(peer), now + ASK_MS);
}

/** Asks the games of a socket to register all they have. */
export function askForAll(socket: Socket, turn: Turn): void {
  socket.askedAt = turn.now;
  for (const seat of socket.seats.values()) seat.hasListed = false;
  const frame = encodeForGame({ command: "actions/reregister_all" });
  if (frame === undefined) return;
  turn.count("game", "out", "actions/reregister_all");
  turn.put({ do: "send", to: socket.peer, frame });
}

/** A socket has said nothing for a while: asks it. Later says which game it must be, if there is no doubt. */
export function silent(socket: Socket, turn: Turn): { readonly name: string; readonly game: Game } | undefined {
  const { room } = socket;
  if (socket.hasSpoken) return undefined;
  const named = pathName(socket);
  if (socket.askedAt === undefined) {
    askForAll(socket, turn);
    if (named === undefined) room.timers.set(silenceTimer(socket.peer), socket.openedAt + GUESS_MS);
    const game = named === undefined ? undefined : room.games.get(`neuro:${nameOf(named)}`);
    return named !== undefined && game !== undefined && game.peer === undefined ? { name: named, game } : undefined;
  }
  const candidates = [...room.games.values()].filter((game) => mayBe(game, socket, turn.now));
  const [game] = candidates;
  return game !== undefined && candidates.length === 1 ? { name: game.name, game } : undefined;
}

/** The game that a path names: `.../game/<name>`. */
export function pathName({ caller }: Socket): string | undefined {
  const encoded = /\/game\/([^/]+)\/?$/.exec(caller.path)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Where nobody can answer a ping there is nothing to wake up for. */
export function keepAlive(room: Neuro, now: Millis): void {
  if (room.timers.get(KEEPALIVE) !== undefined) return;
  for (const { canPong, pings } of room.sockets.values()) {
    if (canPong || pings < PINGS_MAX) return room.timers.set(KEEPALIVE, now + PING_MS);
  }
}

/** Pings everybody who may answer, and lets go of those who did and do not any more. */
export function pingAll(room: Neuro, turn: Turn): void {
  for (const socket of room.sockets.values()) {
    if (socket.canPong && turn.now - socket.heardAt > DEAD_MS) {
      turn.note({ is: "peer_closed_by_relay", from: socket.last?.game.name ?? socket.caller.address, fault: "leaving" });
      turn.put({ do: "close", peer: socket.peer, fault: "leaving" });
    } else if (socket.canPong || socket.pings < PINGS_MAX) {
      socket.pings++;
      turn.put({ do: "ping", peer: socket.peer });
    }
  }
  keepAlive(room, turn.now);
}

function mayBe({ door, peer, leftAt, caller }: Game, socket: Socket, now: Millis): boolean {
  if (door !== "neuro" || peer !== undefined || caller === undefined || now - leftAt >= GUESS_AWAY_MS) return false;
  const { address, path, userAgent } = socket.caller;
  return caller.address === address && caller.path === path && caller.userAgent === userAgent;
}
