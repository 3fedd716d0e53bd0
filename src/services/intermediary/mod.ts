/**
 * The Intermediary: the relay's own protocol, for integrations that act and watchers that observe and command.
 *
 * A frame goes to `connections/` before its peer has greeted, then to `integrations/` or `watchers/`. A message for an absent integration
 * goes through the queue. Observations of all services become events in `watchers/`.
 *
 * Invariants: I1 no frame of a peer makes a step throw; I2 an observation that is handled here causes no other observation.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import { earlier } from "../../core/deadlines.ts";
import type { LifecycleEvent, PeerEvent, ServiceEvent, StoreEvent } from "../../core/event.ts";
import type { Key, Millis, PeerId } from "../../core/ids.ts";
import type { Frame } from "../../core/json.ts";
import type { Observation, ObservationName } from "../../core/observation.ts";
import { secretsOf } from "../../core/secrets.ts";
import { traceLimits } from "../../core/traces/limits.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { Service } from "../../core/service.ts";
import { handleRequest } from "./operator/handlers.ts";
import { isOperatorLoad, messageLoaded, messageWritten } from "./operator/messages.ts";
import { Credentials } from "./codec/credentials.ts";
import { errorReplyText } from "./codec/frames.ts";
import { closePeer, closeSilentNewcomer, openConnection, recheckTokens, removePeer } from "./connections/connections.ts";
import { greet } from "./connections/greeting.ts";
import type { ConnectedPeer, PendingTakeover } from "./connections/peer.ts";
import { bufferFrame, completeTakeover } from "./connections/takeover.ts";
import { tokensOf } from "./connections/tokens.ts";
import { receiveFromIntegration } from "./integrations/messages.ts";
import { announce, broadcastContext, deliverNeuroMessage, setCongestion } from "./integrations/outbound.ts";
import { completeRestore, restore } from "./restore.ts";
import type { IntermediaryState } from "./state.ts";
import { ownerOf, RESIDENT_PREFIXES } from "./stored-keys.ts";
import type { PeerTimer } from "./timers.ts";
import { receiveFromWatcher } from "./watchers/requests.ts";

export type { IntermediaryState } from "./state.ts";

export const intermediary: Service<IntermediaryState> = {
  name: "intermediary",
  resident: RESIDENT_PREFIXES,
  restore,
  step,
  nameOf({ connections }: IntermediaryState, id: PeerId): string | undefined {
    const peer = connections.peers.get(id);
    if (peer?.is === "pendingTakeover") return peer.identity.name;
    return peer === undefined || peer.is === "newcomer" ? undefined : peer.name;
  },
  observes,
  countsUntil: ({ subscriptions, choices }, name): Millis =>
    isOfAction(name) && !choices.isOpen ? subscriptions.fullUntil : 0,
  wantsChange: ({ changeNotices }, service) => changeNotices.wants(service),
  ignores: ({ connections }: IntermediaryState, name: ServiceMessage["is"]): boolean =>
    name === "contextShared" && connections.integrations.size === 0,
  nextWakeup,
};

/** Every action and context causes these, and they concern only watchers and an open choice. */
const isOfAction = (name: ObservationName): boolean =>
  name === "action_sent" || name === "action_result" || name === "add_context";

function observes({ subscriptions, choices }: IntermediaryState, name: ObservationName): boolean {
  if (name === "trace_ended") return subscriptions.wantsTraces;
  return !isOfAction(name) || subscriptions.isRecording || choices.isOpen;
}

function step(state: IntermediaryState, event: ServiceEvent, ctx: StepContext): void {
  stepEvent(state, event, ctx);
  announceTraces(state, ctx);
}

/** Tells the Neuro service whether a watcher wants the event of each trace, because making one costs more than the action itself. */
function announceTraces(state: IntermediaryState, ctx: StepContext): void {
  const { wantsTraces } = state.subscriptions;
  if (wantsTraces === state.hasAnnouncedTraces) return;
  state.hasAnnouncedTraces = wantsTraces;
  ctx.post("neuro", { is: "tracesWatched", wanted: wantsTraces });
}

function stepEvent(state: IntermediaryState, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "opened":
      return openConnection(state, event, ctx);
    case "frame":
    case "closed":
    case "throttled":
    case "ponged":
    case "backpressure":
    case "relieved": {
      const peer = state.connections.peers.get(event.peer);
      return peer === undefined ? undefined : stepPeer(state, peer, event, ctx);
    }
    case "serviceMessage":
      return handleServiceMessage(state, event.message, ctx);
    case "stored":
    case "storeFailed":
      return writeEnded(state, event, ctx);
    case "loaded":
    case "loadFailed":
      return isOperatorLoad(event.token) ? messageLoaded(state, event, ctx) : state.queue.step(event, ctx);
    case "fileSaved":
      return state.uploads.fileSaved(event, ctx);
    case "requested":
      return handleRequest(state, event, ctx);
    case "tick":
    case "configured":
    case "draining":
      return stepLifecycle(state, event, ctx);
    case "jobFinished":
    case "dialed":
    case "received":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved":
      return; // Why: this service has neither jobs nor links.
    default:
      return assertNever(event);
  }
}

function stepPeer(
  state: IntermediaryState,
  peer: ConnectedPeer,
  event: Exclude<PeerEvent, { readonly is: "opened" }>,
  ctx: StepContext,
): void {
  switch (event.is) {
    case "frame":
      return receiveFrame(state, peer, event.frame, ctx);
    case "closed": {
      removePeer(state, peer, ctx);
      const pending = peer.is === "integration" ? state.connections.takeovers.get(peer.name) : undefined;
      return pending === undefined ? undefined : takeOver(state, pending, ctx);
    }
    case "throttled": {
      const frame = errorReplyText("rate limit", "rateLimit", { retry_after_ms: event.retryMs });
      return ctx.emit({ do: "reply", to: event.peer, frame });
    }
    case "ponged":
      if (peer.is === "integration") peer.lastFrameAt = ctx.now;
      return;
    case "backpressure":
      return setBackpressure(state, peer, true, ctx);
    case "relieved":
      return setBackpressure(state, peer, false, ctx);
    default:
      return assertNever(event);
  }
}

function receiveFrame(state: IntermediaryState, peer: ConnectedPeer, frame: Frame, ctx: StepContext): void {
  if (state.phase.is !== "running") return; // Why: while draining, nothing new is accepted.
  switch (peer.is) {
    case "newcomer":
      return greet(state, peer, frame, ctx);
    case "pendingTakeover":
      return bufferFrame(state, peer, frame, ctx);
    case "integration":
      return receiveFromIntegration(state, peer, frame, ctx);
    case "watcher":
      return receiveFromWatcher(state, peer, frame, ctx);
    default:
      return assertNever(peer);
  }
}

/** Completes a takeover, then handles the frames that were buffered for it. */
function takeOver(state: IntermediaryState, pending: PendingTakeover, ctx: StepContext): void {
  for (const frame of completeTakeover(state, pending, ctx)) {
    const peer = state.connections.peers.get(pending.peer);
    if (peer !== undefined) receiveFrame(state, peer, frame, ctx);
  }
}

function setBackpressure(state: IntermediaryState, peer: ConnectedPeer, isBackpressured: boolean, ctx: StepContext): void {
  if (peer.is === "watcher") {
    state.subscriptions.setBackpressure(peer.peer, isBackpressured);
    state.changeNotices.setBackpressure(peer.peer, isBackpressured);
  }
  if (peer.is !== "integration") return;
  setCongestion(peer, isBackpressured, ctx);
  if (peer.hasQueue) state.queue.setBackpressure(peer.name, isBackpressured, ctx);
}

function handleServiceMessage(state: IntermediaryState, message: ServiceMessage, ctx: StepContext): void {
  switch (message.is) {
    case "observed":
      return handleObservation(state, message.observation, ctx);
    case "observationsCounted":
      return state.subscriptions.skip(message.count);
    case "upstreamChanged":
      state.upstream = { configured: message.configured, open: message.open };
      return;
    case "neuroMessage": {
      const to = state.connections.peers.get(message.peer);
      if (to?.is !== "integration") return;
      return deliverNeuroMessage({ to, bytesMax: state.settings.limits.message_bytes }, message.message, ctx);
    }
    case "directSettled":
      return state.forwardedRequests.directSettled(message, ctx);
    case "choiceSettled":
      return state.forwardedRequests.choiceSettled(message, ctx);
    case "choiceRequested":
      state.choices.open(message.choice, state.settings.limits.message_bytes);
      return state.choices.offerToAll(state.connections.integrations.values(), ctx);
    case "contextShared":
      return broadcastContext(
        { integrations: state.connections.integrations, bytesMax: state.settings.limits.message_bytes },
        message,
        ctx,
      );
    case "serviceChanged":
      return state.changeNotices.record(message.service, ctx.now);
    case "integrationJoined":
    case "integrationLeft":
    case "gameMessage":
    case "problemFound":
    case "directMessage":
    case "actionChosen":
    case "tracesWatched":
      return; // Why: these are for the Neuro service.
    default:
      return assertNever(message);
  }
}

function handleObservation(state: IntermediaryState, observation: Observation, ctx: StepContext): void {
  if (observation.is === "service_rebuilt" && observation.service === "neuro") {
    for (const integration of state.connections.integrations.values()) announce(integration, ctx);
    state.hasAnnouncedTraces = false;
  }
  if (observation.is === "panicked" && observation.service === "neuro") state.forwardedRequests.failAll(ctx);
  state.audit.observe(observation, ctx);
  state.games.observe(observation, state.settings.limits.peers);
  state.choices.observe(observation);
  state.subscriptions.publish(observation, ctx);
  if (state.eventWaiters.size > 0) state.eventWaiters.wake(state.subscriptions, ctx);
  if (observation.is === "neuroos_connected") state.choices.offerToLateWatchers(state.subscriptions.cursor, ctx);
}

function writeEnded(
  state: IntermediaryState,
  event: Extract<StoreEvent, { readonly key: Key }>,
  ctx: StepContext,
): void {
  const { key } = event;
  const isStored = event.is === "stored";
  const owner = ownerOf(key);
  switch (owner) {
    case "audit":
      return state.audit.writeEnded(key, isStored, ctx);
    case "directory":
      return state.directory.writeEnded(key, isStored, ctx);
    case "upload":
      return state.uploads.writeEnded(key, isStored, ctx);
    case "queue":
      state.queue.step(event, ctx);
      state.watcherActs.writeEnded(key, isStored, ctx);
      return messageWritten(state, key, isStored, ctx);
    case "dead":
      return state.queue.step(event, ctx);
    default:
      return assertNever(owner);
  }
}

function stepLifecycle(state: IntermediaryState, event: LifecycleEvent, ctx: StepContext): void {
  switch (event.is) {
    case "configured":
      state.settings = event.settings;
      state.credentials = new Credentials(event.settings);
      state.secrets.learn(secretsOf(event.settings));
      state.traces.configure(traceLimits(event.settings));
      state.connections.tokens = tokensOf(event.settings);
      state.queue.configure(event.settings.queue);
      state.uploads.configure(event.settings.uploads);
      return recheckTokens(state, ctx);
    case "draining":
      if (state.phase.is !== "drained") state.phase = { is: "draining", closeAt: event.until };
      state.directory.flush(ctx);
      state.eventWaiters.respondToAll(state.subscriptions, ctx);
      return drainIfIdle(state, ctx);
    case "tick":
      return tick(state, ctx);
    default:
      return assertNever(event);
  }
}

function tick(state: IntermediaryState, ctx: StepContext): void {
  completeRestore(state, ctx);
  for (const timer of state.timers.due(ctx.now)) handleTimer(state, timer, ctx);
  state.directory.tick(ctx);
  state.queue.tick(ctx);
  state.uploads.tick(ctx);
  state.audit.tick(ctx);
  state.subscriptions.tick(ctx);
  state.changeNotices.tick(ctx);
  state.eventWaiters.tick(state.subscriptions, ctx);
  drainIfIdle(state, ctx);
}

function handleTimer(state: IntermediaryState, timer: PeerTimer, ctx: StepContext): void {
  const peer = state.connections.peers.get(timer.peer);
  if (peer === undefined) return;
  switch (timer.is) {
    case "greeting":
      return peer.is === "newcomer" ? closeSilentNewcomer(state, peer, ctx) : undefined;
    case "takeover":
      return peer.is === "pendingTakeover" ? takeOver(state, peer, ctx) : undefined;
    case "freeText":
      return state.freeText.sendWaiting(peer.peer, ctx);
    default:
      return assertNever(timer);
  }
}

/** While draining: closes all peers once all awaited writes have ended, or when the time is over. */
function drainIfIdle(state: IntermediaryState, ctx: StepContext): void {
  const { phase, queue, connections } = state;
  if (phase.is !== "draining" || (queue.writing > 0 && ctx.now < phase.closeAt)) return;
  for (const peer of [...connections.peers.values()]) closePeer(state, peer, "restarting", ctx);
  ctx.emit({ do: "drained", service: "intermediary" });
  state.phase = { is: "drained" };
}

/** While draining: at once if nothing is being written, in a step of its own, so that replies to ended writes are sent first. */
function drainAt({ phase, queue }: IntermediaryState): Millis | undefined {
  if (phase.is !== "draining") return undefined;
  return queue.writing > 0 ? phase.closeAt : 0;
}

function nextWakeup(state: IntermediaryState): Millis | undefined {
  if (state.connections.resumed.length > 0) return 0;
  let first = state.timers.earliest();
  first = earlier(first, state.directory.nextWakeup());
  first = earlier(first, state.queue.nextWakeup());
  first = earlier(first, state.uploads.nextWakeup());
  first = earlier(first, state.audit.nextWakeup());
  first = earlier(first, state.subscriptions.nextWakeup());
  first = earlier(first, state.changeNotices.nextWakeup());
  first = earlier(first, state.eventWaiters.nextWakeup());
  return earlier(first, drainAt(state));
}
