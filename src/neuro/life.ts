/**
 * The room from its first tick to its last: made from what was stored, configured while it runs, drained.
 *
 * Invariants: W1 there is always an upstream, if only the relay itself; W2 what is drained has answered every action, and Neuro has
 * nothing of ours left.
 */
import type { Survivor } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import { isObject, type Json } from "../core/json.ts";
import type { Past } from "../core/room.ts";
import type { Settings, UpstreamSettings } from "../core/settings.ts";
import type { Turn } from "../core/turn.ts";
import { nameOf, newGame, parkedTimer, policyOf, upstreamFor } from "./downstream/games.ts";
import { askForAll, awaitFirst, keepAlive } from "./downstream/silence.ts";
import { newSocket, sit } from "./downstream/sockets.ts";
import { readAll, save } from "./records.ts";
import { emptyRoom, type Game, type Neuro, type Upstream } from "./state.ts";
import { definitionOf, disown, drop, own, reveal, sync, vanish } from "./upstream/actions.ts";
import { announce, profileOf, redial, start, stop, upstreamOf } from "./upstream/client.ts";
import { moveAll } from "./upstream/contexts.ts";
import { park } from "./upstream/fanout.ts";
import { cancel, namesChanged, recover } from "./upstream/forces.ts";
import { failAll, lost } from "./upstream/pending.ts";

const DRAIN = "drain all";

/** The room as it was, with whoever is still connected. Nothing has been said to anybody yet. */
export function restoreRoom(settings: Settings, { entries, survivors, now }: Past): Neuro {
  const room = emptyRoom(settings);
  for (const each of upstreamSettings(settings)) {
    const upstream = upstreamOf(room, each, now);
    room.upstreams.set(upstream.id, upstream);
  }
  readAll(room, entries, now);
  for (const survivor of survivors) seat(room, survivor, now);
  return room;
}

/** The first tick: from here on the room acts. */
export function startRoom(room: Neuro, turn: Turn): void {
  room.hasStarted = true;
  room.relayId = turn.secret().slice(0, 16);
  for (const key of room.outdated.splice(0)) turn.put({ do: "delete", key });
  for (const socket of room.sockets.values()) {
    if (socket.hasSpoken) askForAll(socket, turn);
    else if (!socket.isVoice) awaitFirst(socket, turn.now);
  }
  keepAlive(room, turn.now);
  for (const upstream of room.upstreams.values()) start(upstream, turn);
  for (const game of room.games.values()) if (game.peer !== undefined) recover(game, turn);
  announce(room, turn);
}

/** New settings, while everything runs. */
export function configure(room: Neuro, settings: Settings, turn: Turn): void {
  room.settings = settings;
  const wanted = upstreamSettings(settings);
  const before = [...room.upstreams.values()];
  room.upstreams.clear();
  for (const each of wanted) {
    const known = before.find(({ settings: old }) => old?.id === each?.id);
    const upstream = known ?? upstreamOf(room, each, turn.now);
    room.upstreams.set(upstream.id, upstream);
    if (known === undefined) start(upstream, turn);
    else reconfigure(upstream, each, turn);
  }
  for (const game of room.games.values()) {
    game.policy = policyOf(room, game.name);
    const upstream = upstreamFor(room, game.policy);
    if (upstream !== game.upstream) move(game, upstream, turn);
    else if (game.peer !== undefined) park(game, turn);
  }
  for (const upstream of before) if (room.upstreams.get(upstream.id) !== upstream) stop(upstream, turn);
  announce(room, turn);
}

/** Nothing new begins; what Neuro awaits may still be answered. */
export function beginDrain(room: Neuro, until: Millis, turn: Turn): void {
  room.drainUntil = Math.max(until, turn.now);
  room.timers.set(DRAIN, room.drainUntil);
}

/** Leaves once nothing is awaited any more, or the time is over. */
export function concludeDrain(room: Neuro, turn: Turn): void {
  const isBusy = [...room.upstreams.values()].some(({ pendings }) => pendings.byId.size > 0);
  if (isBusy && turn.now < (room.drainUntil ?? 0)) return;
  for (const upstream of room.upstreams.values()) failAll(upstream, "The relay restarts.", turn);
  save(room, turn);
  for (const game of room.games.values()) vanish(game);
  for (const upstream of room.upstreams.values()) {
    sync(upstream, turn);
    stop(upstream, turn);
  }
  for (const peer of room.sockets.keys()) turn.put({ do: "close", peer, fault: "restarting" });
  turn.put({ do: "drained", room: "neuro" });
  room.hasDrained = true;
}

/** Those configured, or one that the relay plays. */
const upstreamSettings = (settings: Settings): readonly (UpstreamSettings | undefined)[] =>
  settings["nakurity-clients"].length === 0 ? [undefined] : settings["nakurity-clients"];

function reconfigure(upstream: Upstream, settings: UpstreamSettings | undefined, turn: Turn): void {
  const before = upstream.settings;
  upstream.settings = settings;
  upstream.profile = profileOf(settings);
  if (upstream.decider !== undefined) upstream.decider.settings = upstream.room.settings["nakurity-backend"];
  if (before?.url !== settings?.url || before?.name !== settings?.name) redial(upstream, turn);
}

/** A game's words go to another Neuro from now on. */
function move(game: Game, to: Upstream, turn: Turn): void {
  const from = game.upstream;
  const definitions = [...game.actions.values()].map(({ name, offered: { action, mainThread } }) =>
    definitionOf({ ...action, name }, mainThread)
  );
  for (const owned of [...game.actions.values()]) disown(owned, turn.now);
  sync(from, turn);
  lost(game, turn);
  cancel(game, "cancelled", turn);
  for (const offered of [...game.released.values()]) drop(from, offered);
  moveAll(game.key, { from, to });
  game.upstream = to;
  for (const definition of definitions) own(game, definition, turn.now);
  if (game.peer !== undefined) park(game, turn);
  sync(to, turn);
  namesChanged(to, turn);
}

/** Gives a survivor its place again, as its attachment says. */
function seat(room: Neuro, { peer, caller, attachment }: Survivor, now: Millis): void {
  const socket = newSocket(room, { peer, caller }, now);
  room.sockets.set(peer, socket);
  for (const [name, key] of namesIn(attachment)) {
    const game = room.games.get(key) ?? newGame(room, { door: "neuro", name: nameOf(name), key });
    if (game.peer !== undefined) continue;
    socket.hasSpoken = true;
    socket.last = sit(socket, { name, game }, now);
    game.peer = peer;
    game.caller = caller;
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
