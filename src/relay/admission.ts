/**
 * Admission of peers and of their frames: how many may be connected, and how fast each may send.
 *
 * Invariants: R1 a peer is in the table from `opened` to `closed`; R2 frames of a game, also at the proxy, are never dropped for their
 * rate but wait in order; frames of all others are refused with the time after which to retry; R3 a peer that floods is closed; R4 a
 * reply that the relay asked for does not count against the rate limit, whatever is in it.
 * Knows nothing of: the content of frames.
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
  /** Replies that the relay asked for and has not received. */
  outstanding: number;
  /** Frames refused since one last passed. */
  refused: number;
}

/** The decision about a frame: it passes, waits in order, is refused for now, or its peer is closed. */
export type Admission =
  | { readonly is: "pass" }
  | { readonly is: "wait" }
  | { readonly is: "flood" }
  | { readonly is: "refuse"; readonly retryMs: Millis };

const PASS: Admission = { is: "pass" };
const WAIT: Admission = { is: "wait" };
const FLOOD: Admission = { is: "flood" };

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

  /** Decides about a frame that arrived. A frame that waits is kept here. */
  admit(peer: Peer, frame: Frame, terms: AdmissionTerms): Admission {
    const { limits, now } = terms;
    const isUnlimited = limits.messages_per_second === 0 && limits.bytes_per_second === 0;
    if (isUnlimited && peer.waiting.length === 0) return PASS;
    const waitMs = peer.waiting.length > 0 ? 1 : waitOf(peer, frame, terms);
    if (waitMs === 0) {
      peer.refused = 0;
      return PASS;
    }
    if (peer.listener === "neuro" || peer.listener === "proxy") {
      if (peer.waiting.length >= FRAMES_THROTTLED_MAX) return FLOOD;
      if (peer.waitingBytes + frame.length > limits.backlog_hard_bytes) return FLOOD;
      peer.waiting.push(frame);
      peer.waitingBytes += frame.length;
      if (this.#releases.get(peer.id) === undefined) this.#releases.set(peer.id, now + waitMs);
      return WAIT;
    }
    return ++peer.refused > limits.burst ? FLOOD : { is: "refuse", retryMs: waitMs };
  }

  /** Counts a frame that the peer has to reply to. */
  expectReply(id: PeerId): void {
    const peer = this.#table.get(id);
    if (peer !== undefined && peer.outstanding < OUTSTANDING_REPLIES_MAX) peer.outstanding++;
  }

  /** The waiting frames that may pass now, with their peers. */
  release(terms: AdmissionTerms): [Peer, Frame][] {
    const released: [Peer, Frame][] = [];
    for (const id of this.#releases.due(terms.now)) {
      const peer = this.#table.get(id as PeerId);
      if (peer === undefined) continue;
      for (let first = peer.waiting[0]; first !== undefined; first = peer.waiting[0]) {
        const waitMs = waitOf(peer, first, terms);
        if (waitMs > 0) {
          this.#releases.set(id, terms.now + waitMs);
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

export interface AdmissionTerms {
  readonly limits: LimitSettings;
  readonly now: Millis;
}

/** 0 if the frame may pass now, otherwise the time in ms until it may. */
function waitOf(peer: Peer, frame: Frame, { limits, now }: AdmissionTerms): Millis {
  const isReply = peer.outstanding > 0;
  if (isReply) peer.outstanding--;
  else {
    const waitMs = take(peer.messages, { perSecond: limits.messages_per_second, burst: limits.burst, now }, 1);
    if (waitMs > 0) return waitMs;
  }
  const burst = Math.max(limits.bytes_per_second, limits.message_bytes);
  const bytesWaitMs = take(peer.bytes, { perSecond: limits.bytes_per_second, burst, now }, frame.length);
  if (bytesWaitMs > 0 && isReply) peer.outstanding++;
  else if (bytesWaitMs > 0) refund(peer.messages, 1);
  return bytesWaitMs;
}
