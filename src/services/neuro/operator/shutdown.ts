/**
 * An operator asks integrations to shut down, or to register their actions again.
 *
 * An integration gets an operator's request whatever its policy says: one that does not know the command and ends because of it does what
 * was wanted. One that does not answer within `actions.shutdown_timeout` is disconnected.
 */
import { assertNever } from "../../../core/assert.ts";
import { NALLELY_PEER, RELAY_PEER } from "../../../core/ids.ts";
import type { ShutdownKind } from "../../../core/request.ts";
import type { StepContext } from "../../../core/context.ts";
import { unregisterNames } from "../games/game-messages.ts";
import { shutdownTimer } from "../games/registry.ts";
import { requestReregistration } from "../games/reregistration.ts";
import { toGame } from "../outbound.ts";
import { type Game, type GameSocket, isConnected, type NeuroState, peerOf } from "../state.ts";

/** The connected integrations that are programs of their own, or the one that is given. */
export const askable = (state: NeuroState, only: Game | undefined): readonly Game[] =>
  [...only === undefined ? state.games.values() : [only]].filter((game) =>
    isConnected(game) && peerOf(game) !== NALLELY_PEER && peerOf(game) !== RELAY_PEER
  );

/** Asks games to shut down, or takes that back. Returns how many were asked. */
export function shutDown(games: readonly Game[], how: ShutdownKind, ctx: StepContext): number {
  return games.filter((game) => shutDownOne(game, how, ctx)).length;
}

function shutDownOne(game: Game, how: ShutdownKind, ctx: StepContext): boolean {
  const { service: { timers, settings } } = game;
  switch (how) {
    case "cancel":
      if (game.shutdown === "none") return false;
      game.shutdown = "none";
      timers.clear(shutdownTimer(game));
      return toGame(game, { command: "shutdown/graceful", wanted: false }, ctx);
    case "graceful":
    case "immediate": {
      const wasSent = how === "graceful"
        ? toGame(game, { command: "shutdown/graceful", wanted: true }, ctx)
        : toGame(game, { command: "shutdown/immediate" }, ctx);
      if (!wasSent) return false;
      game.shutdown = "asked";
      const { shutdown_timeout } = settings.actions;
      if (shutdown_timeout > 0) timers.set(shutdownTimer(game), ctx.now + shutdown_timeout);
      return true;
    }
    default:
      return assertNever(how);
  }
}

/** A game has not answered an operator's request in time. */
export function endShutdown(game: Game, ctx: StepContext): void {
  const peer = peerOf(game);
  if (peer === undefined || game.shutdown !== "asked") return;
  ctx.observe({ is: "peer_closed_by_relay", from: game.name, fault: "leaving", reason: "it did not answer the shutdown" });
  ctx.emit({ do: "close", peer, fault: "leaving" });
}

/** Asks games to register all their actions again; with `clear` they are unregistered first. Returns how many were asked. */
export function reregister(games: readonly Game[], clear: boolean, ctx: StepContext): number {
  const sockets = new Set<GameSocket>();
  for (const game of games) {
    if (clear) unregisterNames(game, [...game.actions.keys()], ctx);
    const socket = game.listener === "neuro" ? game.service.sockets.get(peerOf(game) ?? NALLELY_PEER) : undefined;
    if (socket !== undefined) sockets.add(socket);
    else toGame(game, { command: "actions/reregister_all" }, ctx);
  }
  for (const socket of sockets) requestReregistration(socket, ctx);
  return games.length;
}
