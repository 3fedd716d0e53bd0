/**
 * Controls that a person sets for one integration or for all. They stay until they are lifted, including over restarts.
 *
 * An integration is held if it is paused or not approved, if everything is stopped, or if another one is solo. Neuro does not see its actions; its force
 * and its contexts wait. It may still answer actions that it has got, unless everything is stopped: then all actions that Neuro waits
 * for fail at once.
 *
 * Invariants: H1 `isHeld` follows from the controls and from the admission alone; H2 names are unregistered before their pending actions are answered.
 */
import { BEHAVIOUR_PRESET_NAMES } from "../../../core/defaults.ts";
import type { Json } from "../../../core/json.ts";
import type { BehaviourPreset } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { Controls, IntegrationControls, IntegrationControlsChange } from "../../../core/view.ts";
import { type Game, isAdmitted, type NeuroState } from "../state.ts";
import { sync, updateVisibility } from "../actions/actions.ts";
import { dropContexts, releaseContexts } from "../upstream/contexts.ts";
import { onActionsSynced, onGameHeld, onGameResumed } from "../forces/forces.ts";
import { behaviourChanged } from "../standalone/decider.ts";
import { whyHeld } from "../pending/dispatch-action.ts";
import { failUndelivered, stopActions } from "../pending/pending.ts";

/** Changes the controls of one integration. */
export function control(
  game: Game,
  { always_allowed: names, ...to }: IntegrationControlsChange,
  ctx: StepContext,
): Result<undefined> {
  const unknown = names?.find((name) => !game.actions.has(name) && !game.alwaysAllowed.has(name));
  if (unknown !== undefined) return failed("notFound", `${game.name} has no action ${unknown.slice(0, 64)}`);
  if (names !== undefined) allowAlways(game, names);
  changeControls(game, to, ctx);
  return ok(undefined);
}

/** An allowed name, in a set. */
const ALLOWED_NAME_BYTES = 64;
const allowedBytes = (name: string): number => ALLOWED_NAME_BYTES + 2 * name.length;

/**
 * These actions of a game need no approval, in place of those before. Why without a limit of its own: each name is one of a registered
 * action, now or when it was allowed.
 */
export function allowAlways(game: Game, names: readonly string[]): void {
  const { retained, service, record } = game;
  for (const name of game.alwaysAllowed) retained.release(allowedBytes(name));
  game.alwaysAllowed = new Set(names);
  for (const name of game.alwaysAllowed) retained.charge(allowedBytes(name));
  service.unsavedRecords.add(record);
}

function changeControls(game: Game, to: Partial<IntegrationControls>, ctx: StepContext): void {
  const { service: state, controls: before } = game;
  const controls = changed(before, to);
  if (controls === before) return;
  game.controls = controls;
  state.unsavedRecords.add(game.record);
  applyBehaviour(state, ctx);
  if (controls.muted) dropContexts(game.upstream, game.key, ctx);
  if (controls.solo === before.solo) applyToOne(game, ctx);
  else applyControls(state, ctx);
}

/** Changes the controls of all integrations. */
export function controlAll(state: NeuroState, to: Partial<Controls>, ctx: StepContext): void {
  const controls = changed(state.controls, to);
  if (controls === state.controls) return;
  state.controls = controls;
  state.unsavedRecords.add(state.controlsRecord);
  applyBehaviour(state, ctx);
  applyControls(state, ctx);
}

/** Sets which games are held, from the controls. Nothing is sent to Neuro. */
export function restoreHolds(state: NeuroState): void {
  state.hasSolo = hasSolo(state);
  for (const game of state.games.values()) game.isHeld = shouldHold(game);
}

/** Holds the games that the controls hold, and resumes all others. */
export function applyControls(state: NeuroState, ctx: StepContext): void {
  state.hasSolo = hasSolo(state);
  const changed = hold(state.games.values());
  for (const upstream of state.upstreams.values()) sync(upstream, ctx);
  // Why before its pending actions are answered: Neuro would otherwise be asked again after the answer.
  for (const game of changed) if (game.isHeld) onGameHeld(game, ctx);
  if (state.controls.stopped) {
    for (const upstream of state.upstreams.values()) stopActions(upstream, "A person has stopped all actions.", ctx);
  }
  for (const game of changed) endOrResume(game, ctx);
  for (const upstream of state.upstreams.values()) onActionsSynced(upstream, ctx);
}

/** A person approves or rejects an integration. The decision stays until there is another one, also over restarts. */
export function decideAdmission(game: Game, approve: boolean, ctx: StepContext): void {
  game.admission = approve ? "approved" : "rejected";
  game.service.unsavedRecords.add(game.record);
  if (!isAdmitted(game)) dropContexts(game.upstream, game.key, ctx);
  applyToOne(game, ctx);
}

/** The same for one game, if its controls concern no other. */
export function applyToOne(game: Game, ctx: StepContext): void {
  if (hold([game]).length === 0) return;
  sync(game.upstream, ctx);
  if (game.isHeld) onGameHeld(game, ctx);
  endOrResume(game, ctx);
  onActionsSynced(game.upstream, ctx);
}

/** Updates the holds, and returns the games of which they changed. */
function hold(games: Iterable<Game>): readonly Game[] {
  const changed: Game[] = [];
  for (const game of games) {
    const isHeld = shouldHold(game);
    if (game.isHeld === isHeld) continue;
    game.isHeld = isHeld;
    changed.push(game);
    updateVisibility(game);
  }
  return changed;
}

function endOrResume(game: Game, ctx: StepContext): void {
  if (game.isHeld) return failUndelivered(game, `${whyHeld(game)}.`, ctx);
  releaseContexts(game.upstream, game.key);
  onGameResumed(game, ctx);
}

const hasSolo = ({ games }: NeuroState): boolean => games.values().some(({ controls }) => controls.solo);

/** True if the controls, or a missing approval, keep a game from Neuro. */
export function shouldHold(game: Game): boolean {
  const { service: state, controls } = game;
  return state.controls.stopped || controls.paused || (state.hasSolo && !controls.solo) || !isAdmitted(game);
}

/** The built-in Neuro looks at her behaviour again. */
function applyBehaviour({ upstreams }: NeuroState, ctx: StepContext): void {
  for (const { decider } of upstreams.values()) if (decider !== undefined) behaviourChanged(decider, ctx);
}

/** The controls of an integration that no person has changed. */
export const NO_CONTROLS: IntegrationControls = {
  paused: false,
  muted: false,
  solo: false,
  approval: false,
  behaviour: null,
};

/** True if a person has set at least one of them. */
export const areSet = (controls: Controls | IntegrationControls): boolean =>
  Object.values(controls).some((value) => value !== false && value !== null);

/** The preset of that name; null for everything else. */
export const presetOf = (name: Json | undefined): BehaviourPreset | null =>
  BEHAVIOUR_PRESET_NAMES.find((preset) => preset === name) ?? null;

/** The controls with these changes, or the same object if nothing changes. Only known fields count, and only values of their kind. */
function changed<Set extends Controls | IntegrationControls>(before: Set, to: Partial<Set>): Set {
  let after = before;
  // Why the cast: `keys` returns strings for any object.
  for (const field of Object.keys(before) as (keyof Set & string)[]) {
    const wanted = to[field];
    const isValid = field === "behaviour"
      ? wanted === null || presetOf(wanted as Json) !== null
      : typeof wanted === "boolean";
    if (wanted === undefined || !isValid || before[field] === wanted) continue;
    after = { ...after, [field]: wanted };
  }
  return after;
}
