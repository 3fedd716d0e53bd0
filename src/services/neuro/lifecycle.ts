/**
 * The room from its first tick to its last: made from what was stored, configured while it runs, drained.
 *
 * Invariants: W1 there is always an upstream, if only the relay itself; W2 what is drained has answered every action, and Neuro has
 * nothing of ours left.
 */
import type { ResumedPeer } from "../../core/event.ts";
import type { Millis } from "../../core/ids.ts";
import { isObject, type Json } from "../../core/json.ts";
import type { RestoreInput } from "../../core/service.ts";
import type { Settings, UpstreamSettings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import { createGame, normalizeGameName, policyOf, retentionTimer, upstreamFor } from "./games/registry.ts";
import { awaitFirstMessage, requestReregistration, scheduleKeepalive } from "./games/keepalive.ts";
import { createSocket, openConnection } from "./games/connections.ts";
import { restoreEntries, saveRecords } from "./persistence.ts";
import { emptyState, type Game, type NeuroState, type Upstream } from "./state.ts";
import {
  definitionOf,
  freeName,
  hideActions,
  registerAction,
  sync,
  unregisterAction,
  updateVisibility,
} from "./actions/actions.ts";
import { announceUpstreams, newUpstream, profileOf, redial, start, stop } from "./upstream/client.ts";
import { moveContexts } from "./upstream/contexts.ts";
import { updateOffAir } from "./upstream/broadcast.ts";
import { cancelForces, onActionsSynced, restoreInterruptedForce } from "./forces/forces.ts";
import { failAll, failForLostGame } from "./pending/pending.ts";

/** The room as it was, with whoever is still connected. Nothing has been said to anybody yet. */
export function restoreState(settings: Settings, { entries, resumed, now }: RestoreInput): NeuroState {
  const state = emptyState(settings);
  for (const each of upstreamSettings(settings)) {
    const upstream = newUpstream(state, each, now);
    state.upstreams.set(upstream.id, upstream);
  }
  restoreEntries(state, entries, now);
  for (const resumedPeer of resumed) resumePeer(state, resumedPeer, now);
  return state;
}

/** The first tick: from here on the room acts. */
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
  for (const game of state.games.values()) if (game.peer !== undefined) restoreInterruptedForce(game, ctx);
  announceUpstreams(state, ctx);
}

/** New settings, while everything runs. */
export function configure(state: NeuroState, settings: Settings, ctx: StepContext): void {
  state.settings = settings;
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
    game.policy = policyOf(state, game.name);
    const upstream = upstreamFor(state, game.policy);
    if (upstream !== game.upstream) moveGame(game, upstream, ctx);
    else if (game.peer !== undefined) updateOffAir(game, ctx);
  }
  for (const upstream of before) if (state.upstreams.get(upstream.id) !== upstream) stop(upstream, ctx);
  announceUpstreams(state, ctx);
}

/** Nothing new begins; what Neuro awaits may still be answered. */
export function beginDrain(state: NeuroState, until: Millis, ctx: StepContext): void {
  state.drainUntil = Math.max(until, ctx.now);
  state.timers.set({ is: "drain" }, state.drainUntil);
}

/** Leaves once nothing is awaited any more, or the time is over. */
export function finishDrain(state: NeuroState, ctx: StepContext): void {
  const isBusy = [...state.upstreams.values()].some(({ pendingActions }) => pendingActions.byId.size > 0);
  if (isBusy && ctx.now < (state.drainUntil ?? 0)) return;
  for (const upstream of state.upstreams.values()) failAll(upstream, "The relay restarts.", ctx);
  saveRecords(state, ctx);
  for (const game of state.games.values()) hideActions(game);
  for (const upstream of state.upstreams.values()) {
    sync(upstream, ctx);
    stop(upstream, ctx);
  }
  for (const peer of state.sockets.keys()) ctx.emit({ do: "close", peer, fault: "restarting" });
  ctx.emit({ do: "drained", service: "neuro" });
  state.hasDrained = true;
}

/** Those configured, or one that the relay plays. */
const upstreamSettings = (settings: Settings): readonly (UpstreamSettings | undefined)[] =>
  settings["nakurity-clients"].length === 0 ? [undefined] : settings["nakurity-clients"];

function reconfigure(upstream: Upstream, settings: UpstreamSettings | undefined, ctx: StepContext): void {
  const before = upstream.settings;
  upstream.settings = settings;
  upstream.profile = profileOf(settings);
  if (upstream.decider !== undefined) upstream.decider.settings = upstream.service.settings["nakurity-backend"];
  if (before?.url !== settings?.url || before?.name !== settings?.name) redial(upstream, ctx);
}

/** A game's words go to another Neuro from now on. */
function moveGame(game: Game, to: Upstream, ctx: StepContext): void {
  const from = game.upstream;
  const definitions = [...game.actions.values()].map(({ name, upstreamAction: { definition, mainThread } }) =>
    definitionOf({ ...definition, name }, mainThread)
  );
  for (const owned of [...game.actions.values()]) unregisterAction(owned, ctx.now);
  sync(from, ctx);
  failForLostGame(game, ctx);
  cancelForces(game, "cancelled", ctx);
  for (const offered of [...game.reservedNames.values()]) freeName(from, offered);
  moveContexts(game.key, { from, to });
  game.upstream = to;
  for (const definition of definitions) registerAction(game, definition, ctx.now);
  if (game.peer !== undefined) updateOffAir(game, ctx);
  sync(to, ctx);
  onActionsSynced(to, ctx);
}

/** Gives a survivor its place again, as its attachment says. */
function resumePeer(state: NeuroState, { peer, connection, attachment }: ResumedPeer, now: Millis): void {
  const socket = createSocket(state, { peer, connection }, now);
  state.sockets.set(peer, socket);
  for (const [name, key] of attachedNames(attachment)) {
    const game = state.games.get(key) ?? createGame(state, { listener: "neuro", name: normalizeGameName(name), key });
    if (game.peer !== undefined) continue;
    socket.hasSpoken = true;
    socket.lastConnection = openConnection(socket, { name, game }, now);
    game.peer = peer;
    game.connection = connection;
    game.connectedAt = now;
    state.timers.clear(retentionTimer(game));
    game.isActive = true;
    updateVisibility(game);
  }
}

function attachedNames(attachment: Json | undefined): readonly (readonly [string, string])[] {
  if (!isObject(attachment) || !Array.isArray(attachment["names"])) return [];
  return attachment["names"].flatMap((pair: Json) =>
    Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "string" ? [[pair[0], pair[1]] as const] : []
  );
}
