/**
 * Sockets whose client never sends a message by itself: after 1 s it is asked to register everything again, and after 2 s it is taken
 * for the one game that disconnected from the same place, if there is no doubt.
 *
 * Invariant: ID1 a client that begins with `startup` is not asked to register again.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { percentDecode } from "../../../core/text.ts";
import { type Game, type GameSocket, isConnected, type Timer } from "../state.ts";
import { normalizeGameName } from "./registry.ts";
import { requestReregistration } from "./reregistration.ts";

const REQUEST_MS: Millis = 1_000;
const IDENTIFY_MS: Millis = 2_000;
/** Only a game that disconnected this recently is a candidate. */
const AWAY_MAX_MS: Millis = 60_000;

export const firstMessageTimer = (peer: PeerId): Timer => ({ is: "first_message", peer });

export function awaitFirstMessage({ service: state, peer }: GameSocket, now: Millis): void {
  state.timers.set(firstMessageTimer(peer), now + REQUEST_MS);
}

/** The socket has sent no message yet: asks its client to register everything, or says which game it must be. */
export function identifySilentSocket(
  socket: GameSocket,
  ctx: StepContext,
): { readonly name: string; readonly game: Game } | undefined {
  const { service: state } = socket;
  if (socket.hasSpoken) return undefined;
  const name = gameNameInPath(socket);
  if (socket.reregisterAskedAt === undefined) {
    requestReregistration(socket, ctx);
    if (name === undefined) {
      state.timers.set(firstMessageTimer(socket.peer), socket.openedAt + IDENTIFY_MS);
      return undefined;
    }
    const game = state.games.get(`neuro:${normalizeGameName(name)}`);
    return game === undefined || isConnected(game) ? undefined : { name, game };
  }
  const candidates = [...state.games.values()].filter((game) => isCandidate(game, socket, ctx.now));
  const [game] = candidates;
  return game !== undefined && candidates.length === 1 ? { name: game.name, game } : undefined;
}

/** The game that a path names: `.../game/<name>`. */
export function gameNameInPath({ connection }: GameSocket): string | undefined {
  const encoded = /\/game\/([^/]+)\/?$/.exec(connection.path)?.[1];
  return encoded === undefined ? undefined : percentDecode(encoded);
}

function isCandidate({ listener, presence, connection }: Game, socket: GameSocket, now: Millis): boolean {
  if (listener !== "neuro" || presence.is === "connected" || connection === undefined) return false;
  if (now - presence.since >= AWAY_MAX_MS) return false;
  const { address, path, userAgent } = socket.connection;
  return connection.address === address && connection.path === path && connection.userAgent === userAgent;
}
