/**
 * One reply per request and peer, in the order of the requests, each only once what it reveals is stored.
 *
 * Every request takes a slot. A slot leaves when it is filled, nothing holds it any more, and all slots before it have left.
 *
 * Invariants: N1 a slot is filled once and leaves once; N2 a slot that waits holds back later slots of its own peer and nothing
 * else; N3 what a peer that is gone was owed is dropped.
 */
import type { PeerId } from "../../core/ids.ts";
import { REPLIES_OWED_MAX } from "../../core/limits.ts";
import type { StepContext } from "../../core/context.ts";

/** The reply that one request will get. */
export interface Slot {
  readonly peer: PeerId;
  frame: string | undefined;
  /** What is said instead when something that the reply waits for could not be stored. */
  otherwise: (() => string) | undefined;
  /** How much it still waits for. */
  holds: number;
}

export class Lanes {
  readonly #lanes = new Map<PeerId, Slot[]>();

  join(peer: PeerId): void {
    this.#lanes.set(peer, []);
  }

  leave(peer: PeerId): void {
    this.#lanes.delete(peer);
  }

  peers(): PeerId[] {
    return [...this.#lanes.keys()];
  }

  /** True when the peer is owed nothing. */
  isClear(peer: PeerId): boolean {
    return (this.#lanes.get(peer)?.length ?? 0) === 0;
  }

  /** A slot behind all others of the peer; undefined when it is owed too much already. */
  open(peer: PeerId): Slot | undefined {
    const lane = this.#lanes.get(peer);
    if (lane === undefined || lane.length >= REPLIES_OWED_MAX) return undefined;
    const slot: Slot = { peer, frame: undefined, otherwise: undefined, holds: 0 };
    lane.push(slot);
    return slot;
  }

  /** Says what the reply is; it leaves now if it may. */
  fill(slot: Slot, frame: string, ctx: StepContext): void {
    slot.frame = frame;
    if (slot.holds === 0) this.#flush(slot.peer, ctx);
  }

  /** One of the things that the slot waits for came about, or did not. */
  release(slot: Slot, isStored: boolean, ctx: StepContext): void {
    slot.holds--;
    if (!isStored) slot.frame = slot.otherwise?.() ?? slot.frame;
    if (slot.holds === 0) this.#flush(slot.peer, ctx);
  }

  #flush(peer: PeerId, ctx: StepContext): void {
    const lane = this.#lanes.get(peer);
    if (lane === undefined) return;
    let ready = 0;
    for (const { frame, holds } of lane) {
      if (frame === undefined || holds > 0) break;
      ctx.emit({ do: "reply", to: peer, frame });
      ready++;
    }
    if (ready > 0) lane.splice(0, ready);
  }
}
