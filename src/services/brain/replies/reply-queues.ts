/**
 * One reply per request, in the order of each peer's requests, and each only when the events that it shows are stored.
 *
 * Every request reserves a pending reply. It is sent when its frame is set, its writes have settled, and all earlier replies to the
 * peer have been sent.
 *
 * Invariants: N1 a reply is set once and sent once; N2 a reply that waits holds back later replies to its own peer and nothing else,
 * and a peer with more than `limits.backlog_hard_bytes` of such replies is closed; N3 replies to a peer that has disconnected are dropped.
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

interface PeerReplies {
  readonly replies: QueuedReply[];
  /** Bytes in memory of the frames that are held back. */
  bytes: number;
}

const frameBytes = ({ frame }: QueuedReply): number => 2 * (frame?.length ?? 0);

export class ReplyQueues {
  /** `limits.backlog_hard_bytes` */
  bytesMax: number;
  readonly #queues = new Map<PeerId, PeerReplies>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  addPeer(peer: PeerId): void {
    this.#queues.set(peer, { replies: [], bytes: 0 });
  }

  removePeer(peer: PeerId): void {
    this.#queues.delete(peer);
  }

  peers(): PeerId[] {
    return [...this.#queues.keys()];
  }

  /** True if no reply to the peer is outstanding. */
  isEmpty(peer: PeerId): boolean {
    return (this.#queues.get(peer)?.replies.length ?? 0) === 0;
  }

  /** Reserves the next reply to a peer; undefined if `REPLIES_OUTSTANDING_MAX` replies are outstanding. */
  reserve(peer: PeerId): QueuedReply | undefined {
    const queue = this.#queues.get(peer);
    if (queue === undefined || queue.replies.length >= REPLIES_OUTSTANDING_MAX) return undefined;
    const reply: QueuedReply = { peer, frame: undefined, onFailure: undefined, pendingWrites: 0 };
    queue.replies.push(reply);
    return reply;
  }

  /** Sets the frame of a reply and sends it if it may be sent now. */
  fill(reply: QueuedReply, frame: string, ctx: StepContext): void {
    this.#setFrame(reply, frame);
    if (reply.pendingWrites === 0) this.#flush(reply.peer, ctx);
    const queue = this.#queues.get(reply.peer);
    if (queue === undefined || queue.bytes <= this.bytesMax) return;
    ctx.emit({ do: "close", peer: reply.peer, fault: "slowGame" });
    this.removePeer(reply.peer);
  }

  /** One of the writes that the reply waits for has succeeded or failed. */
  settleWrite(reply: QueuedReply, isStored: boolean, ctx: StepContext): void {
    reply.pendingWrites--;
    const failure = isStored ? undefined : reply.onFailure?.();
    if (failure !== undefined) this.#setFrame(reply, failure);
    if (reply.pendingWrites === 0) this.#flush(reply.peer, ctx);
  }

  #flush(peer: PeerId, ctx: StepContext): void {
    const queue = this.#queues.get(peer);
    if (queue === undefined) return;
    let sent = 0;
    for (const reply of queue.replies) {
      const { frame, pendingWrites } = reply;
      if (frame === undefined || pendingWrites > 0) break;
      ctx.emit({ do: "reply", to: peer, frame });
      queue.bytes -= frameBytes(reply);
      sent++;
    }
    if (sent > 0) queue.replies.splice(0, sent);
  }

  #setFrame(reply: QueuedReply, frame: string): void {
    const before = frameBytes(reply);
    reply.frame = frame;
    const queue = this.#queues.get(reply.peer);
    if (queue !== undefined) queue.bytes += frameBytes(reply) - before;
  }
}
