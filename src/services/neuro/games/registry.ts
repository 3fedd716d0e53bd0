/**
 * Integrations of all listeners: a `Game` is an identity, and outlives its connections. This file creates, connects, disconnects and
 * removes games.
 *
 * Invariants: G1 Neuro does not notice that a game disconnected if it reconnects within its grace; G2 when the grace ends, Neuro
 * first loses the game's actions and then gets a failure for each of its pending actions; G3 the registry of a game that is away is kept
 * for the `parked` of its policy, unless the games that are away exceed their part of `limits.total_bytes` or their actions `limits.actions`.
 * Knows nothing of: frames, sockets, duplicate connections.
 */
import type { StepContext } from "../../../core/context.ts";
import { hashText } from "../../../core/hash.ts";
import type { Millis, PeerId } from "../../../core/ids.ts";
import { DIRECTORY_NAMES_MAX, NAME_CODE_POINTS_MAX, PARKED_PART } from "../../../core/limits.ts";
import { RecordRing } from "../../../core/traces/record-ring.ts";
import { RetainedBytes } from "../../../core/retained-bytes.ts";
import { normalized, withoutInvisible } from "../../../core/text.ts";
import { freeReservedNames, hideActions, sync, unregisterAction, updateVisibility } from "../actions/actions.ts";
import { diagnose, forgetFindings } from "../diagnostics/diagnose.ts";
import type { Policy } from "../policy.ts";
import { SmallMap } from "../small-map.ts";
import { slugOf } from "../actions/names.ts";
import {
  cancelForces,
  keepInterruptedForce,
  keepPresumedForce,
  onActionsSynced,
  restoreInterruptedForce,
} from "../forces/forces.ts";
import { applyControls, areSet, NO_CONTROLS, shouldHold } from "../operator/controls.ts";
import { UNKNOWN } from "../pending/confirmation.ts";
import { deliverQueued, failForLostGame } from "../pending/pending.ts";
import {
  type Game,
  type GameListener,
  type GamePresence,
  isAdmitted,
  type NeuroState,
  newRecord,
  peerOf,
  type Timer,
  type Upstream,
} from "../state.ts";
import { leaveShutdown, updateOffAir } from "../upstream/broadcast.ts";
import { forgetKeys } from "../upstream/coalescing.ts";
import { dropContexts } from "../upstream/contexts.ts";

/** A name that is longer than this is longer than `NAME_CODE_POINTS_MAX` code points in any normal form. */
const GIVEN_LENGTH_MAX = 4 * NAME_CODE_POINTS_MAX;
/** Nearly every name. It is the same text in memory then. */
const NORMAL_NAME = new RegExp(`^[ -~]{0,${NAME_CODE_POINTS_MAX}}$`);
/** A game without its actions and messages, with the metadata of its connection and its entries in the tables. */
export const GAME_BYTES = 4_096;

const graceTimer = ({ key }: Game): Timer => ({ is: "grace", game: key });
export const restartTimer = ({ key }: Game): Timer => ({ is: "restart_window", game: key });
export const shutdownTimer = ({ key }: Game): Timer => ({ is: "shutdown_answer", game: key });
export const retentionTimer = ({ key }: Game): Timer => ({ is: "retention", game: key });

/** A name in the form that identifies a game: NFC, without control and invisible characters, at most `NAME_CODE_POINTS_MAX` code points. */
export function normalizeGameName(given: string): string {
  if (NORMAL_NAME.test(given)) return given;
  const whole = normalized(given, GIVEN_LENGTH_MAX);
  const name = whole ?? normalized(given.slice(0, GIVEN_LENGTH_MAX), GIVEN_LENGTH_MAX) ?? "";
  const points = [...withoutInvisible(name)];
  if (whole !== undefined && points.length <= NAME_CODE_POINTS_MAX) return points.join("");
  return `${points.slice(0, NAME_CODE_POINTS_MAX - 9).join("")}-${hashText(given).slice(0, 8)}`;
}

/** A name as it stands in the frames, to find its connection by. One that is too long is kept in its normal form. */
export const connectionName = (given: string): string => given.length > GIVEN_LENGTH_MAX ? normalizeGameName(given) : given;

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

// Why shared: nearly all games have none of these, and each would take 32 to 64 bytes.
const NONE: readonly never[] = [];
const NONE_ALLOWED: ReadonlySet<string> = new Set();
const NO_FINDINGS: Game["findings"] = new Map();

/** Creates a game. `slug`: the prefix that it had before a restart, if known. */
export function createGame(
  state: NeuroState,
  identity: { listener: GameListener; name: string; key: string; slug?: string },
): Game {
  const { listener, name, key, slug: kept } = identity;
  const isTaken = (slug: string): boolean => state.slugs.has(slug);
  const policy = state.policies.of(name);
  const retained = new RetainedBytes(state.parked, "peer_bytes");
  retained.charge(GAME_BYTES);
  const game: Game = {
    // Why these first: each message reads them, and they lie together in memory.
    service: state,
    listener,
    upstream: upstreamFor(state, policy),
    presence: { is: "away", since: 0 },
    pending: [],
    name,
    slug: kept !== undefined && !isTaken(kept) ? kept : slugOf(identity, isTaken),
    policy,
    controls: NO_CONTROLS,
    counts: undefined,
    confirmation: UNKNOWN,
    lastAnsweredId: "",
    traces: new RecordRing(state.traces),
    wantsTraces: false,
    admission: policy.admission === "approval" ? "pending" : "known",
    contextTemplate: undefined,
    isHeld: false,
    alwaysAllowed: NONE_ALLOWED,
    recentContexts: undefined,
    contextKeys: undefined,
    forwardedContexts: undefined,
    key,
    retained,
    connection: undefined,
    isVisible: false,
    isOffAir: false,
    actions: new SmallMap(),
    reservedNames: undefined,
    waitingChanges: undefined,
    interruptedForce: undefined,
    presumedForce: undefined,
    reregisterUntil: undefined,
    sessionId: "",
    unregisteredActions: NONE,
    lastForcedAt: 0,
    findings: NO_FINDINGS,
    shutdown: "none",
    startedBy: undefined,
    recentChanges: undefined,
    takeovers: NONE,
    rivals: undefined,
    record: newRecord("game", key),
    forceRecord: undefined,
  };
  game.isHeld = shouldHold(game);
  state.games.set(key, game);
  state.away.add(game);
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
  occupyAccount(game, peer, ctx);
  setConnected(game, peer, ctx.now);
  state.timers.clear(graceTimer(game));
  state.timers.clear(retentionTimer(game));
  const { name, slug } = game;
  if (game.listener === "neuro" && before !== "connected") {
    ctx.observe({ is: "integration_connected_via_backend", name, slug });
  }
  if (!isAdmitted(game)) diagnose(game, "integration_unapproved", { detail: game.admission }, ctx);
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

/** A game is connected from now on. */
export function setConnected(game: Game, peer: PeerId, now: Millis): void {
  const { service: { away, silent, shutdownActions } } = game;
  shutdownActions.changed.add(game);
  game.presence = { is: "connected", peer, since: now };
  game.wantsTraces = false;
  away.delete(game);
  silent.connected(game);
}

/** A game that is not connected since then. Call this in the order of these times. */
export function setAway(game: Game, presence: GamePresence & { readonly is: "grace" | "away" }): void {
  const { service: { away, silent, shutdownActions } } = game;
  shutdownActions.changed.add(game);
  game.presence = presence;
  away.delete(game);
  away.add(game);
  silent.disconnected(game);
}

/**
 * What is kept of a game counts for its socket from now on. A registry that does not fit there is forgotten: otherwise one peer could
 * occupy as much as all games that have left.
 */
function occupyAccount(game: Game, peer: PeerId, ctx: StepContext): void {
  const { service: state, retained } = game;
  const socket = state.sockets.get(peer);
  const { peer_bytes } = state.settings.limits;
  if (socket !== undefined && socket.retained.bytes + retained.bytes > peer_bytes && peerOf(game) !== peer) {
    for (const action of [...game.actions.values()]) unregisterAction(action, ctx.now);
    freeReservedNames(game);
    keepInterruptedForce(game, undefined);
    keepPresumedForce(game, undefined);
  }
  moveToAccount(game, peer);
}

/** What is kept of a game counts for its socket; for an integration of another listener it is an account of its own. */
export const moveToAccount = ({ service: state, retained }: Game, peer: PeerId): void =>
  retained.moveTo(state.sockets.get(peer)?.retained ?? state.retained);

/** A game is disconnected. Neuro is not notified before its grace is over. */
export function disconnectGame(game: Game, ctx: StepContext): void {
  const { service: state } = game;
  setAway(game, { is: "grace", since: ctx.now });
  state.unsavedRecords.add(game.record);
  game.shutdown = "none";
  state.timers.clear(shutdownTimer(game));
  const { name, slug } = game;
  if (game.listener === "neuro") ctx.observe({ is: "integration_disconnected_via_backend", name, slug });
  leaveShutdown(game, ctx);
  state.timers.set(graceTimer(game), ctx.now + game.policy.grace);
  game.retained.moveTo(state.parked);
  evictLargest(state, ctx);
}

/** A game did not come back within its grace: Neuro loses its actions, the relay keeps its registry. */
export function endGrace(game: Game, ctx: StepContext): void {
  const { service: state } = game;
  hideActions(game);
  sync(game.upstream, ctx);
  failForLostGame(game, ctx);
  cancelForces(game, "game_gone", ctx);
  state.timers.set(retentionTimer(game), game.presence.since + game.policy.parked);
}

/** Removes a game that is away, with its names and its registry. */
function deleteGame(game: Game): void {
  const { service: state } = game;
  for (const action of [...game.actions.values()]) unregisterAction(action, 0);
  freeReservedNames(game);
  keepInterruptedForce(game, undefined);
  keepPresumedForce(game, undefined);
  forgetFindings(game);
  forgetKeys(game);
  game.traces.clear();
  game.retained.release(GAME_BYTES);
  for (const timer of [graceTimer(game), restartTimer(game), retentionTimer(game), shutdownTimer(game)]) {
    state.timers.clear(timer);
  }
  state.games.delete(game.key);
  state.away.delete(game);
  state.silent.connected(game);
  state.slugs.delete(game.slug);
  state.unsavedRecords.add(game.record);
  if (game.forceRecord !== undefined) state.unsavedRecords.add(game.forceRecord);
}

/** A game was away for the `parked` of its policy. A game with controls of an operator is kept until they are lifted. */
export function endRetention(game: Game, ctx: StepContext): void {
  if (game.presence.is === "connected") return;
  if (!hasControls(game)) return deleteGame(game);
  game.service.timers.set(retentionTimer(game), ctx.now + game.policy.parked);
}

const hasControls = ({ controls, alwaysAllowed, admission }: Game): boolean =>
  alwaysAllowed.size > 0 || areSet(controls) || admission === "approved" || admission === "rejected";

/** The upstream that a policy names, or the first one. */
export function upstreamFor(state: NeuroState, policy: Policy): Upstream {
  const named = policy.upstream === undefined ? undefined : state.upstreams.get(policy.upstream);
  const [first] = state.upstreams.values();
  return named ?? first as Upstream; // Why: without a configured one the relay is the upstream.
}

/** Forgets the game that has been away for longest. */
function evictLongestAway(state: NeuroState, ctx: StepContext): void {
  const game = longestAway(state);
  if (game !== undefined) evict(game, ctx);
}

/** The game that has been away for longest. One with controls of an operator comes last. */
function longestAway({ away }: NeuroState, fits: (game: Game) => boolean = () => true): Game | undefined {
  let first: Game | undefined;
  for (const game of away) {
    if (!fits(game)) continue;
    if (!hasControls(game)) return game;
    first ??= game;
  }
  return first;
}

/** Forgets games that are away until `count` more actions are within `limits.actions`, those away for longest first. */
export function freeActions(state: NeuroState, count: number, ctx: StepContext): void {
  while (state.actionCount + count > state.settings.limits.actions) {
    const game = longestAway(state, ({ actions }) => actions.size > 0);
    if (game === undefined) return;
    evict(game, ctx);
  }
}

/** What games that are away may occupy together. */
export const parkedBytesMax = ({ settings: { limits } }: NeuroState): number => limits.total_bytes * PARKED_PART;

/** Forgets games that are away until they are within their part of the memory, the largest first. */
function evictLargest(state: NeuroState, ctx: StepContext): void {
  while (state.parked.bytes > parkedBytesMax(state)) {
    const game = largestAway(state);
    if (game === undefined) return;
    evict(game, ctx);
  }
}

/** The largest game that is away. One with controls of an operator comes last. */
function largestAway({ away }: NeuroState): Game | undefined {
  let largest: Game | undefined;
  for (const game of away) {
    const isFirst = largest === undefined ||
      (hasControls(game) === hasControls(largest) ? game.retained.bytes > largest.retained.bytes : hasControls(largest));
    if (isFirst) largest = game;
  }
  return largest;
}

function evict(game: Game, ctx: StepContext): void {
  endGrace(game, ctx);
  dropContexts(game.upstream, game.key, ctx);
  deleteGame(game);
  if (game.controls.solo) applyControls(game.service, ctx);
}
