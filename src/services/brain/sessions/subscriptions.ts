/**
 * Who wants to hear of a session's changes: only peers that asked, and only what others did.
 *
 * Whom a peer follows is attached to it, so that it survives the sleep of a Durable Object.
 */
import { isObject, type Json } from "../../../core/json.ts";
import { SUBSCRIPTIONS_PER_PEER_MAX } from "../../../core/limits.ts";
import type { BrainPeer, BrainState } from "../state.ts";
import { activeSession, answerFromSession, refuse, type RequestInStep } from "../request.ts";
import type { PeerId } from "../../../core/ids.ts";
import { limitExceeded } from "../codec/request-error.ts";

/** `Subscribe` */
export function subscribe(call: RequestInStep): void {
  const found = activeSession(call);
  const peer = call.brain.peers.get(call.reply.peer);
  if (found === undefined || peer === undefined) return;
  const { session, body: { head: { seq } } } = found;
  if (!peer.follows.has(session.id)) {
    if (peer.follows.size >= SUBSCRIPTIONS_PER_PEER_MAX) {
      return refuse(call, limitExceeded("subscriptions", SUBSCRIPTIONS_PER_PEER_MAX));
    }
    peer.follows.add(session.id);
    session.followers.add(call.reply.peer);
    attach(call, peer);
  }
  answerFromSession(call, { session, seq, body: { type: "Subscribed", session_id: session.id, seq } });
}

/** `Unsubscribe` */
export function unsubscribe(call: RequestInStep): void {
  const found = activeSession(call);
  const peer = call.brain.peers.get(call.reply.peer);
  if (found === undefined || peer === undefined) return;
  const { session } = found;
  session.followers.delete(call.reply.peer);
  peer.missed.delete(session.id);
  if (peer.follows.delete(session.id)) attach(call, peer);
  answerFromSession(call, { session, seq: -1, body: { type: "Unsubscribed", session_id: session.id } });
}

function attach({ ctx, reply }: RequestInStep, { follows }: BrainPeer): void {
  ctx.emit({ do: "attach", peer: reply.peer, attachment: { follows: [...follows] } });
}

/** The sessions that a peer followed, of those that are still there. */
export function restoreSubscriptions(brain: BrainState, peer: PeerId, attachment: Json | undefined): Set<string> {
  const follows = new Set<string>();
  const names = isObject(attachment) ? attachment["follows"] : undefined;
  for (const name of Array.isArray(names) ? names : []) {
    const session = typeof name === "string" ? brain.sessions.get(name) : undefined;
    if (session === undefined) continue;
    follows.add(session.id);
    session.followers.add(peer);
  }
  return follows;
}

/** A peer that is gone follows nobody. */
export function unsubscribeAll(brain: BrainState, peer: PeerId): void {
  for (const id of brain.peers.get(peer)?.follows ?? []) brain.sessions.get(id)?.followers.delete(peer);
}
