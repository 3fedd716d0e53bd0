/**
 * Who offers what, and keeping Neuro's list equal to it.
 *
 * Games change what should be (`own`, `disown`, `show`); `sync` then tells Neuro the difference, first what is gone, then what is
 * new, so that a changed definition is unregistered and registered and both kinds of backend end equal.
 *
 * Invariants: A1 an action is at Neuro if and only if an owner of it is shown, as soon as `sync` has run on an open upstream;
 * A2 what did not change costs nothing; A3 a name without owner is kept for its last one, bounded in number and time.
 */
import type { Action } from "../../../core/neuro-messages.ts";
import { hashText } from "../../../core/hash.ts";
import type { Millis } from "../../../core/ids.ts";
import { canonicalJson } from "../../../core/json.ts";
import { ACTIONS_PER_INTEGRATION_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";
import { Few } from "./few.ts";
import { toNeuro } from "../speech.ts";
import type { Game, Offered, Owned, Upstream } from "../state.ts";
import { newName } from "./names.ts";

/** A definition as it came, with its digest. */
export interface Definition {
  readonly action: Action;
  readonly mainThread: boolean | undefined;
  readonly digest: string;
}

/** The definition with its digest, which is the same however its JSON was written. */
export function definitionOf(action: Action, mainThread: boolean | undefined): Definition {
  const { name, description, schema } = action;
  const whole = { name, description, schema, ...(mainThread !== undefined && { mainThread }) };
  return { action, mainThread, digest: hashText(canonicalJson(whole)) };
}

/** What a registration did. */
export type Registered = "new" | "same" | "redefined" | "refused";

/** Registers one action of a game, or registers it again. */
export function own(game: Game, definition: Definition, now: Millis): Registered {
  const { name } = definition.action;
  const owned = game.actions.get(name);
  if (owned === undefined) return adopt(game, definition, now);
  owned.isSuspect = false;
  if (owned.offered.digest === definition.digest) return "same";
  const { offered } = owned;
  const shared = findShared(game.upstream, definition);
  if (offered.owners.size === 1 && shared === undefined) {
    define(offered, definition, game.upstream);
    game.upstream.unsynced.add(offered);
  } else {
    leave(owned, now);
    join(owned, shared ?? offerNew(game, definition, now));
  }
  return "redefined";
}

function adopt(game: Game, definition: Definition, now: Millis): Registered {
  const { room } = game;
  if (game.actions.size >= ACTIONS_PER_INTEGRATION_MAX || room.actionCount >= room.settings.limits.actions) {
    return "refused";
  }
  const { name } = definition.action;
  const offered = findShared(game.upstream, definition) ?? takeBack(game, definition) ?? offerNew(game, definition, now);
  const owned: Owned = { game, name, offered, isSuspect: false };
  game.actions.set(name, owned);
  if (game.isShown) room.actionCount++;
  join(owned, offered);
  return "new";
}

/** Takes one action from a game. */
export function disown(owned: Owned, now: Millis): void {
  const { game } = owned;
  game.actions.delete(owned.name);
  if (game.isShown) game.room.actionCount--;
  leave(owned, now);
}

/** Lets Neuro see the actions of a game that is around, unless something keeps it from her. */
export const reveal = (game: Game): void => show(game, game.isAround && !game.isParked && !game.isHeld);

/** A game is not around any more: Neuro does not see its actions. */
export function vanish(game: Game): void {
  game.isAround = false;
  show(game, false);
}

function show(game: Game, isShown: boolean): void {
  if (game.isShown === isShown) return;
  game.isShown = isShown;
  game.room.actionCount += isShown ? game.actions.size : -game.actions.size;
  for (const { offered } of game.actions.values()) game.upstream.unsynced.add(offered);
}

/** True when Neuro should have the action. */
export function isWanted(offered: Offered): boolean {
  for (const { game } of offered.owners.values()) if (game.isShown) return true;
  return false;
}

/** True when Neuro can use this action of this game now. */
export const isLive = (owned: Owned | undefined): owned is Owned =>
  owned !== undefined && !owned.isSuspect && owned.game.isShown;

/** Tells Neuro what changed. */
export function sync(upstream: Upstream, ctx: StepContext, mainThread?: boolean): void {
  if (upstream.unsynced.size === 0) return;
  const gone: string[] = [];
  const added: Offered[] = [];
  for (const offered of upstream.unsynced) {
    const wanted = isWanted(offered);
    if (offered.isSent && (!wanted || offered.isStale)) {
      offered.isSent = false;
      gone.push(offered.name);
    }
    offered.isStale = false;
    if (wanted && !offered.isSent) added.push(offered);
  }
  upstream.unsynced.clear();
  if (!upstream.isOpen) return;
  if (gone.length > 0) {
    toNeuro(
      upstream,
      { command: "actions/unregister", names: gone, ...(mainThread !== undefined && { mainThread }) },
      ctx,
    );
  }
  register(upstream, added, ctx);
}

/** Registers everything alive: the upstream knows nothing, or says so. */
export function resync(upstream: Upstream, ctx: StepContext): void {
  const alive = [...upstream.offered.values()].filter(isWanted);
  upstream.unsynced.clear();
  upstream.resyncedAt = ctx.now;
  if (!upstream.profile.startupClears && alive.length > 0) {
    toNeuro(upstream, { command: "actions/unregister", names: alive.map(({ name }) => name) }, ctx);
  }
  register(upstream, alive, ctx);
}

/** Withdraws a name and registers it again: that cancels the force that it is in. */
export function renew(upstream: Upstream, offered: Iterable<Offered>): void {
  for (const each of offered) {
    each.isStale = each.isSent;
    upstream.unsynced.add(each);
  }
}

/** The connection is gone, and with it all that Neuro knew. */
export function forgetSent(upstream: Upstream): void {
  for (const offered of upstream.offered.values()) {
    offered.isSent = false;
    offered.isStale = false;
  }
  upstream.unsynced.clear();
}

function register(upstream: Upstream, offered: readonly Offered[], ctx: StepContext): void {
  for (const mainThread of [undefined, false, true]) {
    const actions: Action[] = [];
    for (const each of offered) {
      if (each.mainThread !== mainThread) continue;
      each.isSent = true;
      upstream.forces.ended.delete(each.name);
      actions.push(each.action);
    }
    if (actions.length === 0) continue;
    toNeuro(upstream, { command: "actions/register", actions, ...(mainThread !== undefined && { mainThread }) }, ctx);
  }
}

function join(owned: Owned, offered: Offered): void {
  const { upstream } = owned.game;
  owned.offered = offered;
  offered.owners.set(owned.game, owned);
  if (upstream.vacant.delete(offered)) {
    offered.keptFor?.released.delete(offered.original);
    offered.keptFor = undefined;
  }
  upstream.unsynced.add(offered);
}

function leave(owned: Owned, now: Millis): void {
  const { game, offered } = owned;
  const { upstream } = game;
  offered.owners.delete(game);
  upstream.unsynced.add(offered);
  if (offered.owners.size === 0) keepFor(game, offered, now);
}

/** Keeps an ownerless name for a game, and lets go of those kept for too long. */
function keepFor(game: Game, offered: Offered, now: Millis): void {
  const { upstream } = game;
  const { actions, limits } = game.room.settings;
  const earlier = game.released.get(offered.original);
  if (earlier !== undefined && earlier !== offered) drop(upstream, earlier);
  game.released.set(offered.original, offered);
  offered.keptFor = game;
  offered.freeAt = now + actions.parked;
  upstream.vacant.add(offered);
  for (const oldest of upstream.vacant) {
    if (oldest.freeAt > now && upstream.vacant.size <= limits.actions) break;
    drop(upstream, oldest);
  }
}

/** Frees a name that nobody owns. */
export function drop(upstream: Upstream, offered: Offered): void {
  upstream.vacant.delete(offered);
  offered.keptFor?.released.delete(offered.original);
  offered.keptFor = undefined;
  if (upstream.offered.get(offered.name) === offered) upstream.offered.delete(offered.name);
  forgetDefinition(upstream, offered);
}

function findShared(upstream: Upstream, { digest }: Definition): Offered | undefined {
  if (upstream.room.settings.actions.naming !== "shared") return undefined;
  return upstream.byDefinition.get(digest);
}

function takeBack(game: Game, definition: Definition): Offered | undefined {
  const offered = game.released.get(definition.action.name);
  if (offered !== undefined) define(offered, definition, game.upstream);
  return offered;
}

function offerNew(game: Game, definition: Definition, now: Millis): Offered {
  const { upstream } = game;
  for (const oldest of upstream.vacant) {
    if (oldest.freeAt > now) break;
    drop(upstream, oldest);
  }
  return offer(upstream, newName(upstream, game, definition.action.name), definition);
}

/** Puts a name into the table; it has no owner yet. */
export function offer(upstream: Upstream, name: string, definition: Definition): Offered {
  const { action, mainThread, digest } = definition;
  const offered: Offered = {
    name,
    original: action.name,
    action: { ...action, name },
    mainThread,
    digest,
    owners: new Few(),
    isSent: false,
    isStale: false,
    keptFor: undefined,
    freeAt: 0,
  };
  upstream.offered.set(name, offered);
  upstream.byDefinition.set(offered.digest, offered);
  return offered;
}

function define(offered: Offered, { action, mainThread, digest }: Definition, upstream: Upstream): void {
  if (offered.digest === digest) return;
  forgetDefinition(upstream, offered);
  offered.action = { ...action, name: offered.name };
  offered.mainThread = mainThread;
  offered.digest = digest;
  offered.isStale = offered.isSent;
  upstream.byDefinition.set(offered.digest, offered);
}

function forgetDefinition(upstream: Upstream, offered: Offered): void {
  const { digest } = offered;
  if (upstream.byDefinition.get(digest) === offered) upstream.byDefinition.delete(digest);
}

/** An action as it was before a restart, under its name of then unless somebody else has that. Its game is away. */
export function restoreOwned(game: Game, definition: Definition, before: string): void {
  const { upstream } = game;
  const { name } = definition.action;
  if (game.actions.has(name)) return;
  const held = upstream.offered.get(before);
  const isSame = held !== undefined && held.original === name && held.digest === definition.digest;
  const offered = findShared(upstream, definition) ?? (isSame ? held : undefined) ??
    offer(upstream, held === undefined ? before : newName(upstream, game, name), definition);
  const owned: Owned = { game, name, offered, isSuspect: false };
  game.actions.set(name, owned);
  join(owned, offered);
}

/** A name that was kept for a game before a restart. What it was defined as is not known any more. */
export function restoreReleased(game: Game, kept: { original: string; before: string; freeAt: Millis }): void {
  const { original, before, freeAt } = kept;
  const { upstream } = game;
  if (upstream.offered.has(before) || game.released.has(original)) return;
  const offered = offer(upstream, before, {
    action: { name: original, description: "" },
    mainThread: undefined,
    digest: "",
  });
  offered.keptFor = game;
  offered.freeAt = freeAt;
  game.released.set(original, offered);
  upstream.vacant.add(offered);
}
