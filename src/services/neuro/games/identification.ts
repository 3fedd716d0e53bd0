/**
 * Sockets whose client never sends a message by itself. After 1 s the client is asked to register everything again. After 2 s the socket
 * is assigned to the game that disconnected from the same place, if only one game is possible. If several games disconnected there, each
 * one that connects is ruled out, until one is left.
 *
 * Invariants: ID1 a client that begins with `startup` is not asked to register again; ID2 a socket is identified only if no other game
 * may be on it, and no other silent socket may be that game.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import { percentDecode } from "../../../core/text.ts";
import { diagnoseUnnamed } from "../diagnostics/diagnose.ts";
import { type Game, type GameSocket, isConnected } from "../state.ts";
import { connectionName, normalizeGameName } from "./registry.ts";
import { requestReregistration } from "./reregistration.ts";

const REQUEST_MS: Millis = 1_000;
const IDENTIFY_MS: Millis = 2_000;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;

export const awaitFirstMessage = (socket: GameSocket, now: Millis): void => awaitUntil(socket, now + REQUEST_MS);

function awaitUntil(socket: GameSocket, at: Millis): void {
  socket.firstMessage = socket.service.firstMessages.add(socket, at);
}

/** The socket has sent a message, or has closed. */
export function endSilence(socket: GameSocket): void {
  const { service: { silent, firstMessages }, firstMessage } = socket;
  silent.forget(socket);
  if (firstMessage !== undefined) firstMessages.clear(firstMessage);
  socket.firstMessage = undefined;
}

/** The socket has sent no message yet: asks its client to register everything, or returns its only possible game. */
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
      awaitUntil(socket, socket.openedAt + IDENTIFY_MS);
      return undefined;
    }
    const game = state.games.get(`neuro:${normalizeGameName(name)}`);
    return game === undefined || isConnected(game) ? undefined : { name, game };
  }
  const candidates = state.silent.candidatesFor(socket);
  const [game] = candidates;
  if (game !== undefined && candidates.length === 1) return { name: game.name, game };
  if (candidates.length > 1 && state.silent.await(socket, candidates)) reportUnidentified(socket, candidates, ctx);
  return undefined;
}

function reportUnidentified({ service, connection }: GameSocket, candidates: readonly Game[], ctx: StepContext): void {
  const names = candidates.map(({ name }) => name).join(", ").slice(0, NAMES_TEXT_MAX);
  diagnoseUnnamed(service, "game_not_identified", { address: connection.address, detail: names }, ctx);
}

/** The game that a path names: `.../game/<name>`. */
export function gameNameInPath({ connection }: GameSocket): string | undefined {
  const encoded = /\/game\/([^/]+)\/?$/.exec(connection.path)?.[1];
  return encoded === undefined ? undefined : connectionName(percentDecode(encoded));
}
