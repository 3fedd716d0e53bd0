/**
 * Changes of a game's actions that wait for more changes, because its policy says so: those within `debounce` after the first one cost
 * Neuro one change, and none if the last one takes the others back.
 *
 * Invariants: DB1 while a game has a force nothing of it waits; DB2 at most `limits.actions_per_integration` actions wait, besides those of
 * one message; DB3 an action that is not in the table of the upstream any more does not wait, because its name may be used again.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Game, Timer } from "../state.ts";
import { releaseChanges, sync } from "./actions.ts";

const changesTimer = ({ key }: Game): Timer => ({ is: "action_changes", game: key });

/** Sends the changes that a message of a game has made, or lets them wait. */
export function syncChanges(game: Game, ctx: StepContext, mainThread?: boolean): void {
  const { upstream, policy: { debounce }, service: { timers, settings: { limits } } } = game;
  const isFull = (game.waitingChanges?.size ?? 0) >= limits.actions_per_integration;
  if (isFull) releaseChanges(game);
  // Why not with `main_thread`: it is about this message, and must not be applied to others.
  if (debounce > 0 && !isFull && upstream.isOpen && mainThread === undefined && !hasForce(game)) {
    for (const action of upstream.unsynced) {
      if (upstream.actions.get(action.name) !== action) continue;
      upstream.unsynced.delete(action);
      (game.waitingChanges ??= new Set()).add(action);
    }
    if (game.waitingChanges !== undefined && timers.get(changesTimer(game)) === undefined) {
      timers.set(changesTimer(game), ctx.now + debounce);
    }
  }
  sync(upstream, ctx, mainThread);
}

/** Sends the changes that wait. */
export function flushChanges(game: Game, ctx: StepContext): void {
  if (game.waitingChanges === undefined) return;
  game.service.timers.clear(changesTimer(game));
  releaseChanges(game);
  sync(game.upstream, ctx);
}

const hasForce = (game: Game): boolean => {
  const { current, waiting } = game.upstream.forces;
  return current?.game === game || waiting.has(game);
};
