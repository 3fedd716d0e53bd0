/**
 * One reply per request and peer, in the order of the requests, each only once what it reveals is stored.
 *
 * Every request takes a slot. A slot leaves when it is filled, nothing holds it any more, and all slots before it have left.
 *
 * Invariants: N1 a slot is filled once and leaves once; N2 a slot that waits holds back later slots of its own peer and nothing
 * else; N3 what a peer that is gone was owed is dropped.
 */
import type { PeerId } from "../../../core/ids.ts";
import { REPLIES_OUTSTANDING_MAX } from "../../../core/limits.ts";
import type { StepContext } from "../../../core/context.ts";

/** The reply that one request will get. */
export interface PendingReply {
  readonly peer: PeerId;
  frame: string | undefined;
  /** What is said instead when something that the reply waits for could not be stored. */
  onFailure: (() => string) | undefined;
  /** How much it still waits for. */
  pendingWrites: number;
}

export class ReplyQueues {
  readonly #queues = new Map<PeerId, PendingReply[]>();

  addPeer(peer: PeerId): void {
    this.#queues.set(peer, []);
  }

  removePeer(peer: PeerId): void {
    this.#queues.delete(peer);
  }

  peers(): PeerId[] {
    return [...this.#queues.keys()];
  }

  /** True when the peer is owed nothing. */
  isEmpty(peer: PeerId): boolean {
    return (this.#queues.get(peer)?.length ?? 0) === 0;
  }

  /** A slot behind all others of the peer; undefined when it is owed too much already. */
  reserve(peer: PeerId): PendingReply | undefined {
    const lane = this.#queues.get(peer);
    if (lane === undefined || lane.length >= REPLIES_OUTSTANDING_MAX) return undefined;
    const slot: PendingReply = { peer, frame: undefined, onFailure: undefined, pendingWrites: 0 };
    lane.push(slot);
    return slot;
  }

  /** Says what the reply is; it leaves now if it may. */
  fill(slot: PendingReply, frame: string, ctx: StepContext): void {
    slot.frame = frame;
    if (slot.pendingWrites === 0) this.#flush(slot.peer, ctx);
  }

  /** One of the things that the slot waits for came about, or did not. */
  settleWrite(slot: PendingReply, isStored: boolean, ctx: StepContext): void {
    slot.pendingWrites--;
    if (!isStored) slot.frame = slot.onFailure?.() ?? slot.frame;
    if (slot.pendingWrites === 0) this.#flush(slot.peer, ctx);
  }

  #flush(peer: PeerId, ctx: StepContext): void {
    const lane = this.#queues.get(peer);
    if (lane === undefined) return;
    let ready = 0;
    for (const { frame, pendingWrites } of lane) {
      if (frame === undefined || pendingWrites > 0) break;
      ctx.emit({ do: "reply", to: peer, frame });
      ready++;
    }
    if (ready > 0) lane.splice(0, ready);
  }
}
