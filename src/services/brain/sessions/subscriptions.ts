/**
 * `Subscribe` and `Unsubscribe`. Only peers that asked are notified of a session's changes, and only of changes by others.
 *
 * The sessions that a peer follows are attached to it, so they survive the hibernation of a Durable Object.
 */
import type { StepContext } from "../../../core/context.ts";
import type { PeerId } from "../../../core/ids.ts";
import { isObject, type Json } from "../../../core/json.ts";
import { SUBSCRIPTIONS_PER_PEER_MAX } from "../../../core/limits.ts";
import { limitExceeded } from "../codec/request-error.ts";
import { activeSession, answerFromSession, refuse } from "../request.ts";
import type { BrainPeer, BrainState } from "../state.ts";
import type { ClientRequest } from "./session.ts";

/** `Subscribe` */
export function subscribe(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const found = activeSession(state, request, ctx);
  const peerId = request.reply.peer;
  const peer = state.peers.get(peerId);
  if (found === undefined || peer === undefined) return;
  const { session, loaded: { head: { seq } } } = found;
  if (!peer.follows.has(session.id)) {
    if (peer.follows.size >= SUBSCRIPTIONS_PER_PEER_MAX) {
      return refuse(state, request, limitExceeded("subscriptions", SUBSCRIPTIONS_PER_PEER_MAX), ctx);
    }
    peer.follows.add(session.id);
    session.followers.add(peerId);
    attachFollows(peerId, peer, ctx);
  }
  const body = { type: "Subscribed", session_id: session.id, seq };
  answerFromSession(state, request, { session, seq, body }, ctx);
}

/** `Unsubscribe` */
export function unsubscribe(state: BrainState, request: ClientRequest, ctx: StepContext): void {
  const found = activeSession(state, request, ctx);
  const peerId = request.reply.peer;
  const peer = state.peers.get(peerId);
  if (found === undefined || peer === undefined) return;
  const { session } = found;
  session.followers.delete(peerId);
  peer.missed.delete(session.id);
  if (peer.follows.delete(session.id)) attachFollows(peerId, peer, ctx);
  const body = { type: "Unsubscribed", session_id: session.id };
  answerFromSession(state, request, { session, seq: -1, body }, ctx);
}

function attachFollows(peer: PeerId, { follows }: BrainPeer, ctx: StepContext): void {
  ctx.emit({ do: "attach", peer, attachment: { follows: [...follows] } });
}

/** The sessions that a resumed peer followed, without those that no longer exist. */
export function restoreSubscriptions(state: BrainState, peer: PeerId, attachment: Json | undefined): Set<string> {
  const follows = new Set<string>();
  const ids = isObject(attachment) ? attachment["follows"] : undefined;
  for (const id of Array.isArray(ids) ? ids : []) {
    const session = typeof id === "string" ? state.sessions.get(id) : undefined;
    if (session === undefined) continue;
    follows.add(session.id);
    session.followers.add(peer);
  }
  return follows;
}

/** Ends all subscriptions of a peer that has disconnected. */
export function unsubscribeAll(state: BrainState, peer: PeerId): void {
  for (const id of state.peers.get(peer)?.follows ?? []) state.sessions.get(id)?.followers.delete(peer);
}
