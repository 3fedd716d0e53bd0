/**
 * One reply per request, in the order of each peer's requests, and each only when the events that it shows are stored.
 *
 * Every request reserves a pending reply. It is sent when its frame is set, its writes have settled, and all earlier replies to the
 * peer have been sent.
 *
 * Invariants: N1 a reply is set once and sent once; N2 a reply that waits holds back later replies to its own peer and nothing else;
 * N3 replies to a peer that has disconnected are dropped.
 */
import type { StepContext } from "../../../core/context.ts";
import type { PeerId } from "../../../core/ids.ts";
import { REPLIES_OUTSTANDING_MAX } from "../../../core/limits.ts";

export interface QueuedReply {
  readonly peer: PeerId;
  frame: string | undefined;
  /** Gives the frame to send instead if a write that the reply waits for fails. */
  onFailure: (() => string) | undefined;
  /** The number of writes that the reply still waits for. */
  pendingWrites: number;
}

export class ReplyQueues {
  readonly #queues = new Map<PeerId, QueuedReply[]>();

  addPeer(peer: PeerId): void {
    this.#queues.set(peer, []);
  }

  removePeer(peer: PeerId): void {
    this.#queues.delete(peer);
  }

  peers(): PeerId[] {
    return [...this.#queues.keys()];
  }

  /** True if no reply to the peer is outstanding. */
  isEmpty(peer: PeerId): boolean {
    return (this.#queues.get(peer)?.length ?? 0) === 0;
  }

  /** Reserves the next reply to a peer; undefined if `REPLIES_OUTSTANDING_MAX` replies are outstanding. */
  reserve(peer: PeerId): QueuedReply | undefined {
    const queue = this.#queues.get(peer);
    if (queue === undefined || queue.length >= REPLIES_OUTSTANDING_MAX) return undefined;
    const reply: QueuedReply = { peer, frame: undefined, onFailure: undefined, pendingWrites: 0 };
    queue.push(reply);
    return reply;
  }

  /** Sets the frame of a reply and sends it if it may be sent now. */
  fill(reply: QueuedReply, frame: string, ctx: StepContext): void {
    reply.frame = frame;
    if (reply.pendingWrites === 0) this.#flush(reply.peer, ctx);
  }

  /** One of the writes that the reply waits for has succeeded or failed. */
  settleWrite(reply: QueuedReply, isStored: boolean, ctx: StepContext): void {
    reply.pendingWrites--;
    if (!isStored) reply.frame = reply.onFailure?.() ?? reply.frame;
    if (reply.pendingWrites === 0) this.#flush(reply.peer, ctx);
  }

  #flush(peer: PeerId, ctx: StepContext): void {
    const queue = this.#queues.get(peer);
    if (queue === undefined) return;
    let sent = 0;
    for (const { frame, pendingWrites } of queue) {
      if (frame === undefined || pendingWrites > 0) break;
      ctx.emit({ do: "reply", to: peer, frame });
      sent++;
    }
    if (sent > 0) queue.splice(0, sent);
  }
}
