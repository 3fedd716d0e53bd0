/** Diagnostics of the connections of games: how each begins, which game it names, and how fast it answers. */
import type { GameMessage } from "../../../core/neuro-messages.ts";
import type { StepContext } from "../../../core/context.ts";
import { normalized } from "../../../core/text.ts";
import { type Game, type GameSocket, peerOf } from "../state.ts";
import { diagnose } from "./diagnose.ts";

/** Characters of a name in a detail. */
const NAME_LENGTH_MAX = 256;

export interface FirstMessage {
  readonly game: Game;
  /** The name in the message; undefined if it has none. */
  readonly given: string | undefined;
  readonly message: GameMessage;
}

/** The first message for a game on a socket. */
export function checkFirstMessage(socket: GameSocket, { game, given, message }: FirstMessage, ctx: StepContext): void {
  if (given === undefined) diagnose(game, "game_missing", { message }, ctx);
  else if (normalized(given, NAME_LENGTH_MAX) !== game.name) {
    diagnose(game, "game_name_illegal", { detail: given.slice(0, NAME_LENGTH_MAX), message }, ctx);
  }
  const [other] = socket.connections.values();
  if (other !== undefined) {
    return diagnose(game, "game_renamed", { detail: `"${other.game.name}" is now "${game.name}"`, message }, ctx);
  }
  if (message.command !== "startup") {
    // Why not of the relay's own commands, and those of the Go relay: they are no part of the Neuro API.
    if (message.command !== "other") diagnose(game, "startup_missing", { detail: message.command, message }, ctx);
  } else checkDelay(socket, game, ctx);
}

function checkDelay({ openedAt, service }: GameSocket, game: Game, ctx: StepContext): void {
  const ms = ctx.now - openedAt;
  if (ms > service.settings.diagnostics.startup) diagnose(game, "startup_late", { detail: `it came after ${ms} ms` }, ctx);
}

/** A game sends `startup`. */
export function checkStartup(game: Game, ctx: StepContext): void {
  const peer = peerOf(game);
  const connection = peer === undefined ? undefined : game.service.sockets.get(peer)?.lastConnection;
  const message: GameMessage = { command: "startup" };
  if (peer !== undefined && game.startedBy === peer) diagnose(game, "startup_repeated", { message }, ctx);
  else if (connection?.game === game && !connection.isStarting) {
    diagnose(game, "startup_late", { detail: "it was not the first message of the connection", message }, ctx);
  }
  game.startedBy = peer;
}

/** A pong has come. */
export function checkLatency({ pingedAt, lastConnection, service }: GameSocket, ctx: StepContext): void {
  const ms = ctx.now - (pingedAt ?? ctx.now);
  if (lastConnection === undefined || ms <= service.settings.diagnostics.latency) return;
  diagnose(lastConnection.game, "connection_slow", { detail: `a ping was answered after ${ms} ms` }, ctx);
}
