/**
 * Who is connected, by which door, and how fast each may speak.
 *
 * Invariants: R1 a peer is in the table from `opened` to `closed`; R2 a game's frames are never dropped for speed, they wait
 * their turn in order, at the proxy too; everybody else's are refused with a time to come back; R3 whoever keeps on is closed; R4 what
 * a peer was asked for counts against nobody: as many frames more pass, whatever is in them.
 * Knows nothing of: what the frames say.
 */
import { type Bucket, bucket, refund, take } from "../core/bucket.ts";
import { Deadlines } from "../core/deadlines.ts";
import type { ConnectionInfo, ListenerName } from "../core/event.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import { FRAMES_THROTTLED_MAX, OUTSTANDING_REPLIES_MAX } from "../core/limits.ts";
import type { LimitSettings } from "../core/settings.ts";

export interface Peer {
  readonly id: PeerId;
  readonly listener: ListenerName;
  readonly address: string;
  readonly messages: Bucket;
  readonly bytes: Bucket;
  readonly waiting: Frame[];
  waitingBytes: number;
  /** Frames that it was asked for, and has not sent. */
  outstanding: number;
  /** Frames refused since one was last taken. */
  refused: number;
}

/** What becomes of a frame. */
export type Admission = "pass" | "wait" | "flood" | { readonly retryMs: Millis };

export class Peers {
  readonly #table = new Map<PeerId, Peer>();
  readonly #perAddress = new Map<string, number>();
  readonly #releases = new Deadlines();

  get(id: PeerId): Peer | undefined {
    return this.#table.get(id);
  }

  get size(): number {
    return this.#table.size;
  }

  all(): Iterable<Peer> {
    return this.#table.values();
  }

  hasCapacity(connection: ConnectionInfo, limits: LimitSettings): boolean {
    return this.#table.size < limits.peers && (this.#perAddress.get(connection.address) ?? 0) < limits.peers_per_address;
  }

  add(
    opened: { peer: PeerId; listener: ListenerName; connection: ConnectionInfo },
    limits: LimitSettings,
    now: Millis,
  ): void {
    const { peer: id, listener, connection: { address } } = opened;
    const messages = bucket(limits.burst, now);
    const bytes = bucket(Math.max(limits.bytes_per_second, limits.message_bytes), now);
    this.#table.set(id, {
      id,
      listener,
      address,
      messages,
      bytes,
      waiting: [],
      waitingBytes: 0,
      outstanding: 0,
      refused: 0,
    });
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  remove(id: PeerId): Peer | undefined {
    const peer = this.#table.get(id);
    if (peer === undefined) return undefined;
    this.#table.delete(id);
    this.#releases.clear(id);
    const left = (this.#perAddress.get(peer.address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(peer.address, left);
    else this.#perAddress.delete(peer.address);
    return peer;
  }

  /** Decides about a frame that arrived; one that waits is kept here. */
  admit(peer: Peer, frame: Frame, speed: Speed): Admission {
    const { limits, now } = speed;
    if (limits.messages_per_second === 0 && peer.waiting.length === 0) return "pass";
    const waitMs = peer.waiting.length > 0 ? 1 : pace(peer, frame, speed);
    if (waitMs === 0) {
      peer.refused = 0;
      return "pass";
    }
    if (peer.listener === "neuro" || peer.listener === "proxy") {
      if (peer.waiting.length >= FRAMES_THROTTLED_MAX) return "flood";
      if (peer.waitingBytes + frame.length > limits.backlog_hard_bytes) return "flood";
      peer.waiting.push(frame);
      peer.waitingBytes += frame.length;
      if (this.#releases.get(peer.id) === undefined) this.#releases.set(peer.id, now + waitMs);
      return "wait";
    }
    return ++peer.refused > limits.burst ? "flood" : { retryMs: waitMs };
  }

  /** It was sent something that it has to answer. */
  expectReply(id: PeerId): void {
    const peer = this.#table.get(id);
    if (peer !== undefined && peer.outstanding < OUTSTANDING_REPLIES_MAX) peer.outstanding++;
  }

  /** The frames whose turn has come, with their peers. */
  release(speed: Speed): [Peer, Frame][] {
    const released: [Peer, Frame][] = [];
    for (const id of this.#releases.due(speed.now)) {
      const peer = this.#table.get(id as PeerId);
      if (peer === undefined) continue;
      for (let first = peer.waiting[0]; first !== undefined; first = peer.waiting[0]) {
        const waitMs = pace(peer, first, speed);
        if (waitMs > 0) {
          this.#releases.set(id, speed.now + waitMs);
          break;
        }
        peer.waiting.shift();
        peer.waitingBytes -= first.length;
        released.push([peer, first]);
      }
    }
    return released;
  }

  nextWakeup(): Millis | undefined {
    return this.#releases.earliest();
  }
}

export interface Speed {
  readonly limits: LimitSettings;
  readonly now: Millis;
}

/** 0 when the frame may pass now, else after how long it may. */
function pace(peer: Peer, frame: Frame, { limits, now }: Speed): Millis {
  const isAnswer = peer.outstanding > 0;
  if (isAnswer) peer.outstanding--;
  else {
    const waitMs = take(peer.messages, { perSecond: limits.messages_per_second, burst: limits.burst, now }, 1);
    if (waitMs > 0) return waitMs;
  }
  const burst = Math.max(limits.bytes_per_second, limits.message_bytes);
  const bytesWaitMs = take(peer.bytes, { perSecond: limits.bytes_per_second, burst, now }, frame.length);
  if (bytesWaitMs > 0 && isAnswer) peer.outstanding++;
  else if (bytesWaitMs > 0) refund(peer.messages, 1);
  return bytesWaitMs;
}
