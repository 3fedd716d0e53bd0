/**
 * The actions that games register, and Neuro's list of them.
 *
 * Games change which actions should be registered (`registerAction`, `unregisterAction`, `updateVisibility`). Then `sync` sends Neuro
 * the difference: first the removed names, then the new ones. A changed definition is therefore unregistered and registered, and
 * backends that keep the first definition end with the same list as those that keep the last.
 *
 * Invariants: A1 after `sync` on an open upstream Neuro has an action if and only if one of its owners is visible; A2 unchanged actions
 * cause no message; A3 a name without owner is reserved for its last owner, bounded in number and time.
 */
import type { Action } from "../../../core/neuro-messages.ts";
import { hashText } from "../../../core/hash.ts";
import type { Millis } from "../../../core/ids.ts";
import { canonicalJson } from "../../../core/json.ts";
import { failed, type Failure } from "../../../core/result.ts";
import { retainedBytes } from "../../../core/retained-bytes.ts";
import type { StepContext } from "../../../core/context.ts";
import { permissionFor } from "../policy.ts";
import { SmallMap } from "../small-map.ts";
import { RELAY, toNeuro } from "../outbound.ts";
import type { Game, GameAction, Trial, Upstream, UpstreamAction } from "../state.ts";
import { cleanName, newName } from "./names.ts";

/** A definition as a game sent it. */
export interface Definition {
  readonly action: Action;
  readonly mainThread: boolean | undefined;
  /** What a game is charged for it. */
  readonly bytes: number;
}

/** An action without its texts and its schema: its objects, and its entries in the tables. */
const ACTION_BYTES = 1_024;
const RESERVED_NAME_BYTES = 512;

export const definitionOf = (action: Action, mainThread: boolean | undefined): Definition => ({
  action,
  mainThread,
  bytes: ACTION_BYTES + retainedBytes(action),
});

/** Equal definitions have equal digests, whatever the order of their keys. */
function digestFor(name: string, { description, schema }: Action, mainThread: boolean | undefined): string {
  return hashText(canonicalJson({ name, description, schema, ...(mainThread !== undefined && { mainThread }) }));
}

/** The digest of an action's definition. Why made when it is asked for: nearly no definition is ever compared with another one by it. */
export const digestOf = (upstreamAction: UpstreamAction): string =>
  upstreamAction.digest ??= digestFor(upstreamAction.originalName, upstreamAction.definition, upstreamAction.mainThread);

/** True if an action has this definition. */
export function isDefinedAs(upstreamAction: UpstreamAction, { action, mainThread }: Definition): boolean {
  const { definition, originalName, reservedFor } = upstreamAction;
  if (originalName !== action.name || upstreamAction.mainThread !== mainThread) return false;
  const isKept = reservedFor === undefined;
  if (isKept && definition.description !== action.description) return false;
  if (isKept && definition.schema === action.schema) return true;
  return digestOf(upstreamAction) === digestFor(action.name, action, mainThread);
}

/** The change of a registration, or what prevents it: the policy of the game, or a limit. */
export type RegisterOutcome = "new" | "same" | "redefined" | "denied" | Failure;

/** Registers one action of a game, or registers it again. */
export function registerAction(game: Game, definition: Definition, now: Millis): RegisterOutcome {
  const { name } = definition.action;
  const gameAction = game.actions.get(name);
  if (gameAction === undefined) return registerNew(game, definition, now);
  gameAction.isUnconfirmed = false;
  if (isDefinedAs(gameAction.upstreamAction, definition)) return "same";
  const refusal = game.retained.refusal(definition.bytes - gameAction.bytes, game.service.settings.limits);
  if (refusal !== undefined) return refusal;
  setBytes(gameAction, definition.bytes);
  const { upstreamAction } = gameAction;
  const shared = findShared(game.upstream, definition);
  if (upstreamAction.owners.size === 1 && shared === undefined) {
    define(upstreamAction, definition, game.upstream);
    game.upstream.unsynced.add(upstreamAction);
  } else {
    // Why this order: removing the owner may free names that are reserved for the game, and `shared` may be one of them.
    addOwner(gameAction, shared ?? createUnderNewName(game, definition, now), definition);
    removeOwner(game, upstreamAction, now);
  }
  return "redefined";
}

function registerNew(game: Game, definition: Definition, now: Millis): RegisterOutcome {
  if (permissionFor(game.policy, definition.action.name) === "denied") return "denied";
  const refusal = registrationRefusal(game, definition);
  if (refusal !== undefined) return refusal;
  const upstreamAction = findShared(game.upstream, definition) ?? reclaimName(game, definition) ??
    createUnderNewName(game, definition, now);
  addAction(game, upstreamAction, definition);
  return "new";
}

/** The limit that one more action of a game would exceed. */
function registrationRefusal(game: Game, { bytes }: Definition): Failure | undefined {
  const { actions, retained, service: state, policy: { actions_max } } = game;
  const { limits } = state.settings;
  if (actions_max !== undefined && actions.size >= actions_max) {
    return failed("queueFull", `${actions.size} are registered; \`actions_max\` of the policy allows ${actions_max}`);
  }
  if (actions.size >= limits.actions_per_integration) {
    const reason =
      `${actions.size} are registered; \`limits.actions_per_integration\` allows ${limits.actions_per_integration}`;
    return failed("queueFull", reason);
  }
  if (state.actionCount >= limits.actions) {
    const reason =
      `${state.actionCount} actions of all integrations are registered; \`limits.actions\` allows ${limits.actions}`;
    return failed("queueFull", reason);
  }
  return retained.refusal(bytes, limits);
}

function addAction(game: Game, upstreamAction: UpstreamAction, definition: Definition): void {
  const { name } = definition.action;
  const isHidden = permissionFor(game.policy, name) === "hidden";
  const gameAction: GameAction = { game, name, upstreamAction, bytes: 0, isUnconfirmed: false, isHidden };
  game.actions.set(name, gameAction);
  game.service.actionCount++;
  setBytes(gameAction, definition.bytes);
  addOwner(gameAction, upstreamAction, definition);
}

function setBytes(gameAction: GameAction, bytes: number): void {
  gameAction.game.retained.charge(bytes - gameAction.bytes);
  gameAction.bytes = bytes;
}

/** Removes one action of a game. */
export function unregisterAction(gameAction: GameAction, now: Millis): void {
  const { game } = gameAction;
  game.actions.delete(gameAction.name);
  game.service.actionCount--;
  setBytes(gameAction, 0);
  removeOwner(game, gameAction.upstreamAction, now);
}

/** Neuro sees the actions of a game unless it is away, off air or held. */
export const updateVisibility = (game: Game): void =>
  setVisible(game, game.presence.is !== "away" && !game.isOffAir && !game.isHeld && game.service.drain.is !== "leaving");

/** Hides the actions of a game from Neuro. The grace of a disconnected game ends. */
export function hideActions(game: Game): void {
  const { is, since } = game.presence;
  if (is === "grace") game.presence = { is: "away", since };
  setVisible(game, false);
}

function setVisible(game: Game, isShown: boolean): void {
  if (game.isVisible === isShown) return;
  game.isVisible = isShown;
  releaseChanges(game);
  for (const { upstreamAction } of game.actions.values()) game.upstream.unsynced.add(upstreamAction);
}

/** The next `sync` sends the changes that wait (`debounce.ts`), too. */
export function releaseChanges(game: Game): void {
  for (const action of game.waitingChanges ?? []) game.upstream.unsynced.add(action);
  game.waitingChanges = undefined;
}

/** True if Neuro should have the action. */
export function isWanted(upstreamAction: UpstreamAction): boolean {
  if (!isTaken(upstreamAction)) return false;
  for (const { game, isHidden } of upstreamAction.owners.values()) if (game.isVisible && !isHidden) return true;
  return false;
}

/** True if Neuro can use this action of this game now. */
export const isLive = (gameAction: GameAction | undefined): gameAction is GameAction =>
  gameAction !== undefined && !gameAction.isUnconfirmed && !gameAction.isHidden && gameAction.game.isVisible &&
  isTaken(gameAction.upstreamAction);

/** True if a force has to wait for this action: Neuro cannot use it now, and the policy of its game allows that she will. */
export const isAwaited = ({ actions, policy }: Game, name: string): boolean =>
  !isLive(actions.get(name)) && permissionFor(policy, name) === "shown";

/** The backend takes it, as far as the relay knows. */
const isTaken = ({ standing }: UpstreamAction): boolean => standing === "accepted" || standing === "tried";

/** Sends the changes to Neuro. */
export function sync(upstream: Upstream, ctx: StepContext, mainThread?: boolean): void {
  if (upstream.unsynced.size === 0) return;
  const gone: string[] = [];
  const added: UpstreamAction[] = [];
  for (const upstreamAction of upstream.unsynced) {
    const wanted = isWanted(upstreamAction);
    if (upstreamAction.isRegistered && (!wanted || upstreamAction.isStale)) {
      upstreamAction.isRegistered = false;
      gone.push(upstreamAction.name);
    }
    upstreamAction.isStale = false;
    if (wanted && !upstreamAction.isRegistered) added.push(upstreamAction);
  }
  upstream.unsynced.clear();
  if (!upstream.isOpen) return;
  if (gone.length > 0) {
    toNeuro(
      upstream,
      { command: "actions/unregister", names: gone, ...(mainThread !== undefined && { mainThread }) },
      RELAY,
      ctx,
    );
  }
  sendRegister(upstream, upstream.trial === undefined ? added : deferToTrial(upstream.trial, added), ctx);
}

/** New actions wait until the suspected ones were tried, so that each rejection has one cause. Returns those that are being tried. */
function deferToTrial(trial: Trial, added: readonly UpstreamAction[]): readonly UpstreamAction[] {
  const fresh = added.filter(({ standing }) => standing === "accepted");
  for (const action of fresh) action.standing = "suspected";
  if (fresh.length > 0) trial.groups.push(fresh);
  return added.filter(({ standing }) => standing === "tried");
}

/** Registers all visible actions, because the upstream has none or asks for them. */
export function registerAll(upstream: Upstream, ctx: StepContext): void {
  const alive = [...upstream.actions.values()].filter(isWanted);
  upstream.unsynced.clear();
  upstream.registeredAllAt = ctx.now;
  if (!upstream.profile.startupClears && alive.length > 0) {
    toNeuro(upstream, { command: "actions/unregister", names: alive.map(({ name }) => name) }, RELAY, ctx);
  }
  sendRegister(upstream, alive, ctx);
}

/** Lets the next `sync` unregister the actions and register them again, which cancels a force that has them. */
export function markStale(upstream: Upstream, actions: Iterable<UpstreamAction>): void {
  for (const each of actions) {
    each.isStale = each.isRegistered;
    upstream.unsynced.add(each);
  }
}

/** The connection is lost, and with it everything that was registered. */
export function forgetRegistered(upstream: Upstream): void {
  for (const upstreamAction of upstream.actions.values()) {
    upstreamAction.isRegistered = false;
    upstreamAction.isStale = false;
  }
  upstream.unsynced.clear();
}

function sendRegister(upstream: Upstream, added: readonly UpstreamAction[], ctx: StepContext): void {
  for (const mainThread of [undefined, false, true]) {
    const actions: Action[] = [];
    for (const each of added) {
      if (each.mainThread !== mainThread) continue;
      each.isRegistered = true;
      upstream.forces.retiredNames.delete(each.name);
      actions.push(each.definition);
    }
    if (actions.length === 0) continue;
    toNeuro(
      upstream,
      { command: "actions/register", actions, ...(mainThread !== undefined && { mainThread }) },
      RELAY,
      ctx,
    );
  }
}

function addOwner(gameAction: GameAction, upstreamAction: UpstreamAction, { action }: Definition): void {
  const { upstream } = gameAction.game;
  gameAction.upstreamAction = upstreamAction;
  upstreamAction.owners.set(gameAction.game, gameAction);
  if (upstream.reserved.has(upstreamAction)) {
    endReservation(upstream, upstreamAction);
    upstreamAction.definition = named(action, upstreamAction.name);
  }
  upstream.unsynced.add(upstreamAction);
}

function removeOwner(game: Game, upstreamAction: UpstreamAction, now: Millis): void {
  const { upstream } = game;
  upstreamAction.owners.delete(game);
  upstream.unsynced.add(upstreamAction);
  if (upstreamAction.owners.size === 0) reserveName(game, upstreamAction, now);
}

/** Reserves a name without owner for a game, and frees names that were reserved for too long. */
function reserveName(game: Game, upstreamAction: UpstreamAction, now: Millis): void {
  const { upstream } = game;
  const { limits } = game.service.settings;
  const earlier = game.reservedNames?.get(upstreamAction.originalName);
  if (earlier !== undefined && earlier !== upstreamAction) freeName(upstream, earlier);
  beginReservation(game, upstreamAction, now + game.policy.parked);
  for (const oldest of upstream.reserved) {
    if (oldest.reservedUntil > now && upstream.reserved.size <= limits.actions) break;
    freeName(upstream, oldest);
  }
}

/** Only the name and the digest of an action without owner are kept: an owner that returns brings the definition again. */
function beginReservation(game: Game, upstreamAction: UpstreamAction, until: Millis): void {
  digestOf(upstreamAction);
  upstreamAction.definition = { name: upstreamAction.name, description: "" };
  upstreamAction.reservedFor = game;
  upstreamAction.reservedUntil = until;
  (game.reservedNames ??= new Map()).set(upstreamAction.originalName, upstreamAction);
  game.retained.charge(reservationBytes(upstreamAction));
  game.upstream.reserved.add(upstreamAction);
}

function endReservation(upstream: Upstream, upstreamAction: UpstreamAction): void {
  const { reservedFor: game, originalName } = upstreamAction;
  upstream.reserved.delete(upstreamAction);
  upstreamAction.reservedFor = undefined;
  if (game === undefined) return;
  game.reservedNames?.delete(originalName);
  game.retained.release(reservationBytes(upstreamAction));
}

const reservationBytes = ({ originalName }: UpstreamAction): number => RESERVED_NAME_BYTES + 2 * originalName.length;

/** Frees a name that has no owner. */
function freeName(upstream: Upstream, upstreamAction: UpstreamAction): void {
  endReservation(upstream, upstreamAction);
  if (upstreamAction.isRegistered) upstream.unsynced.add(upstreamAction); // Why: its unregistration may wait.
  if (upstream.actions.get(upstreamAction.name) === upstreamAction) upstream.actions.delete(upstreamAction.name);
  forgetDefinition(upstream, upstreamAction);
}

/** Frees all names that are reserved for a game. */
export function freeReservedNames(game: Game): void {
  for (const reserved of [...game.reservedNames?.values() ?? []]) freeName(game.upstream, reserved);
}

function findShared(upstream: Upstream, definition: Definition): UpstreamAction | undefined {
  if (upstream.service.settings.actions.naming !== "shared") return undefined;
  const { action, mainThread } = definition;
  const first = upstream.actions.get(cleanName(action.name));
  if (first !== undefined && isDefinedAs(first, definition)) return first;
  return upstream.prefixed.size === 0 ? undefined : upstream.prefixed.get(digestFor(action.name, action, mainThread));
}

function reclaimName(game: Game, definition: Definition): UpstreamAction | undefined {
  const upstreamAction = game.reservedNames?.get(definition.action.name);
  if (upstreamAction !== undefined) define(upstreamAction, definition, game.upstream);
  return upstreamAction;
}

function createUnderNewName(game: Game, definition: Definition, now: Millis): UpstreamAction {
  const { upstream } = game;
  for (const oldest of upstream.reserved) {
    if (oldest.reservedUntil > now) break;
    freeName(upstream, oldest);
  }
  const name = newName(upstream, game, definition.action.name, now);
  const expired = upstream.actions.get(name);
  if (expired !== undefined) freeName(upstream, expired);
  return createUpstreamAction(upstream, name, definition);
}

/** Adds a name without owner to the table. `digest`: that of its definition, if the definition is not known. */
export function createUpstreamAction(
  upstream: Upstream,
  name: string,
  { action, mainThread }: Definition,
  digest?: string,
): UpstreamAction {
  const upstreamAction: UpstreamAction = {
    name,
    originalName: action.name,
    standing: "accepted",
    definition: named(action, name),
    mainThread,
    digest,
    owners: new SmallMap(),
    isRegistered: false,
    isStale: false,
    reservedFor: undefined,
    reservedUntil: 0,
  };
  upstream.actions.set(name, upstreamAction);
  indexDefinition(upstream, upstreamAction);
  return upstreamAction;
}

const named = (action: Action, name: string): Action => action.name === name ? action : { ...action, name };

/** Why not the others: they are found by their name. */
function indexDefinition(upstream: Upstream, upstreamAction: UpstreamAction): void {
  const { name, originalName } = upstreamAction;
  if (name !== cleanName(originalName)) upstream.prefixed.set(digestOf(upstreamAction), upstreamAction);
}

function define(upstreamAction: UpstreamAction, definition: Definition, upstream: Upstream): void {
  if (isDefinedAs(upstreamAction, definition)) return;
  const { action, mainThread } = definition;
  forgetDefinition(upstream, upstreamAction);
  upstreamAction.definition = named(action, upstreamAction.name);
  upstreamAction.mainThread = mainThread;
  upstreamAction.digest = undefined;
  upstreamAction.standing = "accepted";
  upstreamAction.isStale = upstreamAction.isRegistered;
  indexDefinition(upstream, upstreamAction);
}

function forgetDefinition(upstream: Upstream, upstreamAction: UpstreamAction): void {
  const { digest } = upstreamAction;
  if (digest !== undefined && upstream.prefixed.get(digest) === upstreamAction) upstream.prefixed.delete(digest);
}

/** Restores an action of a game that is away, under its former upstream name unless another action has that name. */
export function restoreAction(game: Game, definition: Definition, before: string): void {
  const { upstream } = game;
  const { name } = definition.action;
  if (game.actions.has(name) || permissionFor(game.policy, name) === "denied") return;
  const held = upstream.actions.get(before);
  const isSame = held !== undefined && isDefinedAs(held, definition);
  const upstreamAction = findShared(upstream, definition) ?? (isSame ? held : undefined) ??
    createUpstreamAction(upstream, held === undefined ? before : newName(upstream, game, name, 0), definition);
  addAction(game, upstreamAction, definition);
}

/** Restores a name that was reserved for a game. Its definition was not stored. */
export function restoreReservedName(game: Game, kept: { original: string; before: string; freeAt: Millis }): void {
  const { original, before, freeAt } = kept;
  const { upstream } = game;
  if (upstream.actions.has(before) || game.reservedNames?.has(original) === true) return;
  const action = { name: original, description: "" };
  // Why this digest: no definition is equal to the one that is not known.
  const upstreamAction = createUpstreamAction(upstream, before, { action, mainThread: undefined, bytes: 0 }, "");
  beginReservation(game, upstreamAction, freeAt);
}
