/**
 * Outgoing frames: in order for each peer, replies only after the write they report, and with a bounded backlog.
 *
 * Invariants: O1 replies to one peer leave in the order in which they were emitted; O2 a reply that waits for the store delays only
 * later replies to the same peer; O3 a peer with a backlog, or with waiting replies, over `limits.backlog_hard_bytes` is closed, and one over
 * `limits.backlog_soft_bytes` is reported once; O4 nothing is sent to a peer after its close.
 */
import type { CloseFrame, Effect, Reply } from "../core/effect.ts";
import { type FaultName, FAULTS } from "../core/fault.ts";
import { isLink, type Key, type LinkId, type PeerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { LimitSettings } from "../core/settings.ts";
import type { Sockets } from "./ports.ts";

/** A reply that has not been sent, and the key of the write it still waits for. */
interface PendingReply {
  frame: Frame;
  readonly onFailure: Frame | undefined;
  waitsFor: Key | undefined;
}

/** The replies to one peer of which the first waits, and the bytes in memory of their frames. */
interface WaitingReplies {
  readonly list: PendingReply[];
  bytes: number;
}

const bytesOf = ({ frame }: PendingReply): number => 2 * frame.length;

/** The functions of the engine that the outbox calls. */
export interface OutboxHooks {
  /** True while a put is neither stored nor failed. */
  isPending(key: Key): boolean;
  /** The backlog exceeds `limits.backlog_soft_bytes`. */
  backpressure(to: PeerId | LinkId): void;
  /** The backlog exceeds `limits.backlog_hard_bytes`. */
  tooSlow(to: PeerId | LinkId): void;
}

export class Outbox {
  readonly #sockets: Sockets;
  readonly #hooks: OutboxHooks;
  readonly #replies = new Map<PeerId | LinkId, WaitingReplies>();
  readonly #waitingFor = new Map<Key, PeerId[]>();
  readonly #congested = new Set<PeerId | LinkId>();
  readonly #closing = new Set<PeerId>();

  constructor(sockets: Sockets, hooks: OutboxHooks) {
    this.#sockets = sockets;
    this.#hooks = hooks;
  }

  send(effect: Effect & { do: "send" }, limits: LimitSettings): void {
    this.#transmit(effect.to, effect.frame, limits);
  }

  reply(reply: Reply, limits: LimitSettings): void {
    if (this.#closing.has(reply.to)) return;
    const replies = this.#replies.get(reply.to);
    const waitsFor = reply.after !== undefined && this.#hooks.isPending(reply.after) ? reply.after : undefined;
    if (replies === undefined && waitsFor === undefined) return this.#transmit(reply.to, reply.frame, limits);
    const waiting: PendingReply = { frame: reply.frame, onFailure: reply.onFailure, waitsFor };
    const { list, bytes } = replies ?? { list: [], bytes: 0 };
    list.push(waiting);
    this.#replies.set(reply.to, { list, bytes: bytes + bytesOf(waiting) });
    if (bytes + bytesOf(waiting) > limits.backlog_hard_bytes) return this.#hooks.tooSlow(reply.to);
    if (waitsFor !== undefined) {
      const peers = this.#waitingFor.get(waitsFor);
      if (peers === undefined) this.#waitingFor.set(waitsFor, [reply.to]);
      else peers.push(reply.to);
    }
  }

  /** A put was settled: releases the replies that waited for it. */
  settled(key: Key, isStored: boolean, limits: LimitSettings): void {
    const peers = this.#waitingFor.get(key);
    if (peers === undefined) return;
    this.#waitingFor.delete(key);
    for (const peer of peers) this.#release(peer, { key, isStored, limits });
  }

  #release(peer: PeerId, { key, isStored, limits }: { key: Key; isStored: boolean; limits: LimitSettings }): void {
    const replies = this.#replies.get(peer);
    if (replies === undefined) return;
    const { list } = replies;
    for (const waiting of list) {
      if (waiting.waitsFor !== key) continue;
      waiting.waitsFor = undefined;
      if (isStored || waiting.onFailure === undefined) continue;
      replies.bytes -= bytesOf(waiting);
      waiting.frame = waiting.onFailure;
      replies.bytes += bytesOf(waiting);
    }
    for (let [first] = list; first !== undefined && first.waitsFor === undefined; [first] = list) {
      list.shift();
      replies.bytes -= bytesOf(first);
      this.#transmit(peer, first.frame, limits);
    }
    if (list.length === 0) this.#replies.delete(peer);
  }

  /** True from the close of a peer until its socket has closed. */
  isClosing(peer: PeerId): boolean {
    return this.#closing.size > 0 && this.#closing.has(peer);
  }

  close(peer: PeerId, fault: FaultName, frame?: CloseFrame): void {
    if (this.#closing.has(peer)) return;
    this.#closing.add(peer);
    this.#replies.delete(peer);
    this.#sockets.close(peer, frame?.code ?? FAULTS[fault].close, frame?.reason ?? FAULTS[fault].message);
  }

  hasWaitingReply(peer: PeerId): boolean {
    return this.#replies.has(peer);
  }

  /** The socket reports that its backlog has been sent. */
  relieved(to: PeerId | LinkId): boolean {
    return this.#congested.delete(to);
  }

  forget(to: PeerId | LinkId): void {
    this.#replies.delete(to);
    this.#congested.delete(to);
    if (!isLink(to)) this.#closing.delete(to);
  }

  #transmit(to: PeerId | LinkId, frame: Frame, limits: LimitSettings): void {
    if (this.#closing.size > 0 && !isLink(to) && this.#closing.has(to)) return;
    const waitingBytes = this.#sockets.send(to, frame);
    if (waitingBytes <= limits.backlog_soft_bytes) return;
    if (waitingBytes > limits.backlog_hard_bytes) return this.#hooks.tooSlow(to);
    if (this.#congested.has(to)) return;
    this.#congested.add(to);
    this.#hooks.backpressure(to);
  }
}
