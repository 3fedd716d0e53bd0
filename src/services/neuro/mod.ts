/**
 * The service of the Neuro API: many games and integrations, one Neuro.
 *
 * A frame of a game is decoded, handled and its consequences encoded within one step. `games` decides which connection is active for a
 * game, `actions`,
 * `forces`, `pending` and `upstream` decide what is sent to Neuro and when, and `standalone` replaces Neuro if no upstream is configured.
 *
 * Knows nothing of: listeners, stores, the other services.
 */
import { assert, assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LinkEvent, PeerEvent, ServiceEvent } from "../../core/event.ts";
import { type Key, type LinkId, type Millis, type PeerId, RELAY_PEER } from "../../core/ids.ts";
import { key, segmentAt } from "../../core/key.ts";
import { linkDeadline, linkIdOf } from "../../core/link.ts";
import type { NeuroMessage } from "../../core/neuro-messages.ts";
import { failed, type Result } from "../../core/result.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { RestoreInput, Service } from "../../core/service.ts";
import type { Settings } from "../../core/settings.ts";
import { flushChanges } from "./actions/debounce.ts";
import { onActionsSynced, onForceTimer, onNamesTimer } from "./forces/forces.ts";
import {
  closeSocket,
  identifySocket,
  openSocket,
  receiveGameFrame,
  receivePong,
  resolveExpiredContests,
} from "./games/connections.ts";
import { endRestartWindow, handleGameMessage } from "./games/game-messages.ts";
import { pingSockets } from "./games/keepalive.ts";
import {
  connectGame,
  disconnectGame,
  endGrace,
  endRetention,
  findOrCreateGame,
  normalizeGameName,
} from "./games/registry.ts";
import { beginDrain, configure, continueDrain, restoreState, startService } from "./lifecycle.ts";
import { withRepairs } from "../../neuro-api/repair.ts";
import { diagnose, reportRepairs } from "./diagnostics/diagnose.ts";
import { handleRequest } from "./operator/requests.ts";
import { answerNeuro, syncShutdownActions } from "./operator/shutdown-actions.ts";
import { endShutdown } from "./operator/shutdown.ts";
import { reportProblem } from "./outbound.ts";
import { expireActions } from "./pending/pending.ts";
import { type EntryKind, isEntryKind, recordWriteSettled, saveAt, saveGradually, scheduleSave } from "./persistence.ts";
import { expireUnregistered } from "./pending/unregistered-actions.ts";
import { chooseAction, decideDue, jobFinished, nextWakeup as deciderWakeup } from "./standalone/decider.ts";
import type { Decider } from "./standalone/decider-state.ts";
import {
  type Game,
  type GameSocket,
  type GameTimer,
  type NeuroState,
  peerOf,
  type Timer,
  type Upstream,
  type UpstreamTimer,
} from "./state.ts";
import { finishShutdown } from "./upstream/broadcast.ts";
import { afterFailure, afterSuccess, suspendedUntil } from "./write-health.ts";
import { linkClosed, linkOpened, linkTick, receiveFrame, receiveMessage } from "./upstream/client.ts";
import { onTrialTimer } from "./upstream/rejected-frames.ts";
import {
  contextWriteSettled,
  flushContexts,
  releaseContexts,
  sendContext,
  sendContextDurably,
  storeAt,
  storeQueued,
  watcherSource,
} from "./upstream/contexts.ts";

export const neuro: Service<NeuroState> = {
  name: "neuro",
  resident: [key("neuro")],
  restore: (settings: Settings, input: RestoreInput): NeuroState => restoreState(settings, input),
  step(state: NeuroState, event: ServiceEvent, ctx: StepContext): void {
    // Why: after the drain only the last writes still have to replace the entries that they are newer than.
    if (state.drain.is === "drained" && event.is !== "stored") return;
    dispatch(state, event, ctx);
    finishStep(state, ctx);
  },
  nameOf: ({ sockets }: NeuroState, peer: PeerId): string | undefined => sockets.get(peer)?.lastConnection?.game.name,
  nextWakeup,
};

function dispatch(state: NeuroState, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "opened":
      return openSocket(state, event, ctx);
    case "frame":
    case "closed":
    case "ponged": {
      const socket = state.sockets.get(event.peer);
      return socket === undefined ? undefined : stepSocket(socket, event, ctx);
    }
    case "dialed":
    case "received":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved": {
      const upstream = upstreamOf(state, event.link);
      return upstream === undefined ? undefined : stepUpstream(upstream, event, ctx);
    }
    case "serviceMessage":
      return handleServiceMessage(state, event.message, ctx);
    case "stored":
      return handleWriteSettled(state, { key: event.key, isStored: true }, ctx);
    case "storeFailed":
      return handleWriteSettled(state, { key: event.key, isStored: false }, ctx);
    case "jobFinished":
      return forDecider(state, (decider) => jobFinished(decider, event, ctx));
    case "requested":
      return handleRequest(state, event, ctx);
    case "tick":
      return tick(state, ctx);
    case "configured":
      return configure(state, event.settings, ctx);
    case "draining":
      return beginDrain(state, event.until, ctx);
    case "throttled": // Why: the frames of a game are delayed and never refused because of its rate.
    case "backpressure": // Why: frames for games are small, and the outbox closes a game that does not read before they are too many.
    case "relieved":
    case "loaded":
    case "loadFailed":
    case "fileSaved":
      return;
    default:
      return assertNever(event);
  }
}

function stepSocket(
  socket: GameSocket,
  event: PeerEvent & { readonly is: "frame" | "closed" | "ponged" },
  ctx: StepContext,
): void {
  switch (event.is) {
    case "frame":
      return receiveGameFrame(socket, event.frame, ctx);
    case "closed":
      return closeSocket(socket, event.code, ctx);
    case "ponged":
      return receivePong(socket, ctx);
    default:
      return assertNever(event);
  }
}

/** The upstream of a link that is still in use: events of an old link are ignored. */
function upstreamOf(state: NeuroState, link: LinkId): Upstream | undefined {
  for (const upstream of state.upstreams.values()) if (linkIdOf(upstream.link) === link) return upstream;
  return undefined;
}

function stepUpstream(upstream: Upstream, event: LinkEvent, ctx: StepContext): void {
  switch (event.is) {
    case "dialed":
      return linkOpened(upstream, ctx);
    case "received":
      return receiveFrame(upstream, event.frame, ctx);
    case "dropped":
      return linkClosed(upstream, event, ctx);
    case "linkBackpressure":
    case "linkRelieved":
      upstream.hasBackpressure = event.is === "linkBackpressure";
      return;
    default:
      return assertNever(event);
  }
}

/** Passes an input to the built-in Neuro; its messages are read at the end of the step. */
function forDecider(state: NeuroState, handle: (decider: Decider) => readonly NeuroMessage[]): void {
  for (const { decider, inbox } of state.upstreams.values()) if (decider !== undefined) inbox.push(...handle(decider));
}

/** A choice is an input of the built-in Neuro. While a real Neuro is configured, choices are refused. */
function handleChoice(
  state: NeuroState,
  { id, from, name, data }: ServiceMessage & { readonly is: "actionChosen" },
  ctx: StepContext,
): void {
  let result: Result<readonly NeuroMessage[]> = failed("notNow", "Neuro chooses herself while an upstream is configured");
  for (const { decider, inbox } of state.upstreams.values()) {
    if (decider === undefined) continue;
    result = chooseAction(decider, { from, name, data }, ctx);
    if (result.ok) inbox.push(...result.value);
  }
  if (!result.ok) {
    const message = { choice: { selected: name, data } };
    reportProblem(state, from, { id: "choice_refused", detail: result.reason, message }, ctx);
  }
  if (id !== undefined) {
    ctx.post("intermediary", { is: "choiceSettled", id, refusal: result.ok ? undefined : result });
  }
}

/**
 * The first segment of a key names the service, the second the kind of the entry, which decides the module that is notified of its write.
 */
function handleWriteSettled(
  state: NeuroState,
  write: { readonly key: Key; readonly isStored: boolean },
  ctx: StepContext,
): void {
  const kind = segmentAt(write.key, 1);
  if (!isEntryKind(kind)) return;
  const { writeHealth: before } = state;
  state.writeHealth = write.isStored ? afterSuccess(before, ctx) : afterFailure(before, ctx);
  reportWrite(state, kind, write, ctx);
  if (before === state.writeHealth || before.is === "working") return;
  // Why: everything else waited for this trial.
  const at = suspendedUntil(state.writeHealth, ctx.now) ?? ctx.now;
  saveAt(state, at);
  for (const upstream of state.upstreams.values()) storeAt(upstream, at);
}

function reportWrite(
  state: NeuroState,
  kind: EntryKind,
  write: { readonly key: Key; readonly isStored: boolean },
  ctx: StepContext,
): void {
  switch (kind) {
    case "context":
      for (const upstream of state.upstreams.values()) contextWriteSettled(upstream, write, ctx);
      return;
    case "game":
    case "force":
    case "controls":
    case "macro":
      return recordWriteSettled(state, write, ctx);
    default:
      return assertNever(kind);
  }
}

/** Messages of the Intermediary and of Nallely, whose integrations take part as games do. */
function handleServiceMessage(state: NeuroState, message: ServiceMessage, ctx: StepContext): void {
  switch (message.is) {
    case "integrationJoined":
      return integrationJoined(state, message, ctx);
    case "integrationLeft": {
      const game = state.integrations.get(message.peer);
      state.integrations.delete(message.peer);
      return game === undefined ? undefined : disconnectGame(game, ctx);
    }
    case "gameMessage": {
      const game = state.integrations.get(message.peer);
      if (game === undefined) return;
      const { repairs = [] } = message;
      if (repairs.length > 0) reportRepairs(game, repairs, message.message, ctx);
      return handleGameMessage(game, withRepairs(message.message, repairs), ctx);
    }
    case "problemFound": {
      const game = state.integrations.get(message.peer);
      const { what, detail, message: given } = message;
      return game === undefined ? undefined : diagnose(game, what, { detail, message: given, isReported: true }, ctx);
    }
    case "neuroMessage":
      return message.peer === RELAY_PEER ? answerNeuro(state, message.message, ctx) : undefined;
    case "directMessage":
      return forwardToNeuro(state, message, ctx);
    case "actionChosen":
      return handleChoice(state, message, ctx);
    case "tracesWatched":
      state.isTraceWatched = message.wanted;
      return;
    case "directSettled": // Why: this service posts these messages, or other services receive them.
    case "upstreamChanged":
    case "choiceRequested":
    case "choiceSettled":
    case "contextShared":
    case "serviceChanged":
    case "observed":
    case "observationsCounted":
      return;
    default:
      return assertNever(message);
  }
}

function integrationJoined(
  state: NeuroState,
  { peer, name, connection, traces = false }: ServiceMessage & { readonly is: "integrationJoined" },
  ctx: StepContext,
): void {
  const game = findOrCreateGame(state, { listener: "intermediary", name: normalizeGameName(name) }, ctx);
  const before = peerOf(game);
  if (before !== undefined) state.integrations.delete(before);
  state.integrations.set(peer, game);
  game.connection = connection;
  connectGame(game, { peer, isStarting: false }, ctx);
  game.wantsTraces = traces;
}

/** A watcher's message for Neuro becomes a silent context. With an id, the Intermediary gets the outcome. */
function forwardToNeuro(
  state: NeuroState,
  { from, payload, id }: ServiceMessage & { readonly is: "directMessage" },
  ctx: StepContext,
): void {
  const [upstream] = state.upstreams.values();
  if (upstream === undefined) return;
  const message = typeof payload === "string" ? payload : JSON.stringify(payload);
  const source = watcherSource(state, from);
  const context = { message, silent: true };
  if (id === undefined) return void sendContext(upstream, source, context, ctx);
  const sent = sendContextDurably(upstream, source, context, ctx);
  const outcome = sent.ok ? { key: sent.value, refusal: undefined } : { key: undefined, refusal: sent };
  ctx.post("intermediary", { is: "directSettled", id, ...outcome });
}

function tick(state: NeuroState, ctx: StepContext): void {
  if (!state.hasStarted) startService(state, ctx);
  for (const socket of state.firstMessages.due(ctx.now)) identifySocket(socket, ctx);
  for (const timer of state.timers.due(ctx.now)) handleTimer(state, timer, ctx);
  for (const upstream of state.upstreams.values()) {
    linkTick(upstream, ctx);
    expireActions(upstream, ctx);
    if (upstream.decider !== undefined) upstream.inbox.push(...decideDue(upstream.decider, ctx));
  }
}

function handleTimer(state: NeuroState, timer: Timer, ctx: StepContext): void {
  switch (timer.is) {
    case "grace":
    case "restart_window":
    case "retention":
    case "shutdown_answer":
    case "delayed_contexts":
    case "action_changes":
    case "unregistered_action": {
      const game = state.games.get(timer.game);
      return game === undefined ? undefined : handleGameTimer(game, timer.is, ctx);
    }
    case "trial":
    case "current_force":
    case "force_names":
    case "store_contexts":
    case "context_budget":
    case "shutdown": {
      const upstream = state.upstreams.get(timer.upstream);
      return upstream === undefined ? undefined : handleUpstreamTimer(upstream, timer.is, ctx);
    }
    case "keepalive":
      return pingSockets(state, ctx);
    case "contests":
      return resolveExpiredContests(state, ctx);
    case "save_records":
      return saveGradually(state, ctx);
    case "drain": // Why: every step ends with a look at whether the drain is over.
      return;
    default:
      return assertNever(timer);
  }
}

function handleGameTimer(game: Game, is: GameTimer, ctx: StepContext): void {
  switch (is) {
    case "grace":
      return endGrace(game, ctx);
    case "restart_window":
      return endRestartWindow(game, ctx);
    case "retention":
      return endRetention(game, ctx);
    case "shutdown_answer":
      return endShutdown(game, ctx);
    case "delayed_contexts": // Why: every step ends with the contexts that may be sent.
      return releaseContexts(game.upstream, game.key);
    case "action_changes":
      flushChanges(game, ctx);
      return onActionsSynced(game.upstream, ctx);
    case "unregistered_action":
      return expireUnregistered(game, ctx);
    default:
      return assertNever(is);
  }
}

function handleUpstreamTimer(upstream: Upstream, is: UpstreamTimer, ctx: StepContext): void {
  switch (is) {
    case "trial":
      return onTrialTimer(upstream, ctx);
    case "current_force":
      return onForceTimer(upstream, ctx);
    case "force_names":
      return onNamesTimer(upstream, ctx);
    case "store_contexts":
      return storeQueued(upstream, ctx);
    case "shutdown":
      return finishShutdown(upstream, ctx);
    case "context_budget": // Why: every step ends with the contexts that the budget allows.
      return;
    default:
      return assertNever(is);
  }
}

/** Maximum number of messages of the built-in Neuro within one step. */
const INBOX_MAX = 10_000;

/** The end of every step. */
function finishStep(state: NeuroState, ctx: StepContext): void {
  if (state.drain.is === "drained") return;
  if (state.shutdownActions.changed.size > 0) syncShutdownActions(state, ctx);
  for (const upstream of state.upstreams.values()) {
    if (upstream.inbox.length > 0) readInbox(upstream, ctx);
    if (upstream.contexts.ready.size > 0) flushContexts(upstream, ctx);
  }
  scheduleSave(state, ctx);
  if (state.drain.is !== "none") continueDrain(state, ctx);
}

function readInbox(upstream: Upstream, ctx: StepContext): void {
  const { inbox } = upstream;
  for (let at = 0; at < inbox.length; at++) {
    assert(at < INBOX_MAX, `the relay in Neuro's place sends more than ${INBOX_MAX} messages in one step`);
    const message = inbox[at];
    if (message !== undefined) receiveMessage(upstream, message, ctx);
  }
  inbox.length = 0;
}

function nextWakeup(state: NeuroState): Millis | undefined {
  if (state.drain.is === "drained") return undefined;
  if (!state.hasStarted) return 0;
  let earliest = earlier(state.timers.earliest(), state.firstMessages.earliest());
  for (const { link, pendingActions, decider } of state.upstreams.values()) {
    earliest = earlier(earliest, linkDeadline(link));
    earliest = earlier(earliest, pendingActions.deadlines.earliest());
    if (decider !== undefined) earliest = earlier(earliest, deciderWakeup(decider));
  }
  return earliest;
}
