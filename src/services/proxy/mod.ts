/**
 * A transparent proxy in front of a real backend. Each game gets its own connection to the backend, and watchers are notified when a game
 * connects or leaves.
 *
 * It changes nothing, answers nothing and stores nothing. The features for games are in `neuro`, not here.
 *
 * Invariants: X1 a game is announced at most once, by its first command, and a game that was announced is announced again when it
 * leaves; X2 after a panic no game stays without its backend: games that are still connected are closed, so that they reconnect.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import type { PeerEvent, ResumedPeer, ServiceEvent } from "../../core/event.ts";
import type { FaultName } from "../../core/fault.ts";
import type { LinkId, Millis, PeerId } from "../../core/ids.ts";
import { type Frame, isObject, type Json } from "../../core/json.ts";
import type { RetainedBytes } from "../../core/retained-bytes.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import { backendOpened, closeBackend, closeGame, dialForGame, forwardToBackend, type ProxiedGame } from "./proxied-game.ts";
import { connectedEvent, disconnectedEvent, readCommand } from "./watcher-events.ts";

export interface ProxyState {
  settings: Settings;
  /** What is kept of all games. */
  readonly retained: RetainedBytes;
  readonly byPeer: Map<PeerId, ProxiedGame>;
  readonly byLink: Map<LinkId, ProxiedGame>;
  /** Games whose backend is being dialed, in the order of the attempts, which is the order of their deadlines. */
  readonly dialing: Map<ProxiedGame, Millis>;
  /** Games whose connections to the backend a panic has closed. */
  orphans: readonly ResumedPeer[];
}

export const proxy: Service<ProxyState> = {
  name: "proxy",
  resident: [],
  restore: (settings: Settings, { resumed, retained }: RestoreInput): ProxyState => ({
    settings,
    retained,
    byPeer: new Map(),
    byLink: new Map(),
    dialing: new Map(),
    orphans: resumed,
  }),
  step,
  nextWakeup({ orphans, dialing }: ProxyState): Millis | undefined {
    if (orphans.length > 0) return 0;
    for (const until of dialing.values()) return until;
    return undefined;
  },
};

function step(state: ProxyState, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "opened":
      return open(state, event, ctx);
    case "frame": {
      const game = state.byPeer.get(event.peer);
      ctx.count("game", "in", "frame");
      return game === undefined ? undefined : receiveFromGame(state, game, event.frame, ctx);
    }
    case "closed": {
      const game = state.byPeer.get(event.peer);
      if (game === undefined) return;
      closeBackend(game, event, ctx);
      return remove(state, game, ctx);
    }
    case "dialed": {
      const game = state.byLink.get(event.link);
      if (game === undefined) return;
      state.dialing.delete(game);
      return backendOpened(game, ctx);
    }
    case "received": {
      const game = state.byLink.get(event.link);
      ctx.count("upstream", "in", "frame");
      return game === undefined ? undefined : ctx.emit({ do: "send", to: game.peer, frame: event.frame });
    }
    case "dropped": {
      const game = state.byLink.get(event.link);
      if (game === undefined) return;
      closeGame(game, event, ctx);
      return remove(state, game, ctx);
    }
    case "tick":
      return tick(state, ctx);
    case "configured":
      state.settings = event.settings;
      return;
    case "draining":
      for (const game of [...state.byPeer.values()]) closeBoth(state, game, "restarting", ctx);
      return ctx.emit({ do: "drained", service: "proxy" });
    case "requested": {
      const body = "get" in event.request && event.request.get === "ready" ? READY : status(state);
      return ctx.emit({ do: "respond", requestId: event.requestId, body });
    }
    // The outbox bounds both directions.
    case "throttled":
    case "ponged":
    case "backpressure":
    case "relieved":
    case "linkBackpressure":
    case "linkRelieved":
    // It stores nothing, starts no jobs, and no other service sends it messages.
    case "stored":
    case "storeFailed":
    case "loaded":
    case "loadFailed":
    case "jobFinished":
    case "fileSaved":
    case "serviceMessage":
      return;
    default:
      return assertNever(event);
  }
}

const READY: Json = { ok: true, reasons: [] };

const status = ({ byPeer, dialing }: ProxyState): Json => ({ games: byPeer.size, dialing: dialing.size });

function open(state: ProxyState, event: PeerEvent & { is: "opened" }, ctx: StepContext): void {
  const { upstream_url: url } = state.settings["intercept-proxy"];
  const { game, until } = dialForGame(event, url, state.retained, ctx);
  state.byPeer.set(event.peer, game);
  state.byLink.set(game.link, game);
  state.dialing.set(game, until);
}

function receiveFromGame(state: ProxyState, game: ProxiedGame, frame: Frame, ctx: StepContext): void {
  const refusal = forwardToBackend(game, frame, state.settings.limits, ctx);
  if (refusal !== undefined) {
    ctx.observe({ is: "input_refused", from: game.client, fault: refusal.fault, reason: refusal.reason });
    return closeBoth(state, game, "backendAway", ctx);
  }
  if (game.announcement !== "undecided") return;
  const command = readCommand(frame, state.settings);
  if (command === undefined) return;
  const { match_commands: announced, integration_name: from } = state.settings["intercept-proxy"];
  game.announcement = announced.includes(command.name) ? "announced" : "unannounced";
  if (game.announcement === "unannounced") return;
  ctx.emit({ do: "attach", peer: game.peer, attachment: { client: game.client } });
  ctx.observe({ is: "integration_message", from, payload: connectedEvent(game.client, command) });
}

function tick(state: ProxyState, ctx: StepContext): void {
  for (const { peer, attachment } of state.orphans) {
    ctx.emit({ do: "close", peer, fault: "panic" });
    if (isObject(attachment) && typeof attachment.client === "string") announceLeft(state, attachment.client, ctx);
  }
  state.orphans = [];
  for (const [game, until] of state.dialing) {
    if (until > ctx.now) return;
    closeBoth(state, game, "backendAway", ctx);
  }
}

function closeBoth(state: ProxyState, game: ProxiedGame, fault: FaultName, ctx: StepContext): void {
  closeBackend(game, { code: GOING_AWAY }, ctx);
  ctx.emit({ do: "close", peer: game.peer, fault });
  remove(state, game, ctx);
}

const GOING_AWAY = 1001;

function remove(state: ProxyState, game: ProxiedGame, ctx: StepContext): void {
  game.retained.close();
  state.byPeer.delete(game.peer);
  state.byLink.delete(game.link);
  state.dialing.delete(game);
  if (game.announcement === "announced") announceLeft(state, game.client, ctx);
}

function announceLeft(state: ProxyState, client: string, ctx: StepContext): void {
  const { integration_name: from } = state.settings["intercept-proxy"];
  ctx.observe({ is: "integration_message", from, payload: disconnectedEvent(client) });
}
