/**
 * The room of the Neuro API: many games and integrations, one Neuro.
 *
 * A frame of a game is decoded, handled and its consequences encoded before anything else happens. What each consequence is, is
 * decided in `downstream` (who speaks) and `upstream` (what Neuro is told, and by when).
 * Knows nothing of: listeners, stores, the other rooms.
 */
import { earlier } from "../../core/deadlines.ts";
import { assert } from "../../core/assert.ts";
import type { ServiceEvent } from "../../core/event.ts";
import { type Key, type LinkId, type Millis, peerId } from "../../core/ids.ts";
import { key } from "../../core/key.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { StepContext } from "../../core/context.ts";
import { chooseAction, decideDue as deciderDue, jobFinished, nextWakeup as deciderWakeup } from "./standalone/decider.ts";
import {
  connectGame,
  disconnectGame,
  endGrace,
  endRestartWindow,
  endRetention,
  findOrCreateGame,
  handleGameMessage as hearGame,
  normalizeGameName,
} from "./games/registry.ts";
import { pingSockets } from "./games/keepalive.ts";
import {
  closeSocket,
  identifySocket,
  openSocket,
  receiveGameFrame,
  receivePong,
  resolveExpiredContests,
} from "./games/connections.ts";
import { beginDrain, configure, finishDrain, restoreState, startService } from "./lifecycle.ts";
import { handleRequest } from "./operator/requests.ts";
import { recordWriteSettled, saveRecords, scheduleSave } from "./persistence.ts";
import type { NeuroState, Upstream } from "./state.ts";
import { linkClosed, linkOpened, linkTick, receiveFrame, receiveMessage } from "./upstream/client.ts";
import {
  contextNotStored,
  flushContexts,
  sendContext,
  sendContextDurably,
  storeQueued,
  watcherSource,
} from "./upstream/contexts.ts";
import { concludeShutdown } from "./upstream/broadcast.ts";
import { onForceTimer, onNamesTimer } from "./forces/forces.ts";
import { expireActions as pendingDue } from "./pending/pending.ts";

export const neuro: Service<NeuroState> = {
  name: "neuro",
  resident: [key("neuro")],
  restore: (settings: Settings, input: RestoreInput): NeuroState => restoreState(settings, input),
  step(state: NeuroState, event: ServiceEvent, ctx: StepContext): void {
    // Why: what was written last still replaces what was written before; nothing else happens any more.
    if (state.hasDrained && event.is !== "stored") return;
    dispatch(state, event, ctx);
    finishStep(state, ctx);
  },
  nextWakeup,
};

function dispatch(state: NeuroState, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "frame": {
      const socket = state.sockets.get(event.peer);
      return socket === undefined ? undefined : receiveGameFrame(socket, event.frame, ctx);
    }
    case "received": {
      const upstream = upstreamOfLink(state, event.link);
      return upstream === undefined ? undefined : receiveFrame(upstream, event.frame, ctx);
    }
    case "serviceMessage":
      return handleServiceMessage(state, event.message, ctx);
    case "tick":
      return tick(state, ctx);
    case "opened":
      return openSocket(state, event, ctx);
    case "closed": {
      const socket = state.sockets.get(event.peer);
      return socket === undefined ? undefined : closeSocket(socket, ctx);
    }
    case "ponged": {
      const socket = state.sockets.get(event.peer);
      return socket === undefined ? undefined : receivePong(socket, ctx);
    }
    case "dialed":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved":
      return handleLinkEvent(state, event, ctx);
    case "stored":
    case "storeFailed":
      return writeSettled(state, { key: event.key, isStored: event.is === "stored" }, ctx);
    case "jobFinished":
      for (const { decider, inbox } of state.upstreams.values()) {
        if (decider !== undefined) inbox.push(...jobFinished(decider, event, ctx));
      }
      return;
    case "requested":
      return handleRequest(state, event, ctx);
    case "configured":
      return configure(state, event.settings, ctx);
    case "draining":
      return beginDrain(state, event.until, ctx);
    case "throttled": // Why: a game's frames wait their turn and are never refused for speed.
    case "backpressure": // Why: what a game is sent is small, and the outbox closes it before it is too much.
    case "relieved":
    case "loaded":
    case "loadFailed":
    case "fileSaved":
      return;
  }
}

/** A write has ended. */
function writeSettled(state: NeuroState, of: { readonly key: Key; readonly isStored: boolean }, ctx: StepContext): void {
  if (!of.isStored) { for (const upstream of state.upstreams.values()) contextNotStored(upstream, of.key); }
  recordWriteSettled(state, of, ctx);
}

function handleLinkEvent(state: NeuroState, event: ServiceEvent & { readonly link: LinkId }, ctx: StepContext): void {
  const upstream = upstreamOfLink(state, event.link);
  if (upstream === undefined) return;
  if (event.is === "dialed") linkOpened(upstream, ctx);
  else if (event.is === "dropped") {
    linkClosed(upstream, event.reason === "" ? `closed with ${event.code}` : event.reason, ctx);
  } else upstream.hasBackpressure = event.is === "linkBackpressure";
}

/** What the Intermediary says. Its integrations take part as games do. */
function handleServiceMessage(state: NeuroState, message: ServiceMessage, ctx: StepContext): void {
  const [first] = state.upstreams.values();
  switch (message.is) {
    case "integrationJoined": {
      const game = findOrCreateGame(state, { listener: "intermediary", name: normalizeGameName(message.name) }, ctx);
      if (game.peer !== undefined) state.integrations.delete(game.peer);
      state.integrations.set(message.peer, game);
      game.connection = message.connection;
      return connectGame(game, { peer: message.peer, isStarting: false }, ctx);
    }
    case "integrationLeft": {
      const game = state.integrations.get(message.peer);
      state.integrations.delete(message.peer);
      return game === undefined ? undefined : disconnectGame(game, ctx);
    }
    case "gameMessage": {
      const game = state.integrations.get(message.peer);
      return game === undefined ? undefined : hearGame(game, message.message, ctx);
    }
    case "directMessage":
      return first === undefined ? undefined : forwardToNeuro(first, message, ctx);
    case "actionChosen":
      for (const { decider, inbox } of state.upstreams.values()) {
        if (decider !== undefined) inbox.push(...chooseAction(decider, message, ctx));
      }
      return;
    default:
      return;
  }
}

/** What a watcher has for Neuro; it is told what became of it where it wants to know. */
function forwardToNeuro(
  upstream: Upstream,
  { from, payload, id }: ServiceMessage & { readonly is: "directMessage" },
  ctx: StepContext,
): void {
  const message = typeof payload === "string" ? payload : JSON.stringify(payload);
  const said = { source: watcherSource(from), message, silent: true };
  if (id === undefined) return sendContext(upstream, said, ctx);
  const at = sendContextDurably(upstream, said, ctx);
  const taken = { is: "directSettled" as const, id, key: at === false ? undefined : at, isFull: at === false };
  ctx.post("intermediary", taken);
}

function tick(state: NeuroState, ctx: StepContext): void {
  if (!state.hasStarted) startService(state, ctx);
  for (const timer of state.timers.due(ctx.now)) {
    const space = timer.indexOf(" ");
    handleTimer(state, { kind: timer.slice(0, space), of: timer.slice(space + 1) }, ctx);
  }
  for (const upstream of state.upstreams.values()) {
    if (upstream.link.deadline !== undefined && upstream.link.deadline <= ctx.now) linkTick(upstream, ctx);
    pendingDue(upstream, ctx);
    if (upstream.decider !== undefined) upstream.inbox.push(...deciderDue(upstream.decider, ctx));
  }
}

/** One of the room's own deadlines has come. */
function handleTimer(
  state: NeuroState,
  { kind, of }: { readonly kind: string; readonly of: string },
  ctx: StepContext,
): void {
  switch (kind) {
    case "keepalive":
      return pingSockets(state, ctx);
    case "contest":
      return resolveExpiredContests(state, ctx);
    case "records":
      return saveRecords(state, ctx);
    case "drain":
      return;
    case "silence": {
      const socket = state.sockets.get(peerId(of));
      return socket === undefined ? undefined : identifySocket(socket, ctx);
    }
  }
  const game = state.games.get(of);
  if (game !== undefined && kind === "grace") return endGrace(game, ctx);
  if (game !== undefined && kind === "window") return endRestartWindow(game, ctx);
  if (game !== undefined && kind === "parked") return endRetention(game, ctx);
  const upstream = state.upstreams.get(of);
  if (upstream === undefined) return;
  if (kind === "slot") return onForceTimer(upstream, ctx);
  if (kind === "names") return onNamesTimer(upstream, ctx);
  if (kind === "keep") return storeQueued(upstream, ctx);
  if (kind === "shutdown") return concludeShutdown(upstream, ctx, true);
}

/** Messages that the relay, playing Neuro, may have for itself within one step. */
const OWN_MESSAGES_MAX = 10_000;

/** What every step ends with. */
function finishStep(state: NeuroState, ctx: StepContext): void {
  if (state.hasDrained) return;
  for (const upstream of state.upstreams.values()) {
    if (upstream.inbox.length > 0) readInbox(upstream, ctx);
    if (upstream.contexts.queued.size > 0) flushContexts(upstream, ctx);
  }
  scheduleSave(state, ctx);
  if (state.drainUntil !== undefined) finishDrain(state, ctx);
}

function readInbox(upstream: Upstream, ctx: StepContext): void {
  const { inbox } = upstream;
  for (let at = 0; at < inbox.length; at++) {
    assert(at < OWN_MESSAGES_MAX, "the relay talks to itself without end");
    const message = inbox[at];
    if (message !== undefined) receiveMessage(upstream, message, ctx);
  }
  inbox.length = 0;
}

function nextWakeup(state: NeuroState): Millis | undefined {
  if (state.hasDrained) return undefined;
  if (!state.hasStarted) return 0;
  let earliest = state.timers.earliest();
  for (const { link, pendingActions, decider } of state.upstreams.values()) {
    earliest = earlier(earliest, link.deadline);
    earliest = earlier(earliest, pendingActions.deadlines.earliest());
    if (decider !== undefined) earliest = earlier(earliest, deciderWakeup(decider));
  }
  return earliest;
}

/** The upstream of a link that is still in use. */
function upstreamOfLink(state: NeuroState, link: LinkId): Upstream | undefined {
  for (const upstream of state.upstreams.values()) if (upstream.link.id === link) return upstream;
  return undefined;
}
