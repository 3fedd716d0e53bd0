/**
 * What leaves: frames in order per peer, replies only once what they promise is stored, and nobody's backlog without bound.
 *
 * Invariants: O1 replies to one peer leave in the order in which they were put; O2 a reply that waits for the store holds back
 * later replies of its own peer and nothing else; O3 a peer with more than the hard bound waiting is closed, and one with more
 * than the soft bound is reported once; O4 nothing is sent to a peer after its close.
 */
import type { Closing, Effect, Reply } from "../core/effect.ts";
import { type FaultName, FAULTS } from "../core/fault.ts";
import { isLink, type Key, type LinkId, type PeerId } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import type { LimitSettings } from "../core/settings.ts";
import type { Sockets } from "./ports.ts";

/** A reply in its lane; `key` is what it still waits for. */
interface Waiting {
  frame: Frame;
  readonly otherwise: Frame | undefined;
  key: Key | undefined;
}

/** What the outbox needs to know of, and say to, the engine. */
export interface OutboxHooks {
  /** True while a put has neither been stored nor failed. */
  isPending(key: Key): boolean;
  /** More than the soft bound waits for it. */
  pressed(to: PeerId | LinkId): void;
  /** More than the hard bound waits for it. */
  tooSlow(to: PeerId | LinkId): void;
}

export class Outbox {
  readonly #sockets: Sockets;
  readonly #hooks: OutboxHooks;
  readonly #lanes = new Map<PeerId | LinkId, Waiting[]>();
  readonly #waitingFor = new Map<Key, PeerId[]>();
  readonly #pressed = new Set<PeerId | LinkId>();
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
    const lane = this.#lanes.get(reply.to);
    const key = reply.after !== undefined && this.#hooks.isPending(reply.after) ? reply.after : undefined;
    if (lane === undefined && key === undefined) return this.#transmit(reply.to, reply.frame, limits);
    const waiting: Waiting = { frame: reply.frame, otherwise: reply.onFailure, key };
    if (lane === undefined) this.#lanes.set(reply.to, [waiting]);
    else lane.push(waiting);
    if (key !== undefined) {
      const peers = this.#waitingFor.get(key);
      if (peers === undefined) this.#waitingFor.set(key, [reply.to]);
      else peers.push(reply.to);
    }
  }

  /** A put was settled: lets go of what waited for it. */
  settled(key: Key, isStored: boolean, limits: LimitSettings): void {
    const peers = this.#waitingFor.get(key);
    if (peers === undefined) return;
    this.#waitingFor.delete(key);
    for (const peer of peers) this.#release(peer, { key, isStored, limits });
  }

  #release(peer: PeerId, { key, isStored, limits }: { key: Key; isStored: boolean; limits: LimitSettings }): void {
    const lane = this.#lanes.get(peer);
    if (lane === undefined) return;
    for (const waiting of lane) {
      if (waiting.key !== key) continue;
      waiting.key = undefined;
      if (!isStored && waiting.otherwise !== undefined) waiting.frame = waiting.otherwise;
    }
    for (let first = lane[0]; first !== undefined && first.key === undefined; first = lane[0]) {
      lane.shift();
      this.#transmit(peer, first.frame, limits);
    }
    if (lane.length === 0) this.#lanes.delete(peer);
  }

  /** True from the close of a peer until its socket is gone. */
  isClosing(peer: PeerId): boolean {
    return this.#closing.has(peer);
  }

  close(peer: PeerId, fault: FaultName, as?: Closing): void {
    if (this.#closing.has(peer)) return;
    this.#closing.add(peer);
    this.#lanes.delete(peer);
    this.#sockets.close(peer, as?.code ?? FAULTS[fault].close, as?.reason ?? FAULTS[fault].message);
  }

  /** The socket says that its backlog is gone. */
  eased(to: PeerId | LinkId): boolean {
    return this.#pressed.delete(to);
  }

  forget(to: PeerId | LinkId): void {
    this.#lanes.delete(to);
    this.#pressed.delete(to);
    if (!isLink(to)) this.#closing.delete(to);
  }

  #transmit(to: PeerId | LinkId, frame: Frame, limits: LimitSettings): void {
    if (!isLink(to) && this.#closing.has(to)) return;
    const waitingBytes = this.#sockets.send(to, frame);
    if (waitingBytes <= limits.backlog_soft_bytes) return;
    if (waitingBytes > limits.backlog_hard_bytes) return this.#hooks.tooSlow(to);
    if (this.#pressed.has(to)) return;
    this.#pressed.add(to);
    this.#hooks.pressed(to);
  }
}
