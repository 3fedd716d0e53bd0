/**
 * Messages of Neuro to all games: her identity, reports of her speech, and requests to shut down.
 *
 * Some clients end at a command that they do not know, so a game gets only what its policy allows.
 *
 * Invariants: N1 Neuro gets one `shutdown/ready`, once all asked games are ready or have left, or the time is over; N2 a cancellation
 * reaches exactly the games that were asked and have not left, whether they are ready or not.
 */
import type { NeuroMessage, NeuroSession } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import { RELAY, toGame, toNeuro } from "../outbound.ts";
import { type Game, isConnected, type Timer, type Upstream } from "../state.ts";
import { sync, updateVisibility } from "../actions/actions.ts";
import { cancelForces } from "../forces/forces.ts";
import { failForLostGame } from "../pending/pending.ts";
import { releaseContexts } from "./contexts.ts";

const GRACEFUL_MS: Millis = 30_000;
const IMMEDIATE_MS: Millis = 4_000;

const shutdownTimer = ({ id }: Upstream): Timer => ({ is: "shutdown", upstream: id });

/** Neuro's session has begun: she says which character she is. */
export function sessionStarted(upstream: Upstream, session: NeuroSession, ctx: StepContext): void {
  const isChanged = upstream.session?.characterId !== session.characterId;
  upstream.session = session;
  // Why not for the built-in Neuro: her connection is never lost, so a new session is one that the settings ask for.
  if (!isChanged && upstream.decider === undefined) return;
  if (isChanged) ctx.observe({ is: "character_changed", upstream: upstream.id, character: session.characterId });
  for (const game of connectedGames(upstream)) {
    updateOffAir(game, ctx);
    sendSession(game, ctx);
  }
}

/** Sends a game Neuro's session, if it is known. False if it is not sent. */
export function sendSession(game: Game, ctx: StepContext): boolean {
  const { session } = game.upstream;
  return session !== undefined && !game.isOffAir && toGame(game, { command: "startup", session }, ctx);
}

/** Takes a game off the air while Neuro is another character than the one it is assigned to, and back on the air. */
export function updateOffAir(game: Game, ctx: StepContext): void {
  const { upstream, policy } = game;
  const wanted = policy.upstream === undefined ? undefined : upstream.settings?.character;
  const isParked = wanted !== undefined && upstream.session !== undefined && upstream.session.characterId !== wanted;
  if (game.isOffAir === isParked) return;
  game.isOffAir = isParked;
  updateVisibility(game);
  sync(upstream, ctx);
  if (!isParked) return releaseContexts(upstream, game.key);
  failForLostGame(game, ctx);
  cancelForces(game, "game_gone", ctx);
}

/** Forwards `speech_finished` to the games whose policy allows it. */
export function forwardSpeechFinished(upstream: Upstream, message: NeuroMessage, ctx: StepContext): void {
  for (const game of connectedGames(upstream)) if (game.policy.speech_finished) toGame(game, message, ctx);
}

/** Neuro wants all games to shut down, or does not any more. */
export function requestShutdown(upstream: Upstream, how: "graceful" | "immediate" | "cancelled", ctx: StepContext): void {
  const { shutdown, service: state } = upstream;
  if (how === "cancelled") {
    for (const game of shutdown.asked) toGame(game, { command: "shutdown/graceful", wanted: false }, ctx);
    shutdown.asked.clear();
    shutdown.awaited.clear();
    shutdown.isRequested = false;
    return state.timers.clear(shutdownTimer(upstream));
  }
  const message: NeuroMessage = how === "graceful"
    ? { command: "shutdown/graceful", wanted: true }
    : { command: "shutdown/immediate" };
  shutdown.isRequested = true;
  for (const game of connectedGames(upstream)) {
    if (!game.policy.shutdown || !toGame(game, message, ctx)) continue;
    shutdown.asked.add(game);
    shutdown.awaited.add(game);
  }
  state.timers.set(shutdownTimer(upstream), ctx.now + (how === "graceful" ? GRACEFUL_MS : IMMEDIATE_MS));
  if (shutdown.awaited.size === 0) finishShutdown(upstream, ctx);
}

/** A game has left: it is not asked any more. */
export function leaveShutdown(game: Game, ctx: StepContext): void {
  game.upstream.shutdown.asked.delete(game);
  shutdownReady(game, ctx);
}

/** A game is ready to shut down. */
export function shutdownReady(game: Game, ctx: StepContext): void {
  const { upstream } = game;
  upstream.shutdown.awaited.delete(game);
  if (upstream.shutdown.isRequested && upstream.shutdown.awaited.size === 0) finishShutdown(upstream, ctx);
}

/** Sends `shutdown/ready`: all games are ready, or time is over. */
export function finishShutdown(upstream: Upstream, ctx: StepContext): void {
  upstream.shutdown.isRequested = false;
  upstream.service.timers.clear(shutdownTimer(upstream));
  toNeuro(upstream, { command: "shutdown/ready" }, RELAY, ctx);
}

/** Why not all games: many more may be away than are connected. */
function connectedGames(upstream: Upstream): Game[] {
  const { sockets, integrations } = upstream.service;
  const games = [...integrations.values()];
  for (const { connections } of sockets.values()) {
    for (const { game, state } of connections.values()) if (state.is === "active") games.push(game);
  }
  return games.filter((game) => game.upstream === upstream && isConnected(game));
}
