/**
 * What Neuro says to everybody: who she is, when she has spoken, that it is time to stop.
 *
 * A game hears only what its client is known to survive: there are clients that end at a command they do not know.
 *
 * Invariants: N1 Neuro hears one `shutdown/ready`, when all who were asked are ready or gone or out of time; N2 a cancellation
 * reaches exactly those who were asked.
 */
import type { NeuroMessage, Session } from "../../../core/neuro-messages.ts";
import type { Millis } from "../../../core/ids.ts";
import type { StepContext } from "../../../core/context.ts";
import { toGame, toNeuro } from "../speech.ts";
import type { Game, Upstream } from "../state.ts";
import { reveal, sync } from "../actions/actions.ts";
import { cancel } from "../forces/forces.ts";
import { lost } from "../pending/pending.ts";

const GRACEFUL_MS: Millis = 30_000;
const IMMEDIATE_MS: Millis = 4_000;

const shutdownTimer = (upstream: Upstream): string => `shutdown ${upstream.id}`;

/** Neuro says who she is. */
export function introduced(upstream: Upstream, session: Session, ctx: StepContext): void {
  const isChanged = upstream.session?.characterId !== session.characterId;
  upstream.session = session;
  if (!isChanged) return;
  ctx.observe({ is: "character_changed", upstream: upstream.id, character: session.characterId });
  for (const game of gamesOf(upstream)) {
    park(game, ctx);
    introduce(game, ctx);
  }
}

/** Tells a game who Neuro is, if that is known. */
export function introduce(game: Game, ctx: StepContext): void {
  const { session } = game.upstream;
  if (session !== undefined && !game.isParked) toGame(game, { command: "startup", session }, ctx);
}

/** A game that is pinned to one character takes no part while another one is there. */
export function park(game: Game, ctx: StepContext): void {
  const { upstream, policy } = game;
  const wanted = policy.upstream === undefined ? undefined : upstream.settings?.character;
  const isParked = wanted !== undefined && upstream.session !== undefined && upstream.session.characterId !== wanted;
  if (game.isParked === isParked) return;
  game.isParked = isParked;
  reveal(game);
  sync(upstream, ctx);
  if (!isParked) return;
  lost(game, ctx);
  cancel(game, "game gone", ctx);
}

/** Neuro has spoken. */
export function spoke(upstream: Upstream, message: NeuroMessage, ctx: StepContext): void {
  for (const game of gamesOf(upstream)) if (game.policy.speech_finished) toGame(game, message, ctx);
}

/** Neuro wants everybody to stop, or does not any more. */
export function shutDown(upstream: Upstream, how: "graceful" | "immediate" | "cancelled", ctx: StepContext): void {
  const { shutdown, room } = upstream;
  if (how === "cancelled") {
    for (const game of shutdown.asked) toGame(game, { command: "shutdown/graceful", wanted: false }, ctx);
    shutdown.asked.clear();
    shutdown.isOn = false;
    return room.timers.clear(shutdownTimer(upstream));
  }
  const message: NeuroMessage = how === "graceful"
    ? { command: "shutdown/graceful", wanted: true }
    : { command: "shutdown/immediate" };
  shutdown.isOn = true;
  for (const game of gamesOf(upstream)) {
    if (game.policy.shutdown && toGame(game, message, ctx)) shutdown.asked.add(game);
  }
  room.timers.set(shutdownTimer(upstream), ctx.now + (how === "graceful" ? GRACEFUL_MS : IMMEDIATE_MS));
  concludeShutdown(upstream, ctx);
}

/** A game is ready to stop, or has left. */
export function readyToStop(game: Game, ctx: StepContext): void {
  const { upstream } = game;
  upstream.shutdown.asked.delete(game);
  if (upstream.shutdown.isOn) concludeShutdown(upstream, ctx);
}

/** Says that all are ready, once they are; `isLate` when nobody is waited for any more. */
export function concludeShutdown(upstream: Upstream, ctx: StepContext, isLate: boolean = false): void {
  const { shutdown, room } = upstream;
  if (shutdown.asked.size > 0 && !isLate) return;
  shutdown.isOn = false;
  room.timers.clear(shutdownTimer(upstream));
  toNeuro(upstream, { command: "shutdown/ready" }, ctx);
}

function gamesOf(upstream: Upstream): Game[] {
  return [...upstream.room.games.values()].filter((game) => game.upstream === upstream && game.peer !== undefined);
}
