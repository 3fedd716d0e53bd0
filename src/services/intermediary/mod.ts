/**
 * The Intermediary: the relay's own protocol, with integrations that act and watchers that observe and command.
 *
 * A frame comes in here and goes to `registry.ts` (who are you), `integration.ts` or `router.ts` (what do you want); what is for
 * somebody who is away goes through the queue of `core`; what everybody may know comes back as a note and leaves by `watch.ts`.
 *
 * Invariants: I1 nothing that a peer sends makes a step throw; I2 a note that is told here leads to no other note.
 */
import { earlier } from "../../core/deadlines.ts";
import type { LifecycleEvent, PeerEvent, ServiceEvent, StoreEvent } from "../../core/event.ts";
import type { Millis, PeerId } from "../../core/ids.ts";
import type { Observation } from "../../core/observation.ts";
import type { Service } from "../../core/service.ts";
import type { ServiceMessage } from "../../core/service-message.ts";
import type { StepContext } from "../../core/context.ts";
import { AUDIT_PREFIX } from "./audit.ts";
import { freeTextDue } from "./free-text.ts";
import { announce, broadcastContext, deliver, receive } from "./integration.ts";
import { DIRECTORY_PREFIX } from "./directory.ts";
import { closeChoice, requestChoice, sendLateChoiceRequests } from "./choices.ts";
import { seeGame } from "./presence.ts";
import { handleRequest, loadEnded, writeEnded } from "./api.ts";
import { bufferFrame, close, closeSilentPeers, completeTakeover, forget, greet, open, recheckTokens } from "./registry.ts";
import { directSettled, failDirectMessages, receiveRequest } from "./watcher-requests.ts";
import { restore, resume } from "./restore.ts";
import type { PendingTakeover, State } from "./state.ts";
import { tokensOf } from "./tokens.ts";
import { UPLOAD_PREFIX } from "./uploads.ts";
import { errorText } from "./wire.ts";

export type { State as IntermediaryState } from "./state.ts";

export const intermediary: Service<State> = {
  name: "intermediary",
  resident: [AUDIT_PREFIX, DIRECTORY_PREFIX, UPLOAD_PREFIX],
  restore,
  step,
  nextWakeup,
};

function step(state: State, event: ServiceEvent, ctx: StepContext): void {
  switch (event.is) {
    case "serviceMessage":
      return hearRoom(state, event.message, ctx);
    case "stored":
    case "storeFailed":
    case "loaded":
    case "loadFailed":
      return stepStore(state, event, ctx);
    case "fileSaved":
      return state.uploads.saved(event, ctx);
    case "requested":
      return handleRequest(state, event, ctx);
    case "tick":
    case "configured":
    case "draining":
      return stepLife(state, event, ctx);
    case "jobFinished":
    case "dialed":
    case "received":
    case "dropped":
    case "linkBackpressure":
    case "linkRelieved":
      return; // Why: this room has neither jobs nor links.
    default:
      return stepPeer(state, event, ctx);
  }
}

function stepPeer(state: State, event: PeerEvent, ctx: StepContext): void {
  if (event.is === "opened") return open(state, event, ctx);
  const peer = state.peers.get(event.peer);
  if (peer === undefined) return;
  switch (event.is) {
    case "frame":
      return stepFrame(state, event, ctx);
    case "closed":
      forget(state, peer, ctx);
      return peer.is === "integration" ? promote(state, state.pendingTakeovers.get(peer.name), ctx) : undefined;
    case "throttled": {
      const frame = errorText("rate limit", "rateLimit", { retry_after_ms: event.retryMs });
      return ctx.emit({ do: "reply", to: event.peer, frame });
    }
    case "ponged":
      if (peer.is === "integration") peer.heardAt = ctx.now;
      return;
    case "backpressure":
    case "relieved":
      if (peer.is === "watcher") state.subscriptions.setBackpressure(peer.peer, event.is === "backpressure");
      if (peer.is === "integration" && peer.hasQueue) {
        state.queue.setBackpressure(peer.name, event.is === "backpressure", ctx);
      }
      return;
  }
}

function stepFrame(state: State, { peer: id, frame }: PeerEvent & { is: "frame" }, ctx: StepContext): void {
  const peer = state.peers.get(id);
  if (peer === undefined || state.closeAt !== undefined) return; // Why: while draining nothing new is taken on.
  switch (peer.is) {
    case "newcomer":
      return greet(state, { newcomer: peer, frame }, ctx);
    case "pendingTakeover":
      return bufferFrame(state, { claimant: peer, frame }, ctx);
    case "integration":
      return receive(state, { from: peer, frame }, ctx);
    case "watcher":
      return receiveRequest(state, { from: peer, frame }, ctx);
  }
}

/** A claimant gets its name, and what it said while it waited is heard. */
function promote(state: State, claimant: PendingTakeover | undefined, ctx: StepContext): void {
  if (claimant === undefined) return;
  for (const frame of completeTakeover(state, claimant, ctx)) {
    stepFrame(state, { is: "frame", peer: claimant.peer, frame }, ctx);
  }
}

function hearRoom(state: State, message: ServiceMessage, ctx: StepContext): void {
  switch (message.is) {
    case "observed":
      return see(state, message.observation, ctx);
    case "upstreamChanged":
      state.upstream = { configured: message.configured, open: message.open };
      return;
    case "neuroMessage": {
      const to = state.peers.get(message.peer);
      return to?.is === "integration" ? deliver(to, message.message, ctx) : undefined;
    }
    case "directSettled":
      return directSettled(state, message, ctx);
    case "choiceRequested":
      return requestChoice(state, message.choice, ctx);
    case "contextShared":
      return broadcastContext(state, message, ctx);
    default:
      return; // Why: the rest of the table is for other rooms.
  }
}

function see(state: State, observation: Observation, ctx: StepContext): void {
  if (observation.is === "service_rebuilt" && observation.service === "neuro") {
    for (const integration of state.integrations.values()) announce(integration, ctx);
  }
  if (observation.is === "panicked" && observation.service === "neuro") failDirectMessages(state, ctx);
  state.audit.see(observation, ctx);
  seeGame(state, observation);
  closeChoice(state, observation);
  state.subscriptions.publish(observation, ctx);
  if (observation.is === "neuroos_connected") sendLateChoiceRequests(state, ctx);
}

function stepStore(state: State, event: StoreEvent, ctx: StepContext): void {
  if (event.is === "loaded" || event.is === "loadFailed") {
    if (!loadEnded(state, event, ctx)) state.queue.step(event, ctx);
    return;
  }
  const isStored = event.is === "stored";
  const isOther = state.directory.writeEnded(event.key, isStored, ctx) || state.uploads.settled(event.key, isStored, ctx) ||
    state.audit.settled(event.key, isStored, ctx);
  if (isOther) return;
  state.queue.step(event, ctx);
  writeEnded(state, event, ctx);
}

function stepLife(state: State, event: LifecycleEvent, ctx: StepContext): void {
  switch (event.is) {
    case "configured":
      state.settings = event.settings;
      state.tokens = tokensOf(event.settings);
      state.queue.configure(event.settings.queue);
      state.uploads.configure(event.settings.uploads);
      return recheckTokens(state, ctx);
    case "draining":
      state.closeAt = event.until;
      state.directory.flush(ctx);
      return leaveIfDone(state, ctx);
    case "tick":
      return tick(state, ctx);
  }
}

function tick(state: State, ctx: StepContext): void {
  resume(state, ctx);
  closeSilentPeers(state, ctx);
  for (const id of state.takeoverDeadlines.due(ctx.now)) {
    const claimant = state.peers.get(id as PeerId); // Why: only ids of peers are set there, here and below.
    if (claimant?.is === "pendingTakeover") promote(state, claimant, ctx);
  }
  for (const id of state.freeTexts.due(ctx.now)) {
    const integration = state.peers.get(id as PeerId);
    if (integration?.is === "integration") freeTextDue(integration, ctx);
  }
  state.directory.tick(ctx);
  state.queue.tick(ctx);
  state.uploads.tick(ctx);
  state.audit.tick(ctx);
  state.subscriptions.tick(ctx);
  leaveIfDone(state, ctx);
}

/** While draining: once every write that somebody waits for has ended, or at the last moment, everybody is sent away. */
function leaveIfDone(state: State, ctx: StepContext): void {
  if (state.closeAt === undefined || state.isDrained) return;
  if (state.queue.writing > 0 && ctx.now < state.closeAt) return;
  for (const peer of [...state.peers.values()]) close(state, { peer, fault: "restarting" }, ctx);
  ctx.emit({ do: "drained", service: "intermediary" });
  state.isDrained = true;
}

/** While draining: as soon as nothing is being written, in a step of its own, so that the replies to that leave first. */
const drainAt = ({ closeAt, isDrained, queue }: State): Millis | undefined =>
  closeAt === undefined || isDrained ? undefined : queue.writing > 0 ? closeAt : 0;

function nextWakeup(state: State): Millis | undefined {
  if (state.resumedPeers.length > 0) return 0;
  let first = state.greetings.earliest();
  first = earlier(first, state.takeoverDeadlines.earliest());
  first = earlier(first, state.freeTexts.earliest());
  first = earlier(first, state.directory.nextWakeup());
  first = earlier(first, state.queue.nextWakeup());
  first = earlier(first, state.uploads.nextWakeup());
  first = earlier(first, state.audit.nextWakeup());
  first = earlier(first, state.subscriptions.nextWakeup());
  return earlier(first, drainAt(state));
}
