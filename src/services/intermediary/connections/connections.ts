/**
 * The connected peers of the Intermediary.
 *
 * ```
 *   opened -> newcomer --greeting--> integration | watcher --closed--> gone
 *                |                       ^
 *                |  name taken           |  the holder left, or its grace ended
 *                +---> pendingTakeover --+
 * ```
 *
 * Invariants: G1 a newcomer that has not greeted within `limits.greeting` is closed; G2 a name has one integration, and at most one
 * pending takeover; G3 frames and the close of a peer that lost its name do not affect the new holder; G4 a peer that is refused
 * gets an error before it is closed.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { ConnectionInfo } from "../../../core/event.ts";
import type { FaultName } from "../../../core/fault.ts";
import type { PeerId } from "../../../core/ids.ts";
import { errorReplyText } from "../codec/frames.ts";
import type { IntermediaryState } from "../state.ts";
import { addNewcomer, removeNewcomer } from "./connection-state.ts";
import type { ConnectedPeer, Integration, Newcomer } from "./peer.ts";
import { grantOfDigest } from "./tokens.ts";

/** A peer has connected. */
export function openConnection(
  state: IntermediaryState,
  { peer, connection }: { readonly peer: PeerId; readonly connection: ConnectionInfo },
  ctx: StepContext,
): void {
  const { connections, settings: { limits } } = state;
  if (state.phase.is !== "running") return ctx.emit({ do: "close", peer, fault: "restarting" });
  addNewcomer(connections, { peer, connection }, ctx.now + limits.greeting);
}

/** Closes a peer and removes it at once: its later frames are ignored. */
export function closePeer(state: IntermediaryState, peer: ConnectedPeer, fault: FaultName, ctx: StepContext): void {
  removePeer(state, peer, ctx);
  ctx.emit({ do: "close", peer: peer.peer, fault });
}

/** Removes a peer from all tables. */
export function removePeer(state: IntermediaryState, peer: ConnectedPeer, ctx: StepContext): void {
  const { connections } = state;
  connections.peers.delete(peer.peer);
  switch (peer.is) {
    case "newcomer":
      return removeNewcomer(connections, peer.peer);
    case "pendingTakeover":
      peer.retained.close();
      return connections.takeovers.remove(peer);
    case "watcher":
      state.subscriptions.remove(peer.peer, ctx.now);
      state.changeNotices.remove(peer.peer);
      return ctx.observe({ is: "neuroos_disconnected", name: peer.name });
    case "integration":
      return removeIntegration(state, peer, ctx);
    default:
      return assertNever(peer);
  }
}

function removeIntegration(
  state: IntermediaryState,
  { peer, name, hasQueue, retained }: Integration,
  ctx: StepContext,
): void {
  retained.close();
  state.connections.integrations.delete(name);
  state.freeText.remove(peer);
  if (hasQueue) {
    state.queue.disconnect(name, ctx);
    state.directory.recordSeen(name, ctx);
  }
  ctx.post("neuro", { is: "integrationLeft", peer });
  ctx.observe({ is: "integration_disconnected", name });
}

/** Closes a newcomer that has not greeted within `limits.greeting`. */
export function closeSilentNewcomer(state: IntermediaryState, newcomer: Newcomer, ctx: StepContext): void {
  const { peer, connection: { address } } = newcomer;
  ctx.observe({ is: "greeting_refused", fault: "noGreeting", address, reason: "no registration in time" });
  ctx.emit({ do: "reply", to: peer, frame: errorReplyText("no registration in time", "noGreeting") });
  closePeer(state, newcomer, "noGreeting", ctx);
}

/** The tokens changed: peers whose token is no longer valid are closed, and the other peers get the current scopes of their tokens. */
export function recheckTokens(state: IntermediaryState, ctx: StepContext): void {
  for (const peer of [...state.connections.peers.values()]) {
    if (peer.is === "newcomer") continue;
    const identity = peer.is === "pendingTakeover" ? peer.identity : peer;
    const isNamed = peer.is !== "integration" || peer.hasQueue;
    const grant = grantOfDigest(state.connections.tokens, identity.digest, isNamed ? identity.name : "");
    if (grant?.scopes.has(peer.is === "watcher" ? "watch" : "integration")) {
      identity.scopes = grant.scopes;
      continue;
    }
    ctx.emit({ do: "reply", to: peer.peer, frame: errorReplyText("invalid auth token", "badToken") });
    ctx.observe({ is: "peer_closed_by_relay", from: identity.name, fault: "badToken" });
    closePeer(state, peer, "badToken", ctx);
  }
}
