/**
 * Integrations of all listeners: a `Game` is an identity, and outlives its connections. This file creates, connects, disconnects and
 * removes games.
 *
 * Invariants: G1 Neuro does not notice that a game disconnected if it reconnects within `actions.grace`; G2 when the grace ends, Neuro
 * first loses the game's actions and then gets a failure for each of its pending actions; G3 the registry of a game that is away is kept
 * for `actions.parked`.
 * Knows nothing of: frames, sockets, duplicate connections.
 */
import type { StepContext } from "../../../core/context.ts";
import { hashText } from "../../../core/hash.ts";
import type { PeerId } from "../../../core/ids.ts";
import { DIRECTORY_NAMES_MAX, NAME_CODE_POINTS_MAX } from "../../../core/limits.ts";
import { matchesPattern, normalized } from "../../../core/text.ts";
import type { IntegrationPolicy } from "../../../core/settings.ts";
import { freeName, hideActions, sync, unregisterAction, updateVisibility } from "../actions/actions.ts";
import { SmallMap } from "../small-map.ts";
import { slugOf } from "../actions/names.ts";
import { cancelForces, onActionsSynced, restoreInterruptedForce } from "../forces/forces.ts";
import type { Repair } from "../../../neuro-api/repair.ts";
import { applyControls } from "../operator/controls.ts";
import { deliverQueued, failForLostGame } from "../pending/pending.ts";
import type { Game, GameListener, NeuroState, Timer, Upstream } from "../state.ts";
import { leaveShutdown, updateOffAir } from "../upstream/broadcast.ts";

/** A name that is longer than this is longer than `NAME_CODE_POINTS_MAX` code points in any normal form. */
const GIVEN_LENGTH_MAX = 4 * NAME_CODE_POINTS_MAX;
const REPORTED_REPAIRS_MAX = 64;

const graceTimer = ({ key }: Game): Timer => ({ is: "grace", game: key });
export const restartTimer = ({ key }: Game): Timer => ({ is: "restart_window", game: key });
export const retentionTimer = ({ key }: Game): Timer => ({ is: "retention", game: key });

/** A name in the form that identifies a game: NFC, without control characters, at most `NAME_CODE_POINTS_MAX` code points. */
export function normalizeGameName(given: string): string {
  const whole = normalized(given, GIVEN_LENGTH_MAX);
  const name = whole ?? normalized(given.slice(0, GIVEN_LENGTH_MAX), GIVEN_LENGTH_MAX) ?? "";
  // deno-lint-ignore no-control-regex -- Why: control characters are exactly what is removed.
  const points = [...name.replace(/[\u0000-\u001f\u007f-\u009f]/g, "")];
  if (whole !== undefined && points.length <= NAME_CODE_POINTS_MAX) return points.join("");
  return `${points.slice(0, NAME_CODE_POINTS_MAX - 9).join("")}-${hashText(given).slice(0, 8)}`;
}

/** The game of that name, created if it does not exist. */
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

/** Creates a game. `slug`: the prefix that it had before a restart, if known. */
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
    presence: { is: "away", since: 0 },
    connection: undefined,
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

/** A game is connected. If its first message is `startup`, the rest of its last session is not restored. */
export function connectGame(
  game: Game,
  { peer, isStarting }: { peer: PeerId; isStarting: boolean },
  ctx: StepContext,
): void {
  const { service: state } = game;
  const { is: before } = game.presence;
  game.presence = { is: "connected", peer, since: ctx.now };
  state.timers.clear(graceTimer(game));
  state.timers.clear(retentionTimer(game));
  const { name, slug } = game;
  if (game.listener === "neuro" && before !== "connected") {
    ctx.observe({ is: "integration_connected_via_backend", name, slug });
  }
  updateOffAir(game, ctx);
  if (game.isOffAir) return;
  if (isStarting) {
    if (before === "away") { for (const action of [...game.actions.values()]) unregisterAction(action, ctx.now); }
    return updateVisibility(game);
  }
  updateVisibility(game);
  sync(game.upstream, ctx);
  deliverQueued(game, ctx);
  restoreInterruptedForce(game, ctx);
  onActionsSynced(game.upstream, ctx);
}

/** A game is disconnected. Neuro is not notified before `actions.grace` is over. */
export function disconnectGame(game: Game, ctx: StepContext): void {
  const { service: state } = game;
  game.presence = { is: "grace", since: ctx.now };
  state.unsavedRecords.add(game.record);
  const { name, slug } = game;
  if (game.listener === "neuro") ctx.observe({ is: "integration_disconnected_via_backend", name, slug });
  leaveShutdown(game, ctx);
  state.timers.set(graceTimer(game), ctx.now + state.settings.actions.grace);
}

/** A game did not come back within its grace: Neuro loses its actions, the relay keeps its registry. */
export function endGrace(game: Game, ctx: StepContext): void {
  const { service: state } = game;
  hideActions(game);
  sync(game.upstream, ctx);
  failForLostGame(game, ctx);
  cancelForces(game, "game_gone", ctx);
  state.timers.set(retentionTimer(game), game.presence.since + state.settings.actions.parked);
}

/** Removes a game that is away, with its names and its registry. */
function deleteGame(game: Game): void {
  const { service: state, upstream } = game;
  for (const action of [...game.actions.values()]) unregisterAction(action, 0);
  for (const reserved of [...game.reservedNames.values()]) freeName(upstream, reserved);
  for (const timer of [graceTimer(game), restartTimer(game), retentionTimer(game)]) state.timers.clear(timer);
  state.games.delete(game.key);
  state.slugs.delete(game.slug);
  state.unsavedRecords.add(game.record).add(game.forceRecord);
}

/** A game was away for `actions.parked`. A game with controls of an operator is kept until they are lifted. */
export function endRetention(game: Game, ctx: StepContext): void {
  if (game.presence.is === "connected") return;
  if (!hasControls(game)) return deleteGame(game);
  game.service.timers.set(retentionTimer(game), ctx.now + game.service.settings.actions.parked);
}

/** Reports each kind of repair once for each game, to its developer. */
export function reportRepairs(game: Game, repairs: readonly Repair[], ctx: StepContext): void {
  for (const { what, hint } of repairs) {
    if (game.reportedRepairs.has(what) || game.reportedRepairs.size >= REPORTED_REPAIRS_MAX) continue;
    game.reportedRepairs.add(what);
    ctx.observe({ is: "input_repaired", from: game.name, what, hint });
  }
}

const hasControls = ({ controls }: Game): boolean => Object.values(controls).includes(true);

/** The policy of the first pattern that matches the name. */
export function policyOf(state: NeuroState, name: string): IntegrationPolicy {
  return state.settings.integrations.find(({ match }) => matchesPattern(match, name)) ?? DEFAULT_POLICY;
}

/** The upstream that a policy names, or the first one. */
export function upstreamFor(state: NeuroState, policy: IntegrationPolicy): Upstream {
  const named = policy.upstream === undefined ? undefined : state.upstreams.get(policy.upstream);
  const [first] = state.upstreams.values();
  return named ?? first as Upstream; // Why: without a configured one the relay is the upstream.
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

function evictLongestAway(state: NeuroState, ctx: StepContext): void {
  let longest: Game | undefined;
  for (const game of state.games.values()) {
    if (game.presence.is !== "connected" && (longest === undefined || isEvictedBefore(game, longest))) longest = game;
  }
  if (longest === undefined) return;
  endGrace(longest, ctx);
  deleteGame(longest);
  if (longest.controls.solo) applyControls(state, ctx);
}

/** A game without controls of an operator is evicted first, then the one that has been away for longest. */
const isEvictedBefore = (game: Game, other: Game): boolean =>
  hasControls(game) === hasControls(other) ? game.presence.since < other.presence.since : hasControls(other);
