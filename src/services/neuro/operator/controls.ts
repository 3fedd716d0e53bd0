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
import type { Game, Neuro, Upstream } from "../state.ts";
import { reveal, sync } from "../actions/actions.ts";
import { dropAll } from "../upstream/contexts.ts";
import { namesChanged, resume, withhold } from "../forces/forces.ts";
import { whyHeld } from "../pending/calls.ts";
import { finish, isSpent, isUndelivered, pendingsOf, respond } from "../pending/pending.ts";

/** Changes what is decided about one integration. */
export function control(game: Game, to: Partial<IntegrationControls>, ctx: StepContext): void {
  const { room, controls } = game;
  if (!change(controls, to)) return;
  room.unsaved.add(game.record);
  if (controls.muted) dropAll(game.upstream, game.key, ctx);
  settle(room, ctx);
}

/** Changes what is decided about everybody. */
export function controlAll(room: Neuro, to: Partial<Controls>, ctx: StepContext): void {
  if (!change(room.controls, to)) return;
  room.unsaved.add(room.controlsRecord);
  settle(room, ctx);
}

/** What follows from the controls as they were stored. Nobody is there yet. */
export function recall(room: Neuro): void {
  room.hasSolo = [...room.games.values()].some(({ controls }) => controls.solo);
  for (const game of room.games.values()) game.isHeld = isHeldBack(game);
}

/** Holds whom the controls hold, and lifts it from all others. */
export function settle(room: Neuro, ctx: StepContext): void {
  const before = [...room.games.values()].map((game) => [game, game.isHeld] as const);
  recall(room);
  const changed = before.flatMap(([game, wasHeld]) => (game.isHeld === wasHeld ? [] : [game]));
  for (const game of changed) reveal(game);
  for (const upstream of room.upstreams.values()) sync(upstream, ctx);
  // Why before what it owes is answered: an answer would else be taken for a reason to ask Neuro again.
  for (const game of changed) if (game.isHeld) withhold(game, ctx);
  if (room.controls.stopped) { for (const upstream of room.upstreams.values()) failInFlight(upstream, ctx); }
  for (const game of changed) {
    if (game.isHeld) failUndelivered(game, ctx);
    else resume(game, ctx);
  }
  for (const upstream of room.upstreams.values()) namesChanged(upstream, ctx);
}

/**
 * Everything is stopped: what Neuro waits for fails. What a person sent goes on.
 *
 * Why what answers a force is still waited for: its game takes the force for answered when it has done it, and must not be asked again.
 */
function failInFlight(upstream: Upstream, ctx: StepContext): void {
  const outcome = { success: false, message: "A person has stopped all actions.", origin: "operator" as const };
  for (const pending of [...upstream.pendings.byId.values()]) {
    if (pending.epoch === 0 || pending.isAnswered) continue;
    const isUnderway = pending.force !== undefined && pending.parts.some(({ is }) => is === "sent");
    if (isUnderway) respond(pending, outcome, ctx);
    else finish(pending, outcome, ctx);
  }
}

/** A game is held: what has not reached it does not any more. */
function failUndelivered(game: Game, ctx: StepContext): void {
  const why = `${whyHeld(game)}.`;
  for (const pending of pendingsOf(game)) {
    for (const part of pending.parts) {
      if (part.owned.game !== game || !isUndelivered(part)) continue;
      part.is = "failed";
      pending.failure = why;
      if (isSpent(pending)) finish(pending, { success: false, message: why, origin: "operator", part }, ctx);
    }
  }
}

const isHeldBack = ({ room, controls }: Game): boolean =>
  room.controls.stopped || controls.paused || (room.hasSolo && !controls.solo);

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
