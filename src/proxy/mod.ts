/**
 * A transparent proxy before a real backend: every game has a connection of its own there, and watchers hear who plays.
 *
 * It changes nothing, answers nothing and keeps nothing. What the relay does for games is done in `neuro`, not here.
 *
 * Invariants: X1 a game is announced at most once, by its first command; who was announced is announced when it goes; X2 after
 * a panic no game is left without its connection: those still there are closed, and come back.
 */
import type { PeerEvent, RoomEvent, Survivor } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import type { LinkId, Millis, PeerId } from "../core/ids.ts";
import { type Frame, isObject } from "../core/json.ts";
import type { Past, Room } from "../core/room.ts";
import type { Settings } from "../core/settings.ts";
import type { Turn } from "../core/turn.ts";
import { arrival, commandIn, departure } from "./announcement.ts";
import { hangUp, opened, type Pair, pair, passUp, sendAway } from "./pair.ts";

export interface Proxy {
  settings: Settings;
  readonly byPeer: Map<PeerId, Pair>;
  readonly byLink: Map<LinkId, Pair>;
  /** Pairs whose backend is not reached yet, in the order in which they were dialled. */
  readonly dialling: Set<Pair>;
  /** Games that a panic has parted from their connections. */
  orphans: readonly Survivor[];
}

export const proxy: Room<Proxy> = {
  name: "proxy",
  resident: [],
  restore: (settings: Settings, { survivors }: Past): Proxy => ({
    settings,
    byPeer: new Map(),
    byLink: new Map(),
    dialling: new Set(),
    orphans: survivors,
  }),
  step,
  nextWakeup(room: Proxy): Millis | undefined {
    if (room.orphans.length > 0) return 0;
    for (const first of room.dialling) return first.dialUntil;
    return undefined;
  },
};

function step(room: Proxy, event: RoomEvent, turn: Turn): void {
  switch (event.is) {
    case "opened":
      return open(room, event, turn);
    case "frame": {
      const of = room.byPeer.get(event.peer);
      turn.count("game", "in", "frame");
      return of === undefined ? undefined : hear(room, { of, frame: event.frame }, turn);
    }
    case "closed": {
      const of = room.byPeer.get(event.peer);
      if (of === undefined) return;
      hangUp(of, event.code, turn);
      return forget(room, of, turn);
    }
    case "dialed": {
      const of = room.byLink.get(event.link);
      if (of === undefined) return;
      room.dialling.delete(of);
      return opened(of, turn);
    }
    case "received": {
      const of = room.byLink.get(event.link);
      turn.count("upstream", "in", "frame");
      return of === undefined ? undefined : turn.put({ do: "send", to: of.peer, frame: event.frame });
    }
    case "dropped": {
      const of = room.byLink.get(event.link);
      if (of === undefined) return;
      sendAway(of, event, turn);
      return forget(room, of, turn);
    }
    case "tick":
      return tick(room, turn);
    case "configured":
      room.settings = event.settings;
      return;
    case "draining":
      for (const of of [...room.byPeer.values()]) part(room, { of, fault: "restarting" }, turn);
      return turn.put({ do: "drained", room: "proxy" });
    case "asked":
      return turn.put({ do: "answer", call: event.call, body: event.question.get === "ready" ? READY : overview(room) });
    default:
      return; // Why: it stores nothing, has no jobs, and hears nothing from other rooms; the outbox bounds both lanes.
  }
}

const READY = { ok: true, waits: [] };

const overview = ({ byPeer, dialling }: Proxy) => ({ games: byPeer.size, dialling: dialling.size });

function open(room: Proxy, { peer, caller }: PeerEvent & { is: "opened" }, turn: Turn): void {
  const of = pair(peer, { caller, url: room.settings["intercept-proxy"].upstream_url }, turn);
  room.byPeer.set(peer, of);
  room.byLink.set(of.link, of);
  room.dialling.add(of);
}

function hear(room: Proxy, { of, frame }: { of: Pair; frame: Frame }, turn: Turn): void {
  if (!passUp(of, frame, turn)) return part(room, { of, fault: "backendAway" }, turn);
  if (of.hasSpoken) return;
  const command = commandIn(frame, room.settings.limits.json_depth);
  if (command === undefined) return;
  of.hasSpoken = true;
  const { match_commands, integration_name: from } = room.settings["intercept-proxy"];
  if (!match_commands.includes(command.name)) return;
  of.isAnnounced = true;
  turn.put({ do: "attach", peer: of.peer, attachment: { client: of.client } });
  turn.note({ is: "integration_message", from, payload: arrival(of.client, command) });
}

function tick(room: Proxy, turn: Turn): void {
  for (const { peer, attachment } of room.orphans) {
    turn.put({ do: "close", peer, fault: "panic" });
    if (isObject(attachment) && typeof attachment.client === "string") announceGone(room, attachment.client, turn);
  }
  room.orphans = [];
  for (const of of room.dialling) {
    if (of.dialUntil > turn.now) return;
    part(room, { of, fault: "backendAway" }, turn);
  }
}

/** Ends both sides. */
function part(room: Proxy, { of, fault }: { of: Pair; fault: FaultName }, turn: Turn): void {
  hangUp(of, 1001, turn);
  turn.put({ do: "close", peer: of.peer, fault });
  forget(room, of, turn);
}

function forget(room: Proxy, of: Pair, turn: Turn): void {
  room.byPeer.delete(of.peer);
  room.byLink.delete(of.link);
  room.dialling.delete(of);
  if (of.isAnnounced) announceGone(room, of.client, turn);
}

function announceGone(room: Proxy, client: string, turn: Turn): void {
  const { integration_name: from } = room.settings["intercept-proxy"];
  turn.note({ is: "integration_message", from, payload: departure(client) });
}
