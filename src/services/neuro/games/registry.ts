/**
 * Integrations as they come, speak, restart and go, whichever door they use.
 *
 * Invariants: G1 being away for less than the grace changes nothing at Neuro; G2 after it, what Neuro sees of the game goes first
 * and then what the game owed is answered; G3 a registry is kept, parked, for its game's return; G4 a `startup` ends the
 * session before it, but what is registered again at once was never away.
 * Knows nothing of: frames, sockets, takeover.
 */
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { hashText } from "../../../core/hash.ts";
import type { PeerId } from "../../../core/ids.ts";
import { DIRECTORY_NAMES_MAX, NAME_CODE_POINTS_MAX } from "../../../core/limits.ts";
import { matches } from "../../../core/name-pattern.ts";
import type { IntegrationPolicy } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import { SmallMap } from "../small-map.ts";
import { applyControls } from "../operator/controls.ts";
import type { Game, GameListener, NeuroState, Timer, Upstream } from "../state.ts";
import {
  definitionOf,
  freeName,
  hideActions,
  registerAction,
  sync,
  unregisterAction,
  updateVisibility,
} from "../actions/actions.ts";
import { sendContext } from "../upstream/contexts.ts";
import { sendSession, shutdownReady, updateOffAir } from "../upstream/broadcast.ts";
import {
  cancelForces,
  onActionsSynced,
  onNameRedefined,
  onNameUnregistered,
  openNamesOf,
  requestForce,
  restoreInterruptedForce,
} from "../forces/forces.ts";
import { slugOf } from "../actions/names.ts";
import { deliverQueued, failForLostGame, failOutdated, receiveResult } from "../pending/pending.ts";
import { answerExtension } from "./extensions.ts";

const graceTimer = ({ key }: Game): Timer => ({ is: "grace", game: key });
const restartTimer = ({ key }: Game): Timer => ({ is: "restart_window", game: key });
export const retentionTimer = ({ key }: Game): Timer => ({ is: "retention", game: key });

/** A name as it is used: composed, without control characters, and not longer than a name may be. */
export function normalizeGameName(given: string): string {
  // deno-lint-ignore no-control-regex -- Why: control characters are exactly what has to go.
  const name = given.normalize("NFC").replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
  const points = [...name];
  if (points.length <= NAME_CODE_POINTS_MAX) return name;
  return `${points.slice(0, NAME_CODE_POINTS_MAX - 9).join("")}-${hashText(given).slice(0, 8)}`;
}

/** The identity of that name, known or new. */
export function findOrCreateGame(
  state: NeuroState,
  { listener, name }: { listener: GameListener; name: string },
  ctx: StepContext,
): Game {
  const known = state.games.get(`${listener}:${name}`);
  if (known !== undefined) return known;
  if (state.games.size >= state.settings.limits.peers + DIRECTORY_NAMES_MAX) evictLongestAway(state, ctx);
  return createGame(state, { listener, name, key: `${listener}:${name}` });
}

/** An identity that is not there yet. `slug` is what it was called before Neuro, where that is known. */
export function createGame(
  state: NeuroState,
  identity: { listener: GameListener; name: string; key: string; slug?: string },
): Game {
  const { listener, name, key, slug: kept } = identity;
  const isTaken = (slug: string): boolean => state.slugs.has(slug);
  const policy = policyOf(state, name);
  const game: Game = {
    service: state,
    key,
    listener,
    name,
    slug: kept !== undefined && !isTaken(kept) ? kept : slugOf(identity, isTaken),
    upstream: upstreamFor(state, policy),
    policy,
    peer: undefined,
    connection: undefined,
    connectedAt: 0,
    leftAt: 0,
    isActive: false,
    isVisible: false,
    isOffAir: false,
    isHeld: state.controls.stopped || state.hasSolo,
    controls: { paused: false, muted: false, solo: false, approval: false },
    counts: { actions: 0, failures: 0, contexts: 0, forces: 0, result_ms: 0 },
    actions: new SmallMap(),
    reservedNames: new Map(),
    interruptedForce: undefined,
    reregisterUntil: undefined,
    sessionId: "",
    missedDeadlines: 0,
    neverConfirms: false,
    lastAnsweredId: "",
    lastForcedAt: 0,
    reportedRepairs: new Set(),
    takeovers: [],
    record: { kind: "game", key, storedKey: undefined, latestKey: undefined },
    forceRecord: { kind: "force", key, storedKey: undefined, latestKey: undefined },
  };
  state.games.set(key, game);
  state.slugs.set(game.slug, game);
  return game;
}

/** A game is here. One that starts anew is not given what was left of its last session. */
export function connectGame(
  game: Game,
  { peer, isStarting }: { peer: PeerId; isStarting: boolean },
  ctx: StepContext,
): void {
  const { service: state } = game;
  const wasAway = game.peer === undefined;
  const { isActive: wasAround } = game;
  game.isActive = true;
  game.peer = peer;
  game.connectedAt = ctx.now;
  state.timers.clear(graceTimer(game));
  state.timers.clear(retentionTimer(game));
  const { name, slug } = game;
  if (game.listener === "neuro" && wasAway) ctx.observe({ is: "integration_connected_via_backend", name, slug });
  updateOffAir(game, ctx);
  if (game.isOffAir) return;
  if (isStarting) {
    if (wasAround) return updateVisibility(game);
    for (const owned of [...game.actions.values()]) unregisterAction(owned, ctx.now);
    return updateVisibility(game);
  }
  updateVisibility(game);
  sync(game.upstream, ctx);
  deliverQueued(game, ctx);
  restoreInterruptedForce(game, ctx);
  onActionsSynced(game.upstream, ctx);
}

/** A game's connection is gone. */
export function disconnectGame(game: Game, ctx: StepContext): void {
  const { service: state } = game;
  game.peer = undefined;
  game.leftAt = ctx.now;
  state.unsavedRecords.add(game.record);
  const { name, slug } = game;
  if (game.listener === "neuro") ctx.observe({ is: "integration_disconnected_via_backend", name, slug });
  shutdownReady(game, ctx);
  state.timers.set(graceTimer(game), ctx.now + state.settings.actions.grace);
}

/** A game did not come back in time: Neuro forgets it, the relay does not. */
export function endGrace(game: Game, ctx: StepContext): void {
  const { service: state } = game;
  hideActions(game);
  sync(game.upstream, ctx);
  failForLostGame(game, ctx);
  cancelForces(game, "game_gone", ctx);
  state.timers.set(retentionTimer(game), game.leftAt + state.settings.actions.parked);
}

/** Forgets a game that is away, its names and its registry. */
function deleteGame(game: Game): void {
  const { service: state, upstream } = game;
  hideActions(game);
  for (const owned of [...game.actions.values()]) unregisterAction(owned, 0);
  for (const offered of [...game.reservedNames.values()]) freeName(upstream, offered);
  for (const timer of [graceTimer(game), restartTimer(game), retentionTimer(game)]) state.timers.clear(timer);
  state.games.delete(game.key);
  state.slugs.delete(game.slug);
  state.unsavedRecords.add(game.record).add(game.forceRecord);
}

/** A game has been away for as long as its registry is kept. What a person has decided about it is kept until that is lifted. */
export function endRetention(game: Game, ctx: StepContext): void {
  if (game.peer !== undefined) return;
  if (!hasControls(game)) return deleteGame(game);
  game.service.timers.set(retentionTimer(game), ctx.now + game.service.settings.actions.parked);
}

const hasControls = ({ controls }: Game): boolean => Object.values(controls).includes(true);

/** What a game says, in the words of the Neuro API. */
export function handleGameMessage(game: Game, message: GameMessage, ctx: StepContext): void {
  switch (message.command) {
    case "action/result":
      return receiveResult(game, message, ctx);
    case "context":
      return forwardContext(game, message, ctx);
    case "actions/register":
      return registerActions(game, message, ctx);
    case "actions/unregister":
      return unregisterActions(game, message, ctx);
    case "actions/force":
      game.counts.forces++;
      return requestForce(game, message, ctx);
    case "startup":
      return restartGame(game, ctx);
    case "shutdown/ready":
      return shutdownReady(game, ctx);
    case "other":
      return answerExtension(game, message, ctx);
  }
}

function forwardContext(game: Game, { message, silent }: GameMessage & { command: "context" }, ctx: StepContext): void {
  game.counts.contexts++;
  if (game.controls.muted) return ctx.observe({ is: "context_dropped", from: game.name, slug: game.slug });
  sendContext(game.upstream, { source: game, message, silent }, ctx);
}

/** What is not registered again since a `startup`, or is not in a full list, is gone now. */
export function endRestartWindow(game: Game, ctx: StepContext): void {
  const { upstream, service: state } = game;
  const names: string[] = [];
  for (const owned of [...game.actions.values()]) {
    if (!owned.isUnconfirmed) continue;
    names.push(owned.name);
    onNameUnregistered(game, owned.name, ctx);
    unregisterAction(owned, ctx.now);
  }
  game.reregisterUntil = undefined;
  sync(upstream, ctx);
  failOutdated(game, new Set(names), ctx);
  onActionsSynced(upstream, ctx);
  if (names.length === 0) return;
  state.unsavedRecords.add(game.record);
  ctx.observe({ is: "actions_unregistered", integration: game.name, names });
}

/** Everything that is not registered again soon is taken for gone; until then the relay answers for it. */
export function expectReregistration(game: Game, listed: ReadonlySet<string>, ctx: StepContext): void {
  for (const owned of game.actions.values()) if (!listed.has(owned.name)) owned.isUnconfirmed = true;
  game.reregisterUntil = ctx.now + game.service.settings.actions.restart_window;
  game.service.timers.set(restartTimer(game), game.reregisterUntil);
}

/** The policy for a name: of the first pattern that fits. */
export function policyOf(state: NeuroState, name: string): IntegrationPolicy {
  return state.settings.integrations.find(({ match }) => matches(match, name)) ?? DEFAULT_POLICY;
}

/** The upstream that a policy assigns: the one it names, else the first. */
export function upstreamFor(state: NeuroState, policy: IntegrationPolicy): Upstream {
  const named = policy.upstream === undefined ? undefined : state.upstreams.get(policy.upstream);
  const [first] = state.upstreams.values();
  return named ?? first as Upstream; // Why: there is always one, if only the relay itself.
}

const DEFAULT_POLICY: IntegrationPolicy = {
  match: "*",
  upstream: undefined,
  on_duplicate: "replace",
  priority_max: "critical",
  shutdown: false,
  speech_finished: false,
  results: "required",
};

function registerActions(
  game: Game,
  { actions, mainThread }: GameMessage & { command: "actions/register" },
  ctx: StepContext,
): void {
  const names: string[] = [];
  let refused: string | undefined;
  for (const action of actions) {
    const registered = registerAction(game, definitionOf(action, mainThread), ctx.now);
    if (registered === "refused") refused ??= action.name;
    if (registered === "redefined") onNameRedefined(game, action.name, ctx);
    if (registered === "new" || registered === "redefined") names.push(action.name);
  }
  if (refused !== undefined) {
    ctx.observe({
      is: "input_refused",
      from: game.name,
      fault: "queueFull",
      reason: `too many actions: ${refused.slice(0, 64)}`,
    });
  }
  if (names.length > 0) {
    game.service.unsavedRecords.add(game.record);
    ctx.observe({ is: "actions_registered", integration: game.name, names });
    sync(game.upstream, ctx);
  }
  if (game.reregisterUntil !== undefined) deliverQueued(game, ctx);
  onActionsSynced(game.upstream, ctx);
}

function unregisterActions(
  game: Game,
  { names, mainThread }: GameMessage & { command: "actions/unregister" },
  ctx: StepContext,
): void {
  const gone: string[] = [];
  for (const name of names) {
    const owned = game.actions.get(name);
    if (owned === undefined) continue;
    gone.push(name);
    onNameUnregistered(game, name, ctx);
    unregisterAction(owned, ctx.now);
  }
  if (gone.length === 0) return;
  game.service.unsavedRecords.add(game.record);
  ctx.observe({ is: "actions_unregistered", integration: game.name, names: gone });
  sync(game.upstream, ctx, mainThread);
  onActionsSynced(game.upstream, ctx);
}

/** A `startup`: the forces of the session before are over, its actions are waited for. */
function restartGame(game: Game, ctx: StepContext): void {
  const { upstream } = game;
  const names = openNamesOf(game);
  for (const name of names) {
    const owned = game.actions.get(name);
    if (owned !== undefined) unregisterAction(owned, ctx.now);
  }
  if (names.length > 0) sync(upstream, ctx);
  cancelForces(game, "cancelled", ctx);
  game.sessionId = ctx.id();
  expectReregistration(game, new Set(), ctx);
  sendSession(game, ctx);
}

function evictLongestAway(state: NeuroState, ctx: StepContext): void {
  let longest: Game | undefined;
  for (const game of state.games.values()) {
    if (game.peer === undefined && (longest === undefined || isEvictedBefore(game, longest))) longest = game;
  }
  if (longest === undefined) return;
  endGrace(longest, ctx);
  deleteGame(longest);
  if (longest.controls.solo) applyControls(state, ctx);
}

/** Whom nobody has decided anything about goes first, then whoever is away for longest. */
const isEvictedBefore = (game: Game, other: Game): boolean =>
  hasControls(game) === hasControls(other) ? game.leftAt < other.leftAt : hasControls(other);
