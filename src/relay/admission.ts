/**
 * Admission of peers and of their frames: how many may be connected, and how fast each may send.
 *
 * Invariants: R1 a peer is in the table from `opened` to `closed`; R2 frames of a game, also at the proxy, are never dropped for their
 * rate but wait in order; frames of all others are refused with the time after which to retry; R3 everything that a peer sends and that
 * does not pass is charged to its excess, and a peer that exhausts it is closed; R4 a reply that the relay asked for does not count
 * against the rate limits, whatever is in it; R5 when a place is needed, a peer that has sent nothing so far leaves.
 * Knows nothing of: the content of frames.
 */
import {
  type Bucket,
  bucket,
  bytesBurst,
  charge,
  chargeControlFrame,
  refund,
  take,
  type WorkBudget,
  workBudget,
} from "../core/bucket.ts";
import { Deadlines } from "../core/deadlines.ts";
import type { ConnectionInfo, ListenerName } from "../core/event.ts";
import type { Millis, PeerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import { FRAMES_THROTTLED_MAX, OUTSTANDING_REPLIES_MAX } from "../core/limits.ts";
import { RetainedBytes } from "../core/retained-bytes.ts";
import type { LimitSettings } from "../core/settings.ts";
import { Addresses, isKnown, type PeerAddress } from "./addresses.ts";
import { type PlaceFor, SilentPeers } from "./silent-peers.ts";

export interface Peer {
  readonly id: PeerId;
  readonly listener: ListenerName;
  readonly address: string;
  readonly at: PeerAddress;
  /** The addresses that count as one with its own. */
  readonly group: string;
  /** On this machine, or from an address of which a peer was accepted when it connected. */
  readonly isLocal: boolean;
  /** It has sent no frame so far. */
  isSilent: boolean;
  /** It was accepted by its service, which keeps an attachment for it. */
  isAccepted: boolean;
  /** Another peer has its place; its close is on the way. */
  isEvicted: boolean;
  /** It was closed for the size of a message, which was reported. */
  isClosed: boolean;
  /** Undefined until a frame is charged to them: they are full then. */
  messages: Bucket | undefined;
  bytes: Bucket | undefined;
  /** The frames that wait; undefined until one had to. */
  throttled: ThrottledFrames | undefined;
  /** Replies that the relay asked for and has not received. */
  outstanding: number;
  /** What it can send beyond its rate before it is closed: refused frames, pings, and pongs that answer no ping. */
  excess: WorkBudget | undefined;
  /** What it can send while its address has used up everything. */
  part: WorkBudget | undefined;
}

/** Frames of one peer that wait for its rate, in order. */
interface ThrottledFrames {
  readonly frames: Frame[];
  bytes: number;
  /** What is kept of them: a part of what is kept of all peers. */
  readonly retained: RetainedBytes;
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
  readonly #addresses = new Addresses();
  readonly #silent = new SilentPeers<Peer>();
  /** Those of the Intermediary, which have not greeted. */
  readonly #newcomers = new SilentPeers<Peer>();
  readonly #releases = new Deadlines();
  readonly #retained: RetainedBytes;
  #evicted = 0;

  /** `retained`: the account of all that is kept of peers. */
  constructor(retained: RetainedBytes) {
    this.#retained = retained;
  }

  get(id: PeerId): Peer | undefined {
    return this.#table.get(id);
  }

  /** Adds a peer that was connected before this relay was created. */
  resume(opened: OpenedPeer, terms: AdmissionTerms): void {
    const at = this.#addresses.of(opened.connection.address, terms);
    const peer = newPeer(opened, { at, isLocal: true });
    peer.isSilent = false;
    this.#insert(peer);
  }

  /** Adds a peer if it has a place, and returns the peers that have to leave for it. Undefined if it has none. */
  add(opened: OpenedPeer, terms: AdmissionTerms): readonly Peer[] | undefined {
    const at = this.#addresses.of(opened.connection.address, terms);
    const peer = newPeer(opened, { at, isLocal: isKnown(at) });
    const placeAmongNewcomers = this.#placeAmongNewcomers(peer, terms.limits);
    if (placeAmongNewcomers === "none" || this.#place(peer, terms.limits) === "none") return undefined;
    const leaving: Peer[] = [];
    if (placeAmongNewcomers !== "free") leaving.push(this.#evict(placeAmongNewcomers));
    const place = this.#place(peer, terms.limits); // Why again: the place may be free now.
    if (typeof place === "object") leaving.push(this.#evict(place));
    this.#insert(peer);
    return leaving;
  }

  /** The service of a peer has accepted it. */
  accept(id: PeerId): void {
    const peer = this.#table.get(id);
    if (peer === undefined || peer.isAccepted || peer.isEvicted) return;
    peer.isAccepted = true;
    peer.at.accepted++;
  }

  remove(id: PeerId): Peer | undefined {
    const peer = this.#table.get(id);
    if (peer === undefined) return undefined;
    this.#table.delete(id);
    this.#releases.clear(id);
    peer.throttled?.retained.close();
    if (peer.isEvicted) this.#evicted--;
    else this.#leavePlace(peer);
    return peer;
  }

  #placeAmongNewcomers(peer: Peer, { unauthenticated }: LimitSettings): PlaceFor<Peer> {
    return peer.listener === "intermediary" ? this.#newcomers.placeFor(peer, unauthenticated) : "free";
  }

  #place(peer: Peer, { peers, peers_per_address }: LimitSettings): PlaceFor<Peer> {
    if (peer.at.peers >= peers_per_address) return this.#silent.oldestOf(peer.group);
    return this.#table.size - this.#evicted >= peers ? this.#silent.oldestFor(peer.isLocal) : "free";
  }

  #insert(peer: Peer): void {
    this.#table.set(peer.id, peer);
    this.#addresses.enter(peer.at);
    if (!peer.isSilent) return;
    this.#silent.add(peer);
    if (peer.listener === "intermediary") this.#newcomers.add(peer);
  }

  #evict(peer: Peer): Peer {
    peer.isEvicted = true;
    this.#evicted++;
    this.#leavePlace(peer);
    return peer;
  }

  #leavePlace(peer: Peer): void {
    this.#endSilence(peer);
    if (peer.isAccepted) peer.at.accepted--;
    this.#addresses.leave(peer.at);
  }

  #endSilence(peer: Peer): void {
    peer.isSilent = false;
    this.#silent.delete(peer);
    this.#newcomers.delete(peer);
  }

  /** Decides about a frame that arrived. A frame that waits is kept here. */
  admit(peer: Peer, frame: Frame, limits: LimitSettings, now: Millis): Admission {
    if (peer.isSilent) this.#endSilence(peer);
    const isUnlimited = limits.messages_per_second === 0 && limits.bytes_per_second === 0;
    const isWaiting = peer.throttled !== undefined && peer.throttled.frames.length > 0;
    if (isUnlimited && !isWaiting) return PASS;
    const terms = { limits, now };
    const waitMs = isWaiting ? 1 : this.#waitOf(peer, frame, terms);
    if (waitMs === 0) return PASS;
    if (peer.listener === "neuro" || peer.listener === "proxy") return this.#throttle(peer, frame, waitMs, terms);
    const isWithin = charge(excessOf(peer, terms), frame.length, terms) &&
      this.#addresses.admitsRefusal(peer, frame.length, terms);
    return isWithin ? { is: "refuse", retryMs: waitMs } : FLOOD;
  }

  /** The frame waits, unless too many do. */
  #throttle(peer: Peer, frame: Frame, waitMs: Millis, { limits, now }: AdmissionTerms): Admission {
    const throttled = peer.throttled ??= { frames: [], bytes: 0, retained: new RetainedBytes(this.#retained) };
    if (throttled.frames.length >= FRAMES_THROTTLED_MAX) return FLOOD;
    if (throttled.bytes + frame.length > limits.backlog_hard_bytes) return FLOOD;
    if (throttled.retained.refusal(2 * frame.length, limits) !== undefined) return FLOOD;
    throttled.retained.charge(2 * frame.length);
    throttled.frames.push(frame);
    throttled.bytes += frame.length;
    if (this.#releases.get(peer.id) === undefined) this.#releases.set(peer.id, now + waitMs);
    return WAIT;
  }

  /** Decides about a ping, or a pong that answers no ping. */
  admitControlFrame(peer: Peer, terms: AdmissionTerms): "pass" | "flood" {
    const isWithin = chargeControlFrame(excessOf(peer, terms), terms.now) &&
      this.#addresses.admitsControlFrame(peer, terms);
    return isWithin ? "pass" : "flood";
  }

  /** 0 if the frame may pass now, otherwise the time in ms until it may. */
  #waitOf(peer: Peer, frame: Frame, terms: AdmissionTerms): Millis {
    const isReply = peer.outstanding > 0;
    const waitMs = waitOf(peer, frame, terms);
    if (waitMs > 0 || isReply) return waitMs;
    const addressWaitMs = this.#addresses.waitOf(peer, frame.length, terms);
    if (addressWaitMs === 0) return 0;
    refund(messagesOf(peer, terms), 1);
    refund(bytesOf(peer, terms), frame.length);
    return addressWaitMs;
  }

  /** Charges bytes that a peer has caused, whatever it may send: it has to wait for as long as they take at its rate. */
  chargeBytes(peer: Peer, length: number, terms: AdmissionTerms): void {
    if (terms.limits.bytes_per_second === 0) return;
    refund(bytesOf(peer, terms), -length);
    refund(peer.at.budget.bytes, -length);
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
      if (peer?.throttled === undefined) continue;
      const { throttled } = peer;
      for (let [first] = throttled.frames; first !== undefined; [first] = throttled.frames) {
        const waitMs = this.#waitOf(peer, first, terms);
        if (waitMs > 0) {
          this.#releases.set(id, terms.now + waitMs);
          break;
        }
        throttled.frames.shift();
        throttled.bytes -= first.length;
        throttled.retained.release(2 * first.length);
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

type OpenedPeer = { readonly peer: PeerId; readonly listener: ListenerName; readonly connection: ConnectionInfo };

const newPeer = (
  { peer: id, listener, connection: { address } }: OpenedPeer,
  { at, isLocal }: { readonly at: PeerAddress; readonly isLocal: boolean },
): Peer => ({
  // Why these first: each frame reads them, and they lie together in memory.
  id,
  listener,
  isSilent: true,
  throttled: undefined,
  messages: undefined,
  bytes: undefined,
  outstanding: 0,
  at,
  address,
  group: at.group,
  isLocal,
  isAccepted: false,
  isEvicted: false,
  isClosed: false,
  excess: undefined,
  part: undefined,
});

const messagesOf = (peer: Peer, { limits, now }: AdmissionTerms): Bucket => peer.messages ??= bucket(limits.burst, now);

const bytesOf = (peer: Peer, { limits, now }: AdmissionTerms): Bucket => peer.bytes ??= bucket(bytesBurst(limits), now);

/** Why created late: it is full at first, and nearly no peer needs it. */
const excessOf = (peer: Peer, { limits, now }: AdmissionTerms): WorkBudget => peer.excess ??= workBudget(limits, now);

/** The same for the rates of the peer alone. */
function waitOf(peer: Peer, frame: Frame, terms: AdmissionTerms): Millis {
  const { limits, now } = terms;
  const isReply = peer.outstanding > 0;
  if (isReply) peer.outstanding--;
  else {
    const waitMs = take(messagesOf(peer, terms), { perSecond: limits.messages_per_second, burst: limits.burst, now }, 1);
    if (waitMs > 0) return waitMs;
  }
  const bytesRate = { perSecond: limits.bytes_per_second, burst: bytesBurst(limits), now };
  const bytesWaitMs = take(bytesOf(peer, terms), bytesRate, frame.length);
  if (bytesWaitMs > 0 && isReply) peer.outstanding++;
  else if (bytesWaitMs > 0) refund(messagesOf(peer, terms), 1);
  return bytesWaitMs;
}
