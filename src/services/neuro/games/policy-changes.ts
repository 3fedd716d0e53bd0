/**
 * New settings change the policy of a game while it runs.
 *
 * Invariant: PO1 after a change Neuro sees what the new policy allows, as if the game had unregistered the other actions itself: a force
 * whose action the game has already is completed.
 */
import type { StepContext } from "../../../core/context.ts";
import { sync } from "../actions/actions.ts";
import { onActionsSynced, onNameUnregistered } from "../forces/forces.ts";
import { applyToOne } from "../operator/controls.ts";
import { permissionFor, type Policy } from "../policy.ts";
import type { Game } from "../state.ts";
import { forgetKeys } from "../upstream/coalescing.ts";
import { reportDenied, unregisterNames } from "./game-messages.ts";

/** Applies a new policy to the registered actions. Those that it does not deny any more have to be registered again. */
export function applyPolicy(game: Game, policy: Policy, ctx: StepContext): void {
  game.policy = policy;
  game.contextTemplate = undefined;
  forgetKeys(game);
  applyToOne(game, ctx);
  const denied: string[] = [];
  let isChanged = false;
  for (const gameAction of game.actions.values()) {
    const permission = permissionFor(policy, gameAction.name);
    if (permission === "denied") denied.push(gameAction.name);
    const isHidden = permission === "hidden";
    if (gameAction.isHidden === isHidden) continue;
    if (isHidden) onNameUnregistered(game, gameAction.name, ctx);
    gameAction.isHidden = isHidden;
    game.upstream.unsynced.add(gameAction.upstreamAction);
    isChanged = true;
  }
  if (denied.length > 0) {
    unregisterNames(game, denied, ctx);
    reportDenied(game, denied, undefined, ctx);
  }
  if (!isChanged) return;
  sync(game.upstream, ctx);
  onActionsSynced(game.upstream, ctx);
}
