/**
 * The room of the Neuro API: many games and integrations, one Neuro.
 *
 * A frame of a game is decoded, handled and its consequences encoded before anything else happens. What each consequence is, is
 * decided in `downstream` (who speaks) and `upstream` (what Neuro is told, and by when).
 * Knows nothing of: listeners, stores, the other rooms.
 */
import { earlier } from "../core/deadlines.ts";
import { assert } from "../core/assert.ts";
import type { RoomEvent } from "../core/event.ts";
import { type Key, type LinkId, type Millis, peerId } from "../core/ids.ts";
import { key } from "../core/key.ts";
import type { Past, Room } from "../core/room.ts";
import type { Settings } from "../core/settings.ts";
import type { Tell } from "../core/tell.ts";
import type { Turn } from "../core/turn.ts";
import { choose, due as deciderDue, nextWakeup as deciderWakeup, ran } from "./decider.ts";
import { arrive, depart, gameOf, graceOver, hear as hearGame, nameOf, parkedOver, windowOver } from "./downstream/games.ts";
import { pingAll } from "./downstream/silence.ts";
import { close, concludeContests, open, ponged, receive, stillSilent } from "./downstream/sockets.ts";
import { beginDrain, concludeDrain, configure, restoreRoom, startRoom } from "./life.ts";
import { ask } from "./operator/answers.ts";
import { save, schedule, settled } from "./records.ts";
import type { Neuro, Upstream } from "./state.ts";
import { dialed, dropped, hear, linkTick, received } from "./upstream/client.ts";
import { keep, notKept, release, say, sayAndKeep, watcher } from "./upstream/contexts.ts";
import { concludeShutdown } from "./upstream/fanout.ts";
import { namesDue, slotDue } from "./upstream/forces.ts";
import { due as pendingDue } from "./upstream/pending.ts";

export const neuro: Room<Neuro> = {
  name: "neuro",
  resident: [key("neuro")],
  restore: (settings: Settings, past: Past): Neuro => restoreRoom(settings, past),
  step(room: Neuro, event: RoomEvent, turn: Turn): void {
    // Why: what was written last still replaces what was written before; nothing else happens any more.
    if (room.hasDrained && event.is !== "stored") return;
    dispatch(room, event, turn);
    conclude(room, turn);
  },
  nextWakeup,
};

function dispatch(room: Neuro, event: RoomEvent, turn: Turn): void {
  switch (event.is) {
    case "frame": {
      const socket = room.sockets.get(event.peer);
      return socket === undefined ? undefined : receive(socket, event.frame, turn);
    }
    case "received": {
      const upstream = upstreamOf(room, event.link);
      return upstream === undefined ? undefined : received(upstream, event.frame, turn);
    }
    case "told":
      return told(room, event.message, turn);
    case "tick":
      return tick(room, turn);
    case "opened":
      return open(room, event, turn);
    case "closed": {
      const socket = room.sockets.get(event.peer);
      return socket === undefined ? undefined : close(socket, turn);
    }
    case "ponged": {
      const socket = room.sockets.get(event.peer);
      return socket === undefined ? undefined : ponged(socket, turn);
    }
    case "dialed":
    case "dropped":
    case "linkPressed":
    case "linkEased":
      return linkEvent(room, event, turn);
    case "stored":
    case "storeFailed":
      return written(room, { key: event.key, isStored: event.is === "stored" }, turn);
    case "ran":
      for (const { decider, inbox } of room.upstreams.values()) {
        if (decider !== undefined) inbox.push(...ran(decider, event, turn));
      }
      return;
    case "asked":
      return ask(room, event, turn);
    case "configured":
      return configure(room, event.settings, turn);
    case "draining":
      return beginDrain(room, event.until, turn);
    case "limited": // Why: a game's frames wait their turn and are never refused for speed.
    case "pressed": // Why: what a game is sent is small, and the outbox closes it before it is too much.
    case "eased":
    case "loaded":
    case "loadFailed":
    case "saved":
      return;
  }
}

/** A write has ended. */
function written(room: Neuro, of: { readonly key: Key; readonly isStored: boolean }, turn: Turn): void {
  if (!of.isStored) { for (const upstream of room.upstreams.values()) notKept(upstream, of.key); }
  settled(room, of, turn);
}

function linkEvent(room: Neuro, event: RoomEvent & { readonly link: LinkId }, turn: Turn): void {
  const upstream = upstreamOf(room, event.link);
  if (upstream === undefined) return;
  if (event.is === "dialed") dialed(upstream, turn);
  else if (event.is === "dropped") {
    dropped(upstream, event.reason === "" ? `closed with ${event.code}` : event.reason, turn);
  } else upstream.isPressed = event.is === "linkPressed";
}

/** What the Intermediary says. Its integrations take part as games do. */
function told(room: Neuro, message: Tell, turn: Turn): void {
  const [first] = room.upstreams.values();
  switch (message.is) {
    case "joined": {
      const game = gameOf(room, { door: "intermediary", name: nameOf(message.name) }, turn);
      if (game.peer !== undefined) room.members.delete(game.peer);
      room.members.set(message.peer, game);
      game.caller = message.caller;
      return arrive(game, { peer: message.peer, isStarting: false }, turn);
    }
    case "left": {
      const game = room.members.get(message.peer);
      room.members.delete(message.peer);
      return game === undefined ? undefined : depart(game, turn);
    }
    case "said": {
      const game = room.members.get(message.peer);
      return game === undefined ? undefined : hearGame(game, message.message, turn);
    }
    case "direct":
      return first === undefined ? undefined : direct(first, message, turn);
    case "chose":
      for (const { decider, inbox } of room.upstreams.values()) {
        if (decider !== undefined) inbox.push(...choose(decider, message, turn));
      }
      return;
    default:
      return;
  }
}

/** What a watcher has for Neuro; it is told what became of it where it wants to know. */
function direct(upstream: Upstream, { from, payload, id }: Tell & { readonly is: "direct" }, turn: Turn): void {
  const message = typeof payload === "string" ? payload : JSON.stringify(payload);
  const said = { from: watcher(from), message, silent: true };
  if (id === undefined) return say(upstream, said, turn);
  const at = sayAndKeep(upstream, said, turn);
  const taken = { is: "taken" as const, id, key: at === false ? undefined : at, isFull: at === false };
  turn.put({ do: "tell", room: "intermediary", message: taken });
}

function tick(room: Neuro, turn: Turn): void {
  if (!room.hasStarted) startRoom(room, turn);
  for (const timer of room.timers.due(turn.now)) {
    const space = timer.indexOf(" ");
    ring(room, { kind: timer.slice(0, space), of: timer.slice(space + 1) }, turn);
  }
  for (const upstream of room.upstreams.values()) {
    if (upstream.link.deadline !== undefined && upstream.link.deadline <= turn.now) linkTick(upstream, turn);
    pendingDue(upstream, turn);
    if (upstream.decider !== undefined) upstream.inbox.push(...deciderDue(upstream.decider, turn));
  }
}

/** One of the room's own deadlines has come. */
function ring(room: Neuro, { kind, of }: { readonly kind: string; readonly of: string }, turn: Turn): void {
  switch (kind) {
    case "keepalive":
      return pingAll(room, turn);
    case "contest":
      return concludeContests(room, turn);
    case "records":
      return save(room, turn);
    case "drain":
      return;
    case "silence": {
      const socket = room.sockets.get(peerId(of));
      return socket === undefined ? undefined : stillSilent(socket, turn);
    }
  }
  const game = room.games.get(of);
  if (game !== undefined && kind === "grace") return graceOver(game, turn);
  if (game !== undefined && kind === "window") return windowOver(game, turn);
  if (game !== undefined && kind === "parked") return parkedOver(game, turn);
  const upstream = room.upstreams.get(of);
  if (upstream === undefined) return;
  if (kind === "slot") return slotDue(upstream, turn);
  if (kind === "names") return namesDue(upstream, turn);
  if (kind === "keep") return keep(upstream, turn);
  if (kind === "shutdown") return concludeShutdown(upstream, turn, true);
}

/** Messages that the relay, playing Neuro, may have for itself within one step. */
const OWN_MESSAGES_MAX = 10_000;

/** What every step ends with. */
function conclude(room: Neuro, turn: Turn): void {
  if (room.hasDrained) return;
  for (const upstream of room.upstreams.values()) {
    if (upstream.inbox.length > 0) readInbox(upstream, turn);
    if (upstream.contexts.held.size > 0) release(upstream, turn);
  }
  schedule(room, turn);
  if (room.drainUntil !== undefined) concludeDrain(room, turn);
}

function readInbox(upstream: Upstream, turn: Turn): void {
  const { inbox } = upstream;
  for (let at = 0; at < inbox.length; at++) {
    assert(at < OWN_MESSAGES_MAX, "the relay talks to itself without end");
    const message = inbox[at];
    if (message !== undefined) hear(upstream, message, turn);
  }
  inbox.length = 0;
}

function nextWakeup(room: Neuro): Millis | undefined {
  if (room.hasDrained) return undefined;
  if (!room.hasStarted) return 0;
  let earliest = room.timers.earliest();
  for (const { link, pendings, decider } of room.upstreams.values()) {
    earliest = earlier(earliest, link.deadline);
    earliest = earlier(earliest, pendings.deadlines.earliest());
    if (decider !== undefined) earliest = earlier(earliest, deciderWakeup(decider));
  }
  return earliest;
}

/** The upstream of a link that is still in use. */
function upstreamOf(room: Neuro, link: LinkId): Upstream | undefined {
  for (const upstream of room.upstreams.values()) if (upstream.link.id === link) return upstream;
  return undefined;
}
