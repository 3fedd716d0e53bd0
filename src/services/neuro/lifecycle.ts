/**
 * The service from its first tick to its last: restored from the store, configured while it runs, drained.
 *
 * Invariants: LC1 there is always an upstream, because without a configured one the relay acts as Neuro; LC2 after a drain
 * every action is answered, and Neuro has no action and no connection of this relay.
 */
import type { ResumedPeer } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { isObject, type Json } from "../../core/json.ts";
import { secretsOf } from "../../core/secrets.ts";
import type { RestoreInput } from "../../core/service.ts";
import type { Settings, UpstreamSettings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import { createSocket, openConnection, recheckGames } from "./games/connections.ts";
import { reconfigure as reconfigureDecider } from "./standalone/decider.ts";
import { applyPolicy } from "./games/policy-changes.ts";
import { PolicyTable } from "./policy.ts";
import { awaitFirstMessage } from "./games/identification.ts";
import { scheduleKeepalive } from "./games/keepalive.ts";
import {
  createGame,
  moveToAccount,
  normalizeGameName,
  retentionTimer,
  setConnected,
  upstreamFor,
} from "./games/registry.ts";
import { requestReregistration } from "./games/reregistration.ts";
import { restoreEntries, saveRecords } from "./persistence.ts";
import { emptyState, type Game, isConnected, type NeuroState, type Upstream } from "./state.ts";
import {
  definitionOf,
  freeReservedNames,
  hideActions,
  registerAction,
  releaseChanges,
  sync,
  unregisterAction,
  updateVisibility,
} from "./actions/actions.ts";
import { announceUpstreams, newUpstream, profileOf, redial, start, stop } from "./upstream/client.ts";
import { traceLimits, transcriptLimits } from "../../core/traces/limits.ts";
import { moveContexts } from "./upstream/contexts.ts";
import { leaveShutdown, updateOffAir } from "./upstream/broadcast.ts";
import { cancelForces, onActionsSynced, restoreInterruptedForce } from "./forces/forces.ts";
import { failAll, failForLostGame } from "./pending/pending.ts";
import { pendingCount } from "./pending/pending-actions.ts";

/** How long the links to Neuro stay open after everything was unregistered. */
const LINGER_MS: Millis = 500;

/** The service as it was stored, with the peers that are still connected. Nothing is sent before the first tick. */
export function restoreState(settings: Settings, { entries, resumed, now, retained }: RestoreInput): NeuroState {
  const state = emptyState(settings, retained);
  for (const each of upstreamSettings(settings)) {
    const upstream = newUpstream(state, each, now);
    state.upstreams.set(upstream.id, upstream);
  }
  restoreEntries(state, entries, now);
  for (const resumedPeer of resumed) resumePeer(state, resumedPeer, now);
  return state;
}

/** The first tick. */
export function startService(state: NeuroState, ctx: StepContext): void {
  state.hasStarted = true;
  state.relayId = ctx.secret().slice(0, 16);
  for (const key of state.staleKeys.splice(0)) ctx.emit({ do: "delete", key });
  for (const socket of state.sockets.values()) {
    if (socket.hasSpoken) requestReregistration(socket, ctx);
    else if (!socket.isVoice) awaitFirstMessage(socket, ctx.now);
  }
  scheduleKeepalive(state, ctx.now);
  for (const upstream of state.upstreams.values()) start(upstream, ctx);
  for (const game of state.games.values()) if (isConnected(game)) restoreInterruptedForce(game, ctx);
  announceUpstreams(state, ctx);
}

/** Applies new settings: only changed upstreams are dialled again, and only affected games are moved. */
export function configure(state: NeuroState, settings: Settings, ctx: StepContext): void {
  state.settings = settings;
  state.policies = new PolicyTable(settings);
  state.traces.configure(traceLimits(settings));
  state.transcripts.configure(transcriptLimits(settings));
  state.secrets.learn(secretsOf(settings));
  const wanted = upstreamSettings(settings);
  const before = [...state.upstreams.values()];
  state.upstreams.clear();
  for (const each of wanted) {
    const known = before.find(({ settings: old }) => old?.id === each?.id);
    const upstream = known ?? newUpstream(state, each, ctx.now);
    state.upstreams.set(upstream.id, upstream);
    if (known === undefined) start(upstream, ctx);
    else reconfigure(upstream, each, ctx);
  }
  for (const game of state.games.values()) {
    applyPolicy(game, state.policies.of(game.name), ctx);
    const upstream = upstreamFor(state, game.policy);
    if (upstream !== game.upstream) moveGame(game, upstream, ctx);
    else if (isConnected(game)) updateOffAir(game, ctx);
  }
  for (const upstream of before) {
    if (state.upstreams.get(upstream.id) === upstream) continue;
    stop(upstream, ctx);
    upstream.transcript.clear();
  }
  announceUpstreams(state, ctx);
  recheckGames(state, ctx);
  for (const game of state.games.values()) state.shutdownActions.changed.add(game);
}

/** Starts a drain: nothing new is accepted, and games may answer their pending actions until shortly before `until`. */
export function beginDrain(state: NeuroState, until: Millis, ctx: StepContext): void {
  const end = Math.max(until, ctx.now);
  const answerUntil = end - Math.min(LINGER_MS, Math.floor((end - ctx.now) / 2));
  state.drain = { is: "answering", answerUntil, until: end };
  state.timers.set({ is: "drain" }, answerUntil);
}

/** Every step of a drain ends here: unregisters everything once no action is pending or time is over, then closes. */
export function continueDrain(state: NeuroState, ctx: StepContext): void {
  if (state.drain.is === "answering") {
    const { answerUntil, until } = state.drain;
    const isBusy = [...state.upstreams.values()].some(({ pendingActions }) => pendingCount(pendingActions) > 0);
    if (isBusy && ctx.now < answerUntil) return;
    withdrawAll(state, ctx);
    // Why: an action that crosses the unregistration would never be answered, and some backends wait for its result without limit.
    const mayCross = [...state.upstreams.values()].some(({ isOpen, settings }) => isOpen && settings !== undefined);
    state.drain = { is: "leaving", closeAt: mayCross ? Math.min(ctx.now + LINGER_MS, until) : ctx.now };
    state.timers.set({ is: "drain" }, state.drain.closeAt);
  }
  if (state.drain.is === "leaving" && ctx.now >= state.drain.closeAt) leave(state, ctx);
}

function withdrawAll(state: NeuroState, ctx: StepContext): void {
  for (const upstream of state.upstreams.values()) failAll(upstream, "The relay restarts.", ctx);
  saveRecords(state, ctx);
  for (const game of state.games.values()) hideActions(game);
  for (const upstream of state.upstreams.values()) sync(upstream, ctx);
}

function leave(state: NeuroState, ctx: StepContext): void {
  saveRecords(state, ctx);
  for (const upstream of state.upstreams.values()) stop(upstream, ctx);
  for (const peer of state.sockets.keys()) ctx.emit({ do: "close", peer, fault: "restarting" });
  ctx.emit({ do: "drained", service: "neuro" });
  state.drain = { is: "drained" };
}

/** The configured upstreams, or `undefined` for the relay acting as Neuro. */
const upstreamSettings = (settings: Settings): readonly (UpstreamSettings | undefined)[] =>
  settings["nakurity-clients"].length === 0 ? [undefined] : settings["nakurity-clients"];

function reconfigure(upstream: Upstream, settings: UpstreamSettings | undefined, ctx: StepContext): void {
  const before = upstream.settings;
  upstream.settings = settings;
  upstream.profile = profileOf(settings);
  const { decider, service: { settings: { "nakurity-backend": backend } } } = upstream;
  if (decider !== undefined) upstream.inbox.push(...reconfigureDecider(decider, backend, ctx));
  if (before?.url !== settings?.url || before?.name !== settings?.name) redial(upstream, ctx);
}

/** Assigns a game to another upstream, with its actions and contexts. */
function moveGame(game: Game, to: Upstream, ctx: StepContext): void {
  const from = game.upstream;
  const definitions = [...game.actions.values()].map(({ name, upstreamAction: { definition, mainThread } }) =>
    definitionOf({ ...definition, name }, mainThread)
  );
  for (const action of [...game.actions.values()]) unregisterAction(action, ctx.now);
  releaseChanges(game);
  sync(from, ctx);
  failForLostGame(game, ctx);
  cancelForces(game, "cancelled", ctx);
  freeReservedNames(game);
  leaveShutdown(game, ctx);
  moveContexts(game.key, { from, to }, ctx);
  game.upstream = to;
  for (const definition of definitions) registerAction(game, definition, ctx.now);
  if (isConnected(game)) updateOffAir(game, ctx);
  sync(to, ctx);
  onActionsSynced(to, ctx);
}

/**
 * Connects a resumed peer to the games that its attachment names. One whose attachment names none has lost its game or waits for it, and
 * cannot be another game.
 */
function resumePeer(state: NeuroState, { peer, connection, attachment }: ResumedPeer, now: Millis): void {
  const socket = createSocket(state, { peer, connection }, now);
  socket.hasSpoken = attachment !== undefined;
  state.sockets.set(peer, socket);
  for (const { name, key, wantsTraces } of attachedNames(attachment)) {
    const game = state.games.get(key) ?? createGame(state, { listener: "neuro", name: normalizeGameName(name), key });
    if (isConnected(game)) continue;
    socket.lastConnection = openConnection(socket, { name, game });
    moveToAccount(game, peer);
    setConnected(game, peer, now);
    game.connection = connection;
    game.wantsTraces = wantsTraces;
    state.timers.clear(retentionTimer(game));
    updateVisibility(game);
  }
}

interface AttachedName {
  readonly name: string;
  readonly key: string;
  readonly wantsTraces: boolean;
}

function attachedNames(attachment: Json | undefined): readonly AttachedName[] {
  if (!isObject(attachment) || !Array.isArray(attachment["names"])) return [];
  return attachment["names"].flatMap((each: Json) => {
    const [name, key, traces] = Array.isArray(each) ? each : [];
    return typeof name === "string" && typeof key === "string" ? [{ name, key, wantsTraces: traces === "traces" }] : [];
  });
}
