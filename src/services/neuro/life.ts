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
import { nameOf, newGame, parkedTimer, policyOf, upstreamFor } from "./games/games.ts";
import { askForAll, awaitFirst, keepAlive } from "./games/silence.ts";
import { newSocket, sit } from "./games/sockets.ts";
import { readAll, save } from "./records.ts";
import { emptyRoom, type Game, type Neuro, type Upstream } from "./state.ts";
import { definitionOf, disown, drop, own, reveal, sync, vanish } from "./actions/actions.ts";
import { announce, profileOf, redial, start, stop, upstreamOf } from "./upstream/client.ts";
import { moveAll } from "./upstream/contexts.ts";
import { park } from "./upstream/fanout.ts";
import { cancel, namesChanged, recover } from "./forces/forces.ts";
import { failAll, lost } from "./pending/pending.ts";

const DRAIN = "drain all";

/** The room as it was, with whoever is still connected. Nothing has been said to anybody yet. */
export function restoreRoom(settings: Settings, { entries, resumed, now }: RestoreInput): Neuro {
  const room = emptyRoom(settings);
  for (const each of upstreamSettings(settings)) {
    const upstream = upstreamOf(room, each, now);
    room.upstreams.set(upstream.id, upstream);
  }
  readAll(room, entries, now);
  for (const resumedPeer of resumed) seat(room, resumedPeer, now);
  return room;
}

/** The first tick: from here on the room acts. */
export function startRoom(room: Neuro, ctx: StepContext): void {
  room.hasStarted = true;
  room.relayId = ctx.secret().slice(0, 16);
  for (const key of room.outdated.splice(0)) ctx.emit({ do: "delete", key });
  for (const socket of room.sockets.values()) {
    if (socket.hasSpoken) askForAll(socket, ctx);
    else if (!socket.isVoice) awaitFirst(socket, ctx.now);
  }
  keepAlive(room, ctx.now);
  for (const upstream of room.upstreams.values()) start(upstream, ctx);
  for (const game of room.games.values()) if (game.peer !== undefined) recover(game, ctx);
  announce(room, ctx);
}

/** New settings, while everything runs. */
export function configure(room: Neuro, settings: Settings, ctx: StepContext): void {
  room.settings = settings;
  const wanted = upstreamSettings(settings);
  const before = [...room.upstreams.values()];
  room.upstreams.clear();
  for (const each of wanted) {
    const known = before.find(({ settings: old }) => old?.id === each?.id);
    const upstream = known ?? upstreamOf(room, each, ctx.now);
    room.upstreams.set(upstream.id, upstream);
    if (known === undefined) start(upstream, ctx);
    else reconfigure(upstream, each, ctx);
  }
  for (const game of room.games.values()) {
    game.policy = policyOf(room, game.name);
    const upstream = upstreamFor(room, game.policy);
    if (upstream !== game.upstream) move(game, upstream, ctx);
    else if (game.peer !== undefined) park(game, ctx);
  }
  for (const upstream of before) if (room.upstreams.get(upstream.id) !== upstream) stop(upstream, ctx);
  announce(room, ctx);
}

/** Nothing new begins; what Neuro awaits may still be answered. */
export function beginDrain(room: Neuro, until: Millis, ctx: StepContext): void {
  room.drainUntil = Math.max(until, ctx.now);
  room.timers.set(DRAIN, room.drainUntil);
}

/** Leaves once nothing is awaited any more, or the time is over. */
export function concludeDrain(room: Neuro, ctx: StepContext): void {
  const isBusy = [...room.upstreams.values()].some(({ pendings }) => pendings.byId.size > 0);
  if (isBusy && ctx.now < (room.drainUntil ?? 0)) return;
  for (const upstream of room.upstreams.values()) failAll(upstream, "The relay restarts.", ctx);
  save(room, ctx);
  for (const game of room.games.values()) vanish(game);
  for (const upstream of room.upstreams.values()) {
    sync(upstream, ctx);
    stop(upstream, ctx);
  }
  for (const peer of room.sockets.keys()) ctx.emit({ do: "close", peer, fault: "restarting" });
  ctx.emit({ do: "drained", service: "neuro" });
  room.hasDrained = true;
}

/** Those configured, or one that the relay plays. */
const upstreamSettings = (settings: Settings): readonly (UpstreamSettings | undefined)[] =>
  settings["nakurity-clients"].length === 0 ? [undefined] : settings["nakurity-clients"];

function reconfigure(upstream: Upstream, settings: UpstreamSettings | undefined, ctx: StepContext): void {
  const before = upstream.settings;
  upstream.settings = settings;
  upstream.profile = profileOf(settings);
  if (upstream.decider !== undefined) upstream.decider.settings = upstream.room.settings["nakurity-backend"];
  if (before?.url !== settings?.url || before?.name !== settings?.name) redial(upstream, ctx);
}

/** A game's words go to another Neuro from now on. */
function move(game: Game, to: Upstream, ctx: StepContext): void {
  const from = game.upstream;
  const definitions = [...game.actions.values()].map(({ name, offered: { action, mainThread } }) =>
    definitionOf({ ...action, name }, mainThread)
  );
  for (const owned of [...game.actions.values()]) disown(owned, ctx.now);
  sync(from, ctx);
  lost(game, ctx);
  cancel(game, "cancelled", ctx);
  for (const offered of [...game.released.values()]) drop(from, offered);
  moveAll(game.key, { from, to });
  game.upstream = to;
  for (const definition of definitions) own(game, definition, ctx.now);
  if (game.peer !== undefined) park(game, ctx);
  sync(to, ctx);
  namesChanged(to, ctx);
}

/** Gives a survivor its place again, as its attachment says. */
function seat(room: Neuro, { peer, connection, attachment }: ResumedPeer, now: Millis): void {
  const socket = newSocket(room, { peer, connection }, now);
  room.sockets.set(peer, socket);
  for (const [name, key] of namesIn(attachment)) {
    const game = room.games.get(key) ?? newGame(room, { listener: "neuro", name: nameOf(name), key });
    if (game.peer !== undefined) continue;
    socket.hasSpoken = true;
    socket.last = sit(socket, { name, game }, now);
    game.peer = peer;
    game.connection = connection;
    game.connectedAt = now;
    room.timers.clear(parkedTimer(game));
    game.isAround = true;
    reveal(game);
  }
}

function namesIn(attachment: Json | undefined): readonly (readonly [string, string])[] {
  if (!isObject(attachment) || !Array.isArray(attachment["names"])) return [];
  return attachment["names"].flatMap((pair: Json) =>
    Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "string" ? [[pair[0], pair[1]] as const] : []
  );
}
