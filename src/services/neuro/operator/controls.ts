/**
 * What a person has decided about an integration or about everybody: it stays until it is lifted, over restarts too.
 *
 * Held (paused, stopped, or because another is solo): Neuro does not see its actions, its force and its contexts wait. What it has been
 * given already it may still answer, unless everything is stopped: then all that Neuro waits for fails at once.
 *
 * Invariants: H1 `isHeld` follows from the controls, and from nothing else; H2 names are taken back before what they owed is answered.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Controls, IntegrationControls } from "../../../core/view.ts";
import type { Game, NeuroState } from "../state.ts";
import { sync, updateVisibility } from "../actions/actions.ts";
import { dropContexts } from "../upstream/contexts.ts";
import { onActionsSynced, onGameHeld, onGameResumed } from "../forces/forces.ts";
import { whyHeld } from "../pending/dispatch-action.ts";
import { failUndelivered, stopActions } from "../pending/pending.ts";

/** Changes what is decided about one integration. */
export function control(game: Game, to: Partial<IntegrationControls>, ctx: StepContext): void {
  const { service: state, controls } = game;
  if (!change(controls, to)) return;
  state.unsavedRecords.add(game.record);
  if (controls.muted) dropContexts(game.upstream, game.key, ctx);
  applyControls(state, ctx);
}

/** Changes what is decided about everybody. */
export function controlAll(state: NeuroState, to: Partial<Controls>, ctx: StepContext): void {
  if (!change(state.controls, to)) return;
  state.unsavedRecords.add(state.controlsRecord);
  applyControls(state, ctx);
}

/** What follows from the controls as they were stored. Nobody is there yet. */
export function restoreHolds(state: NeuroState): void {
  state.hasSolo = [...state.games.values()].some(({ controls }) => controls.solo);
  for (const game of state.games.values()) game.isHeld = shouldHold(game);
}

/** Holds whom the controls hold, and lifts it from all others. */
export function applyControls(state: NeuroState, ctx: StepContext): void {
  const before = [...state.games.values()].map((game) => [game, game.isHeld] as const);
  restoreHolds(state);
  const changed = before.flatMap(([game, wasHeld]) => (game.isHeld === wasHeld ? [] : [game]));
  for (const game of changed) updateVisibility(game);
  for (const upstream of state.upstreams.values()) sync(upstream, ctx);
  // Why before what it owes is answered: an answer would else be taken for a reason to ask Neuro again.
  for (const game of changed) if (game.isHeld) onGameHeld(game, ctx);
  if (state.controls.stopped) {
    for (const upstream of state.upstreams.values()) stopActions(upstream, "A person has stopped all actions.", ctx);
  }
  for (const game of changed) {
    if (game.isHeld) failUndelivered(game, `${whyHeld(game)}.`, ctx);
    else onGameResumed(game, ctx);
  }
  for (const upstream of state.upstreams.values()) onActionsSynced(upstream, ctx);
}

const shouldHold = ({ service: state, controls }: Game): boolean =>
  state.controls.stopped || controls.paused || (state.hasSolo && !controls.solo);

/** True when something is different now. Only fields that there are, and only true and false, are taken over. */
function change<Field extends string>(controls: Record<Field, boolean>, to: Partial<Record<Field, boolean>>): boolean {
  let isChanged = false;
  // Why the cast: `keys` says string of any object.
  for (const field of Object.keys(controls) as Field[]) {
    const wanted = to[field];
    if (typeof wanted !== "boolean" || controls[field] === wanted) continue;
    controls[field] = wanted;
    isChanged = true;
  }
  return isChanged;
}
