/**
 * A transparent proxy before a real backend: every game has a connection of its own there, and watchers hear who plays.
 *
 * It changes nothing, answers nothing and keeps nothing. What the relay does for games is done in `neuro`, not here.
 *
 * Invariants: X1 a game is announced at most once, by its first command; who was announced is announced when it goes; X2 after
 * a panic no game is left without its connection: those still there are closed, and come back.
 */
import type { PeerEvent, ResumedPeer, ServiceEvent } from "../../core/event.ts";
import type { FaultName } from "../../core/fault.ts";
import type { LinkId, Millis, PeerId } from "../../core/ids.ts";
import { type Frame, isObject } from "../../core/json.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import { arrival, commandIn, departure } from "./announcement.ts";
import { hangUp, opened, type Pair, pair, passUp, sendAway } from "./pair.ts";

export interface Proxy {
  settings: Settings;
  readonly byPeer: Map<PeerId, Pair>;
  readonly byLink: Map<LinkId, Pair>;
  /** Pairs whose backend is not reached yet, in the order in which they were dialled. */
  readonly dialling: Set<Pair>;
  /** Games that a panic has parted from their connections. */
  orphans: readonly ResumedPeer[];
}

export const proxy: Service<Proxy> = {
  name: "proxy",
  resident: [],
  restore: (settings: Settings, { resumed }: RestoreInput): Proxy => ({
    settings,
    byPeer: new Map(),
    byLink: new Map(),
    dialling: new Set(),
    orphans: resumed,
  }),
  step,
  nextWakeup(room: Proxy): Millis | undefined {
    if (room.orphans.length > 0) return 0;
    for (const first of room.dialling) return first.dialUntil;
    return undefined;
  },
};

function step(room: Proxy, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "opened":
      return open(room, event, ctx);
    case "frame": {
      const of = room.byPeer.get(event.peer);
      ctx.count("game", "in", "frame");
      return of === undefined ? undefined : hear(room, { of, frame: event.frame }, ctx);
    }
    case "closed": {
      const of = room.byPeer.get(event.peer);
      if (of === undefined) return;
      hangUp(of, event.code, ctx);
      return forget(room, of, ctx);
    }
    case "dialed": {
      const of = room.byLink.get(event.link);
      if (of === undefined) return;
      room.dialling.delete(of);
      return opened(of, ctx);
    }
    case "received": {
      const of = room.byLink.get(event.link);
      ctx.count("upstream", "in", "frame");
      return of === undefined ? undefined : ctx.emit({ do: "send", to: of.peer, frame: event.frame });
    }
    case "dropped": {
      const of = room.byLink.get(event.link);
      if (of === undefined) return;
      sendAway(of, event, ctx);
      return forget(room, of, ctx);
    }
    case "tick":
      return tick(room, ctx);
    case "configured":
      room.settings = event.settings;
      return;
    case "draining":
      for (const of of [...room.byPeer.values()]) part(room, { of, fault: "restarting" }, ctx);
      return ctx.emit({ do: "drained", service: "proxy" });
    case "requested":
      return ctx.emit({
        do: "respond",
        requestId: event.requestId,
        body: "get" in event.request && event.request.get === "ready" ? READY : overview(room),
      });
    default:
      return; // Why: it stores nothing, has no jobs, and hears nothing from other rooms; the outbox bounds both lanes.
  }
}

const READY = { ok: true, waits: [] };

const overview = ({ byPeer, dialling }: Proxy) => ({ games: byPeer.size, dialling: dialling.size });

function open(room: Proxy, { peer, connection }: PeerEvent & { is: "opened" }, ctx: StepContext): void {
  const of = pair(peer, { connection, url: room.settings["intercept-proxy"].upstream_url }, ctx);
  room.byPeer.set(peer, of);
  room.byLink.set(of.link, of);
  room.dialling.add(of);
}

function hear(room: Proxy, { of, frame }: { of: Pair; frame: Frame }, ctx: StepContext): void {
  if (!passUp(of, frame, ctx)) return part(room, { of, fault: "backendAway" }, ctx);
  if (of.hasSpoken) return;
  const command = commandIn(frame, room.settings.limits.json_depth);
  if (command === undefined) return;
  of.hasSpoken = true;
  const { match_commands, integration_name: from } = room.settings["intercept-proxy"];
  if (!match_commands.includes(command.name)) return;
  of.isAnnounced = true;
  ctx.emit({ do: "attach", peer: of.peer, attachment: { client: of.client } });
  ctx.observe({ is: "integration_message", from, payload: arrival(of.client, command) });
}

function tick(room: Proxy, ctx: StepContext): void {
  for (const { peer, attachment } of room.orphans) {
    ctx.emit({ do: "close", peer, fault: "panic" });
    if (isObject(attachment) && typeof attachment.client === "string") announceGone(room, attachment.client, ctx);
  }
  room.orphans = [];
  for (const of of room.dialling) {
    if (of.dialUntil > ctx.now) return;
    part(room, { of, fault: "backendAway" }, ctx);
  }
}

/** Ends both sides. */
function part(room: Proxy, { of, fault }: { of: Pair; fault: FaultName }, ctx: StepContext): void {
  hangUp(of, 1001, ctx);
  ctx.emit({ do: "close", peer: of.peer, fault });
  forget(room, of, ctx);
}

function forget(room: Proxy, of: Pair, ctx: StepContext): void {
  room.byPeer.delete(of.peer);
  room.byLink.delete(of.link);
  room.dialling.delete(of);
  if (of.isAnnounced) announceGone(room, of.client, ctx);
}

function announceGone(room: Proxy, client: string, ctx: StepContext): void {
  const { integration_name: from } = room.settings["intercept-proxy"];
  ctx.observe({ is: "integration_message", from, payload: departure(client) });
}
